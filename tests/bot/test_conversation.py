"""Hearing and answering: each chat in order, nothing twice, nothing told to the log."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.conversation import Conversation
from bot.engine import Sampling
from bot.history import ChatId
from bot.outlet import NotDelivered
from bot.pace import Customs, Manner
from bot.store import Store
from bot.voice import APOLOGY
from likeness.messages import Message

ANN = ChatId("telegram", "7")
BEN = ChatId("telegram", "8")
NOW = datetime(2024, 5, 1, 12, 0, 30, tzinfo=UTC)

Make = Callable[..., Any]


@pytest.fixture
def conversation(store: Store, fake_engine: Make) -> Callable[..., Conversation]:
    """Make a conversation with an engine of these scripts; the engine is its `_engine`."""

    def make(*scripts: object) -> Conversation:
        return Conversation(store, fake_engine(*scripts), clock=lambda: NOW)

    return make


async def settle() -> None:
    """Let everything that can go on go on: many more times than a database's thread is asked."""
    for _ in range(60):
        await asyncio.to_thread(time.sleep, 0.001)


async def test_an_answer_is_sent_message_by_message_and_kept(
    conversation: Make, store: Store, fake_outlet: Make, message: Make
) -> None:
    talk, outlet = conversation(["sure", "at noon?"]), fake_outlet()
    assert await talk.hear(ANN, message("lunch?"))
    await talk.respond(outlet)
    assert outlet.sent == ["sure", "at noon?"]
    assert outlet.typed == 2
    heard, *said = await store.recent(ANN, 10)
    assert (heard.outgoing, heard.text) == (False, "lunch?")
    assert [(m.outgoing, m.text, m.speaker, m.sent_at) for m in said] == [
        (True, "sure", "Robin", NOW),
        (True, "at noon?", "Robin", NOW),
    ]


