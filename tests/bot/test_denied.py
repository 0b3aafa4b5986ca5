"""What becomes of answers to somebody whom the owner shuts out."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.access import Access, Guest, Visitor
from bot.commands import obey
from bot.conversation import Conversation
from bot.history import ChatId, History, Question
from bot.orders import Order
from bot.outlet import Reply
from bot.store import Store
from likeness.messages import Message
from tests.bot import test_history
from tests.bot.conftest import ANN, BEN, NOON, FakeOutlet, settle

Make = Callable[..., Any]
MakeMessage = Callable[..., Message]

history = test_history.history


def deny(talk: Conversation, who: str) -> "asyncio.Task[Reply]":
    owner = Visitor("telegram", "1", "user1", "Olga")
    access = Access("telegram", talk.history, owners=("1",))
    order = Order(talk, access, owner, BEN, owner=True, name="deny", words=who)
    return asyncio.create_task(obey(order))


class SlowOutlet(FakeOutlet):
    """Sends nothing before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = asyncio.Event()

    async def send(self, text: str, nonce: str, answers: str = "") -> str:
        await self.may.wait()
        return await super().send(text, nonce, answers)


@pytest.mark.parametrize("who", ["7", "telegram:42", "99"])
async def test_an_answer_that_is_being_written_to_whom_is_shut_out_is_not_sent(
    conversation: Make, fake_outlet: Make, message: Make, store: Store, who: str
) -> None:
    gate = asyncio.Event()
    talk, outlet = conversation(["one", gate, "never"]), fake_outlet()
    talk.within["telegram"] = lambda id_: [ANN.chat] if id_ == "99" else []
    await talk.hear(ANN, message("hi", speaker_id="user42"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    reply = await asyncio.wait_for(deny(talk, who), 10)
    assert reply.text.startswith("I no longer talk with telegram:")
    gate.set()
    await asyncio.wait_for(answer, 10)
    assert (outlet.sent, talk.voice.engine.stopped) == (["one"], 1)
    assert await store.owed("telegram", NOON, 9) == []


@pytest.mark.slow
async def test_the_owner_is_not_told_before_what_is_on_its_way_has_arrived(
    conversation: Make, message: Make
) -> None:
    talk, outlet = conversation(["one|two", "three"]), SlowOutlet()
    await talk.hear(ANN, message("hi", speaker_id="user42"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    told = deny(talk, "42")
    await settle()
    assert not told.done()
    outlet.may.set()
    await asyncio.wait_for(told, 10)
    sent = list(outlet.sent)
    await asyncio.wait_for(answer, 10)
    assert outlet.sent == sent == ["one"]


@pytest.mark.slow
async def test_who_asked_beside_one_who_is_shut_out_is_answered(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet = conversation([asyncio.Event(), "never"], ["to Ann"]), fake_outlet()
    await talk.hear(ANN, message("Robin?", id="1"))
    await talk.hear(ANN, message("me, too", id="2", speaker_id="user42", speaker="Bob"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    await asyncio.wait_for(deny(talk, "42"), 10)
    await asyncio.wait_for(answer, 10)
    assert (outlet.sent, outlet.answers) == (["to Ann"], ["1"])
    assert await store.owed("telegram", NOON, 9) == []


async def test_one_who_is_shut_out_is_owed_nothing_and_all_others_as_before(
    history: History, message: MakeMessage
) -> None:
    elsewhere = ChatId("discord", "7")
    for chat in (ANN, BEN, elsewhere):
        await history.add(chat, message("hm", id="1", speaker_id="user42"), asks=True)
        await history.add(chat, message("hello", id="2", speaker_id="user43"), asks=True)
    planned = []
    for number in "12":
        await history.add(BEN, message("a", id=f"1{number}", speaker_id=f"user4{number}"))
        planned += await history.plan(BEN, f"1{number}", [f"to {number}"], "text")
    await history.drop("telegram", "42")
    assert [await history.stands(draft) for draft in planned] == [True, False]
    assert await history.question(ANN) == Question("2", "user43")
    assert await history.plan(ANN, "2", [], "text") == []
    assert await history.question(ANN) is None
    assert await history.question(elsewhere) == Question("2", "user43")


async def test_a_place_that_is_shut_out_is_owed_nothing(
    history: History, message: MakeMessage
) -> None:
    topic = ChatId("telegram", "8", "4")
    for chat in (ANN, BEN, topic):
        await history.add(chat, message("hm"), asks=True)
    await history.plan(BEN, "1", ["planned"], "text", "")
    await history.drop("telegram", "8")
    assert await history.drafts(BEN) == []
    assert [await history.question(chat) for chat in (BEN, topic)] == [None, None]
    assert await history.question(ANN) == Question("1", "user1")


async def test_another_process_plans_nothing_for_whom_this_one_was_told_to_shut_out(
    database_url: str, message: MakeMessage
) -> None:
    store, elsewhere = await Store.open(database_url), ChatId("discord", "7")
    for chat in (ANN, BEN, elsewhere):
        await store.add(chat, message("hi", speaker_id="user42"), asks=True)
    await store.sign(Guest("telegram", "42", "Bob", "denied"))
    assert await store.plan(ANN, "1", ["one"], "text") == []
    assert await store.plan(BEN, "1", ["one"], "text", "") == []
    assert [await store.question(chat) for chat in (ANN, BEN)] == [None, None]
    assert len(await store.plan(elsewhere, "1", ["one"], "text")) == 1
    await store.close()


async def test_who_asked_beside_one_whom_another_process_shut_out_goes_on_waiting(
    database_url: str, message: MakeMessage
) -> None:
    store = await Store.open(database_url)
    await store.add(ANN, message("Robin?", id="1", speaker_id="user41"), asks=True)
    await store.add(ANN, message("me, too", id="2", speaker_id="user42"), asks=True)
    await store.sign(Guest("telegram", "42", "Bob", "denied"))
    for texts in (["to Bob"], []):
        assert await store.plan(ANN, "2", texts, "text", "2") == []
        assert await store.question(ANN) == Question("1", "user41")
    assert len(await store.plan(ANN, "2", ["to Ann"], "text", "1")) == 1
    await store.close()


@pytest.mark.slow
async def test_who_asked_beside_one_whom_another_process_shut_out_is_answered(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    gate = asyncio.Event()
    talk, outlet = conversation([gate, "to Bob"], ["to Ann"]), fake_outlet()
    await talk.hear(ANN, message("Robin?", id="1"))
    await talk.hear(ANN, message("me, too", id="2", speaker_id="user42", speaker="Bob"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    await store.sign(Guest("telegram", "42", "Bob", "denied"))
    gate.set()
    await asyncio.wait_for(answer, 10)
    assert (outlet.sent, outlet.answers) == (["to Ann"], ["1"])


async def test_the_owner_is_answered_in_a_place_that_is_shut_out(
    database_url: str, message: MakeMessage
) -> None:
    store = await Store.open(database_url)
    await store.sign(Guest("telegram", ANN.chat, "The band", "denied"))
    await store.add(ANN, message("hi"), asks=True)
    assert len(await store.plan(ANN, "1", ["one"], "text")) == 1
    await store.close()
