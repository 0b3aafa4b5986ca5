"""What a chat is owed: until it is delivered, until it never can be, until it is too old."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.conversation import Conversation
from bot.history import Question
from bot.outlet import NotDelivered
from bot.store import Store
from likeness.errors import DatabaseError
from tests.bot.conftest import ANN, BEN, NOON, NOW, settle

Make = Callable[..., Any]


async def test_what_will_never_be_delivered_is_dropped_and_the_model_stops(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet = conversation(["a|b", "c"]), fake_outlet()
    outlet.faults = [NotDelivered("Forbidden", final=True)]
    await talk.hear(ANN, message("hi"))
    with pytest.raises(NotDelivered):
        await talk.respond(outlet)
    assert talk.voice.engine.stopped == 1
    assert await store.drafts(ANN) == []
    await talk.respond(outlet)
    assert outlet.sent == []


async def test_what_could_not_be_delivered_now_goes_out_before_the_next_answer(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet = conversation(["a|b"], ["c"]), fake_outlet()
    outlet.faults = [NotDelivered("TimedOut", final=False)]
    await talk.hear(ANN, message("hi", id="1"))
    with pytest.raises(NotDelivered):
        await talk.respond(outlet)
    await talk.hear(ANN, message("hello?", id="2"))
    await talk.respond(outlet)
    assert outlet.sent == ["a", "b", "c"]
    assert outlet.nonces[0] == outlet.nonces[1]
    assert len(set(outlet.nonces)) == 3


async def test_what_was_sent_and_could_not_be_kept_is_not_sent_again(
    conversation: Make, fake_outlet: Make, message: Make, store: Store, monkeypatch: Any
) -> None:
    talk, outlet, sent = conversation(["a|b"]), fake_outlet(), store.sent
    await talk.hear(ANN, message("hi"))

    async def full(*_: object) -> None:
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(store, "sent", full)
    for _ in range(3):
        with pytest.raises(DatabaseError):
            await talk.respond(outlet)
        assert outlet.sent == ["a"]
    monkeypatch.setattr(store, "sent", sent)
    await talk.respond(outlet)
    assert outlet.sent == ["a", "b"]
    assert [m.text for m in await store.recent(ANN, 9)] == ["hi", "a", "b"]


async def test_what_was_heard_and_not_answered_is_owed_until_it_is_too_old(
    store: Store, fake_engine: Make, message: Make
) -> None:
    talk = Conversation(store, fake_engine(), clock=lambda: NOW)
    await talk.hear(ANN, message("hi", id="1"))
    await talk.hear(BEN, message("not for the bot"), asks=False)
    assert not await talk.hear(ANN, message("last year", id="2", seconds=-365 * 86_400))
    [owed] = await talk.owed("telegram", 9)
    assert (owed.chat, owed.message_id) == (ANN, "1")
    assert await talk.owed("discord", 9) == []
    late = Conversation(store, fake_engine(), clock=lambda: NOW + timedelta(days=2))
    assert await late.owed("telegram", 9) == []
    assert await talk.owed("telegram", 9) == []


async def test_what_is_being_answered_is_not_owed(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    gate = asyncio.Event()
    talk = conversation(["one", gate, "two"])
    await talk.hear(BEN, message("wait"))
    await talk.hear(ANN, message("hi"))
    answer = asyncio.create_task(talk.respond(fake_outlet()))
    await settle()
    assert [place.chat for place in await talk.owed("telegram", 1)] == [BEN]
    gate.set()
    await answer


async def test_an_answer_cut_short_is_finished_by_the_next_process_and_no_more_is_written(
    store: Store, fake_engine: Make, fake_outlet: Make, message: Make
) -> None:
    before, outlet = Conversation(store, fake_engine(["a|b|c"]), clock=lambda: NOW), fake_outlet()
    outlet.faults = [asyncio.CancelledError()]  # type: ignore[list-item]
    await before.hear(ANN, message("hi"))
    with pytest.raises(asyncio.CancelledError):
        await before.respond(outlet)
    engine = fake_engine(["never"])
    after = Conversation(store, engine, clock=lambda: NOW)
    [owed] = await after.owed("telegram", 9)
    assert owed.message_id == "1"
    await after.respond(outlet)
    assert outlet.sent == ["a", "b", "c"]
    assert engine.asked == []
    assert outlet.nonces[0] == outlet.nonces[1]


async def test_another_answer_to_what_is_old_is_not_given_up_while_it_is_being_written(
    message: Make, store: Store
) -> None:
    await store.add(ANN, message("hi", id="1", seconds=-60), asks=True)
    [draft] = await store.plan(ANN, "1", ["hello"], "text")
    await store.sent(draft, "2", "Robin", NOON)
    assert await store.hide_last(ANN, question=False)
    assert await store.owed("telegram", NOON, 9, [ANN]) == []
    assert await store.question(ANN) == Question("1", "user1")
    assert await store.owed("telegram", NOON, 9) == []
    assert await store.question(ANN) is None
