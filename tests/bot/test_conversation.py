"""Hearing and answering: each chat in order, nothing twice, nothing told to the log."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.conversation import APOLOGY, ChatId, Conversation
from bot.store import Store
from likeness.messages import Message

ANN = ChatId("telegram", "7")
BEN = ChatId("telegram", "8")
NOW = datetime(2024, 5, 1, 12, 0, 30, tzinfo=UTC)

Make = Callable[..., Any]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'likeness.db'}")
    yield store
    await store.close()


@pytest.fixture
def conversation(store: Store, fake_engine: Make) -> Callable[..., Conversation]:
    """Make a conversation with an engine of these scripts; the engine is its `_engine`."""

    def make(*scripts: object) -> Conversation:
        return Conversation(store, fake_engine(*scripts), clock=lambda: NOW)

    return make


async def settle() -> None:
    """Let everything that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0.005)


async def test_an_answer_is_sent_message_by_message_and_kept(
    conversation: Make, store: Store, fake_outlet: Make, message: Make
) -> None:
    talk, outlet = conversation(["sure", "at noon?"]), fake_outlet()
    assert await talk.hear(ANN, message("lunch?"))
    await talk.respond(ANN, outlet)
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
    answer = asyncio.create_task(talk.respond(ANN, outlet))
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


async def test_messages_that_come_while_an_answer_is_written_get_one_that_sees_all(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    hold = asyncio.Event()
    talk, outlet = conversation([hold, "one"], ["two"]), fake_outlet()
    await talk.hear(ANN, message("a", id="1"))
    answers = [asyncio.create_task(talk.respond(ANN, outlet))]
    await settle()
    for id_ in ("2", "3"):
        await talk.hear(ANN, message(f"later {id_}", id=id_))
        answers.append(asyncio.create_task(talk.respond(ANN, outlet)))
    await settle()
    assert outlet.sent == []
    hold.set()
    await asyncio.gather(*answers)
    assert outlet.sent == ["one", "two"]
    asked = [[m.text for m in messages] for messages in talk._engine.asked]
    assert asked == [["a"], ["a", "later 2", "later 3", "one"]]


async def test_a_chat_that_waits_holds_up_no_other(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    hold = asyncio.Event()
    talk = conversation([hold, "slow"], ["quick"])
    slow, quick = fake_outlet(), fake_outlet()
    await talk.hear(ANN, message("a"))
    await talk.hear(BEN, message("b"))
    waiting = asyncio.create_task(talk.respond(ANN, slow))
    await settle()
    await talk.respond(BEN, quick)
    assert (slow.sent, quick.sent) == ([], ["quick"])
    hold.set()
    await waiting
    assert slow.sent == ["slow"]
    assert [m.text for m in talk._engine.asked[1]] == ["b"]


async def test_after_a_reset_the_model_sees_only_what_is_new(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    talk, outlet = conversation(), fake_outlet()
    await talk.hear(ANN, message("old", id="1"))
    assert "start over" in await talk.reset(ANN)
    await talk.respond(ANN, outlet)
    assert outlet.sent == []
    await talk.hear(ANN, message("new", id="2"))
    await talk.respond(ANN, outlet)
    assert [[m.text for m in asked] for asked in talk._engine.asked] == [["new"]]


async def test_a_model_that_fails_is_apologised_for_once_and_the_chat_goes_on(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet = (
        conversation([ValueError("broken")], ["half", ValueError("broken")]),
        fake_outlet(),
    )
    await talk.hear(ANN, message("a", id="1"))
    await talk.respond(ANN, outlet)
    assert outlet.sent == [APOLOGY]
    await talk.respond(ANN, outlet)
    await talk.respond(ANN, outlet)
    assert outlet.sent == [APOLOGY, "half", "ok"]
    assert [m.text for m in await store.recent(ANN, 10) if m.shown] == ["a", "half", "ok"]


async def test_what_sending_raises_comes_out_and_the_model_stops(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    talk, outlet = conversation(["a", "b"]), fake_outlet()

    async def refuse(text: str) -> str:
        raise ConnectionError

    outlet.send = refuse
    await talk.hear(ANN, message("hi"))
    with pytest.raises(ConnectionError):
        await talk.respond(ANN, outlet)
    assert talk._engine.stopped == 1
    await talk.respond(ANN, working := fake_outlet())
    assert working.sent == ["ok"]


async def test_cancelling_an_answer_stops_the_model(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    talk = conversation(["a", asyncio.Event()])
    await talk.hear(ANN, message("hi"))
    answer = asyncio.create_task(talk.respond(ANN, fake_outlet()))
    await settle()
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    assert talk._engine.stopped == 1


async def test_closing_waits_for_answers_and_then_stops_them(
    conversation: Make, fake_outlet: Make, message: Make
) -> None:
    soon = asyncio.Event()
    talk = conversation([soon, "in time"], ["begun", asyncio.Event(), "never"])
    quick, stuck, late = fake_outlet(), fake_outlet(), fake_outlet()
    await talk.hear(ANN, message("a"))
    await talk.hear(BEN, message("b"))
    answers = [asyncio.create_task(talk.respond(ANN, quick))]
    await settle()
    answers.append(asyncio.create_task(talk.respond(BEN, stuck)))
    await settle()
    closing = asyncio.create_task(talk.close(grace_seconds=0.5))
    await settle()
    soon.set()
    await closing
    await asyncio.gather(*answers)
    await talk.respond(ANN, late)
    assert (quick.sent, stuck.sent, late.sent) == (["in time"], ["begun"], [])
    assert talk._engine.stopped == 1


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
    await talk.respond(ANN, fake_outlet())
    assert told == [later]


async def test_start_and_help_say_that_it_is_a_bot_and_whom_it_imitates(
    conversation: Make,
) -> None:
    talk = conversation()
    for text in (talk.start_text, talk.help_text):
        assert "I am a bot" in text
        assert "I am not Robin" in text
    for command in ("/start", "/help", "/reset"):
        assert command in talk.help_text


async def test_nobody_s_words_or_names_reach_the_log(
    store: Store,
    fake_engine: Make,
    fake_outlet: Make,
    message: Callable[..., Message],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    engine = fake_engine(["secretreply"], [RuntimeError("died on secretwords, secrettoken")])
    talk, outlet = Conversation(store, engine), fake_outlet()
    await talk.hear(ANN, message("secretwords", id="1", speaker="Secretname", chat="Secretchat"))
    await talk.respond(ANN, outlet)
    await talk.hear(ANN, message("secretwords", id="2", speaker="Secretname", chat="Secretchat"))
    await talk.respond(ANN, outlet)
    await talk.reset(ANN)
    await talk.close()
    assert outlet.sent == ["secretreply", APOLOGY]
    assert "The model failed in telegram 7: RuntimeError" in caplog.text
    assert "secret" not in caplog.text.lower()
