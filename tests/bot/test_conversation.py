"""Hearing and answering: each chat in order, nothing twice, nothing told to the log."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.conversation import Conversation
from bot.history import ChatId
from bot.store import Store
from bot.voice import APOLOGY
from likeness.messages import Message
from tests.bot.conftest import ANN, BEN, NOW, settle

Make = Callable[..., Any]


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


@pytest.mark.slow
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