async def test_a_first_message_is_sent_while_the_rest_is_written(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    rest = asyncio.Event()
    talk, outlet = conversation(["first", rest, "second"]), fake_outlet()
    await talk.hear(ANN, message("hi"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    assert outlet.sent == ["first"]
    rest.set()
    await answer
    assert outlet.sent == ["first", "second"]


async def test_a_message_heard_twice_is_known(conversation: Make, message: Make) -> None:
    talk = conversation()
    assert await talk.hear(ANN, message("hi"))
    assert not await talk.hear(ANN, message("hi"))
    assert await talk.hear(BEN, message("hi"))


async def test_messages_that_come_while_an_answer_is_written_stop_it_and_get_one_that_sees_all(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    talk, outlet = conversation([asyncio.Event(), "never"], ["to all"]), fake_outlet()
    await talk.hear(ANN, message("a", id="1"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    for id_ in ("2", "3"):
        await talk.hear(ANN, message(f"later {id_}", id=id_))
        await talk.respond(outlet)  # somebody is at it already
    await answer
    assert outlet.sent == ["to all"]
    assert [m.text for m in talk.voice.engine.asked[-1]] == ["a", "later 2", "later 3"]
    assert talk.voice.engine.stopped == len(talk.voice.engine.asked) - 1


async def test_what_was_sent_before_somebody_wrote_again_stays(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet = conversation(["one", asyncio.Event(), "never"], ["two"]), fake_outlet()
    await talk.hear(ANN, message("a", id="1"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    await talk.hear(ANN, message("b", id="2"))
    await talk.respond(outlet)
    await answer
    assert outlet.sent == ["one", "two"]
    assert [m.text for m in await store.recent(ANN, 9)] == ["a", "one", "b", "two"]
    assert await store.drafts(ANN) == []


async def test_who_writes_on_and_on_is_answered_all_the_same(
    store: Store, fake_engine: Make, fake_outlet: Make, message: Make
) -> None:
    gate = asyncio.Event()
    engine = fake_engine([gate, "one"], ["two"])
    talk = Conversation(store, engine, manner=Manner(longest_pause_seconds=0), clock=lambda: NOW)
    outlet = fake_outlet()
    await talk.hear(ANN, message("a", id="1"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    await talk.hear(ANN, message("b", id="2"))
    await talk.respond(outlet)
    await settle()
    gate.set()
    await answer
    assert outlet.sent == ["one", "two"]
    assert engine.stopped == 0


@pytest.mark.slow
async def test_it_waits_until_the_person_seems_done(
    store: Store, fake_engine: Make, fake_outlet: Make, message: Make
) -> None:
    engine, outlet = fake_engine(), fake_outlet()
    talk = Conversation(store, engine, manner=Manner(pause_seconds=1), clock=lambda: NOW)
    answer = None
    for number in range(3):
        await talk.hear(ANN, message(str(number), id=str(number)))
        if answer is None:
            answer = asyncio.create_task(talk.respond(outlet))
        else:
            await talk.respond(outlet)
        await asyncio.sleep(0.01)
    await answer
    assert [[m.text for m in asked] for asked in engine.asked] == [["0", "1", "2"]]


async def test_a_burst_is_typed_at_its_pace_and_stops_when_somebody_writes(
    store: Store, fake_engine: Make, fake_outlet: Make, message: Make
) -> None:
    engine, outlet = fake_engine(["one", "x" * 1000], ["two"]), fake_outlet()
    talk = Conversation(store, engine, manner=Manner(pace="natural"), clock=lambda: NOW)
    await talk.hear(ANN, message("a", id="1"))
    answer = asyncio.create_task(talk.respond(outlet))
    async with asyncio.timeout(5):
        while outlet.sent != ["one"] or len(await store.drafts(ANN)) != 1:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    await talk.hear(ANN, message("b", id="2"))
    await talk.respond(outlet)
    await answer
    assert outlet.sent == ["one", "two"]
    assert await store.drafts(ANN) == []


async def test_a_chat_that_waits_holds_up_no_other(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    hold = asyncio.Event()
    talk = conversation([hold, "slow"], ["quick"])
    slow, quick = fake_outlet(), fake_outlet(BEN)
    await talk.hear(ANN, message("a"))
    await talk.hear(BEN, message("b"))
    waiting = asyncio.create_task(talk.respond(slow))
    await settle()
    await talk.respond(quick)
    assert (slow.sent, quick.sent) == ([], ["quick"])
    hold.set()
    await waiting
    assert slow.sent == ["slow"]
    assert [m.text for m in talk.voice.engine.asked[1]] == ["b"]


async def test_after_a_reset_the_model_sees_only_what_is_new(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    talk, outlet = conversation(), fake_outlet()
    await talk.hear(ANN, message("old", id="1"))
    await talk.reset(ANN)
    await talk.respond(outlet)
    assert outlet.sent == []
    await talk.hear(ANN, message("new", id="2"))
    await talk.respond(outlet)
    assert [[m.text for m in asked] for asked in talk.voice.engine.asked] == [["new"]]


async def test_a_model_that_fails_is_apologised_for_once_and_the_chat_goes_on(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet = (
        conversation([ValueError("broken")], ["half", ValueError("broken")]),
        fake_outlet(),
    )
    await talk.hear(ANN, message("a", id="1"))
    await talk.respond(outlet)
    assert outlet.sent == [APOLOGY]
    for id_ in ("2", "3"):
        await talk.hear(ANN, message("b", id=id_))
        await talk.respond(outlet)
    assert outlet.sent == [APOLOGY, "half", "ok"]
    assert [m.text for m in await store.recent(ANN, 10) if m.shown] == [
        "a",
        "b",
        "half",
        "b",
        "ok",
    ]


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


async def test_cancelling_an_answer_stops_the_model(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    talk = conversation(["a", asyncio.Event()])
    await talk.hear(ANN, message("hi"))
    answer = asyncio.create_task(talk.respond(fake_outlet()))
    await settle()
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    assert talk.voice.engine.stopped == 1


@pytest.mark.slow
async def test_closing_waits_for_answers_and_then_stops_them(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    soon = asyncio.Event()
    talk = conversation([soon, "in time"], ["begun", asyncio.Event(), "never"])
    quick, stuck, late = fake_outlet(), fake_outlet(BEN), fake_outlet()
    await talk.hear(ANN, message("a"))
    await talk.hear(BEN, message("b"))
    answers = [asyncio.create_task(talk.respond(quick))]
    await settle()
    answers.append(asyncio.create_task(talk.respond(stuck)))
    await settle()
    closing = asyncio.create_task(talk.close(grace_seconds=1.5))
    await settle()
    soon.set()
    await closing
    await asyncio.gather(*answers)
    await talk.respond(late)
    assert (quick.sent, stuck.sent, late.sent) == (["in time"], ["begun"], [])
    assert talk.voice.engine.stopped == 1


async def test_the_model_is_told_when_the_answer_is_given(
    store: Store, fake_engine: Make, fake_outlet: Make, message: Make
) -> None:
    engine = fake_engine()
    told: list[object] = []
    reply = engine.reply
    engine.reply = lambda *args, **kwargs: (told.append(kwargs["now"]), reply(*args, **kwargs))[1]
    later = NOW + timedelta(hours=3)
    talk = Conversation(store, engine, clock=lambda: later)
    await talk.hear(ANN, message("hi"))
    await talk.respond(fake_outlet())
    assert told == [later]


async def test_nobody_s_words_or_names_reach_the_log(
    store: Store,
    fake_engine: Make,
    fake_outlet: Make,
    message: Callable[..., Message],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    engine = fake_engine(["secretreply"], [RuntimeError("died on secretwords, secrettoken")])
    talk, outlet = Conversation(store, engine, clock=lambda: NOW), fake_outlet()
    await talk.hear(ANN, message("secretwords", id="1", speaker="Secretname", chat="Secretchat"))
    await talk.respond(outlet)
    await talk.hear(ANN, message("secretwords", id="2", speaker="Secretname", chat="Secretchat"))
    await talk.respond(outlet)
    await talk.reset(ANN)
    await talk.close()
    assert outlet.sent == ["secretreply", APOLOGY]
    assert "The model failed in telegram 7: RuntimeError" in caplog.text
    assert "secret" not in caplog.text.lower()


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


async def test_another_answer_takes_the_place_of_the_newest(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet = conversation(["one", "more"], ["another"]), fake_outlet()
    assert not await talk.take_back(ANN, question=False)
    await talk.hear(ANN, message("hi"))
    await talk.respond(outlet)
    assert await talk.take_back(ANN, question=False)
    await talk.respond(outlet)
    assert outlet.sent == ["one", "more", "another"]
    assert [m.text for m in talk.voice.engine.asked[1]] == ["hi"]
    assert [m.text for m in await store.recent(ANN, 9)] == ["hi", "another"]


async def test_undoing_takes_the_question_too(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet = conversation(), fake_outlet()
    for id_ in ("1", "2"):
        await talk.hear(ANN, message(id_, id=id_))
        await talk.respond(outlet)
    for left in (["1", "ok"], []):
        assert await talk.take_back(ANN, question=True)
        assert [m.text for m in await store.recent(ANN, 9)] == left
    assert not await talk.take_back(ANN, question=True)
    await talk.respond(outlet)
    assert outlet.sent == ["ok", "ok"]


async def test_another_answer_is_another_one_though_the_seed_is_fixed(
    store: Store, fake_engine: Make, fake_outlet: Make, message: Make
) -> None:
    engine, outlet = fake_engine(), fake_outlet()
    talk = Conversation(store, engine, Sampling(seed=5), clock=lambda: NOW)
    await talk.hear(ANN, message("hi"))
    await talk.respond(outlet)
    for _ in range(2):
        assert await talk.take_back(ANN, question=False)
        await talk.respond(outlet)
    assert len({sampling.seed for sampling in engine.samplings}) == 3
    assert None not in {sampling.seed for sampling in engine.samplings}


async def test_a_chat_is_answered_as_it_has_set(
    store: Store, fake_engine: Make, fake_outlet: Make, message: Make
) -> None:
    engine = fake_engine(["one", "x" * 1000], ["one", "x" * 1000])
    talk = Conversation(store, engine, manner=Manner(pace="natural"), clock=lambda: NOW)
    await store.set_customs(ANN, Customs(temperature=0.3, pace="off"))
    outlet = fake_outlet()
    await talk.hear(ANN, message("hi"))
    await asyncio.wait_for(talk.respond(outlet), 4)
    assert len(outlet.sent) == 2
    assert engine.samplings[0].temperature == 0.3


async def test_a_stop_ends_what_is_being_written_and_lasts(
    store: Store, fake_engine: Make, fake_outlet: Make, message: Make
) -> None:
    engine, outlet = fake_engine(["one", asyncio.Event(), "never"], ["two"]), fake_outlet()
    talk = Conversation(store, engine, clock=lambda: NOW)
    await talk.hear(ANN, message("a", id="1"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    await talk.stop()
    await answer
    assert (outlet.sent, engine.stopped) == (["one"], 1)
    for late in (talk, Conversation(store, engine, clock=lambda: NOW)):
        await late.hear(ANN, message("b", id=str(id(late))))
        await late.respond(outlet)
    assert outlet.sent == ["one"]
    await talk.go()
    await talk.respond(outlet)
    assert outlet.sent == ["one"]
    await talk.hear(ANN, message("c", id="4"))
    await talk.respond(outlet)
    assert outlet.sent == ["one", "two"]


async def test_an_answer_replies_to_the_newest_message_that_asked(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    talk, outlet = conversation(["never", asyncio.Event()], ["one", "two"]), fake_outlet()
    await talk.hear(ANN, message("a", id="1"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    await talk.hear(ANN, message("b", id="2"))
    await talk.hear(ANN, message("not for it", id="3"), asks=False)
    await answer
    assert outlet.sent[-2:] == ["one", "two"]
    assert outlet.answers[-2:] == ["2", ""]


async def test_where_it_chimes_in_it_replies_only_if_others_wrote_since(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    talk, outlet = conversation(), fake_outlet()
    await talk.hear(ANN, message("a", id="1"), chimes=True)
    await talk.respond(outlet)
    await talk.hear(ANN, message("b", id="2"), chimes=True)
    await talk.hear(ANN, message("c", id="3"), asks=False)
    await talk.respond(outlet)
    assert outlet.answers == ["", "2"]


async def test_private_chats_and_groups_never_share_what_was_said(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    talk = conversation()
    group, topic = ChatId("telegram", "-7"), ChatId("telegram", "-7", "7")
    for place in (ANN, group, topic):
        await talk.hear(place, message(f"said in {place}", id="1"))
        await talk.respond(fake_outlet(place))
    asked = [[m.text for m in seen] for seen in talk.voice.engine.asked]
    assert asked == [["said in telegram 7"], ["said in telegram -7"], ["said in telegram -7 7"]]
