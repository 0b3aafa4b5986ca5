"""What becomes of a conversation that is reset, taken back, set or stopped."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.access import Access, Visitor
from bot.commands import STOPPED, obey
from bot.conversation import Conversation
from bot.engine import Sampling
from bot.orders import Order
from bot.pace import Customs, Manner
from bot.store import Store
from tests.bot.conftest import ANN, BEN, NOON, NOW, settle

Make = Callable[..., Any]


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


@pytest.mark.slow
async def test_what_is_written_after_a_reset_is_answered_though_the_reset_waits_for_an_answer(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet = conversation(["one", asyncio.Event(), "never"], ["new"]), fake_outlet()
    await talk.hear(ANN, message("first", id="1"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    reset = asyncio.create_task(talk.reset(ANN))
    await settle()
    assert not reset.done()
    await talk.hear(ANN, message("hello again", id="2"))
    await asyncio.gather(answer, reset)
    assert outlet.sent == ["one", "new"]
    assert [m.text for m in talk.voice.engine.asked[-1]] == ["hello again"]
    assert [m.text for m in await store.recent(ANN, 9)] == ["hello again", "new"]


@pytest.mark.slow
async def test_the_rest_of_an_answer_that_a_reset_waits_for_is_out_of_sight_too(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    gate = asyncio.Event()
    talk, outlet = conversation(["one", gate, "two"]), fake_outlet()
    await talk.hear(ANN, message("first", id="1"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    reset = asyncio.create_task(talk.reset(ANN))
    await settle()
    gate.set()
    await asyncio.gather(answer, reset)
    assert outlet.sent == ["one", "two"]
    assert await store.recent(ANN, 9) == []


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


async def test_another_answer_is_to_whom_the_first_was_and_leaves_others_words_in_sight(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet = conversation(["one"], ["another"]), fake_outlet()
    await talk.hear(ANN, message("Robin?", id="1"))
    await talk.hear(ANN, message("lol", id="2", speaker_id="user2", speaker="Bob"), asks=False)
    for _ in range(2):
        await talk.respond(outlet)
        assert await talk.take_back(ANN, question=False)
        assert [m.text for m in await store.recent(ANN, 9)] == ["Robin?", "lol"]
    await talk.respond(outlet)
    assert outlet.sent == ["one", "another", "ok"]
    assert outlet.answers == ["1", "1", "1"]


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


@pytest.mark.slow
async def test_who_is_forgotten_gets_no_answer_any_more_that_was_being_written(
    store: Store, fake_engine: Make, fake_outlet: Make, message: Make
) -> None:
    gate = asyncio.Event()
    engine, outlet, elsewhere = fake_engine([gate, "secret"]), fake_outlet(), fake_outlet(BEN)
    talk = Conversation(store, engine, clock=lambda: NOW)
    await talk.hear(ANN, message("secret"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    await talk.hear(BEN, message("hi", speaker_id="user8"))
    await talk.respond(elsewhere)
    ann, access = Visitor("telegram", "7", "user1", "Ann"), Access("telegram", store)
    reply = await obey(Order(talk, access, ann, ANN, owner=False, name="forgetme", words="7"))
    gate.set()
    await answer
    assert "I have deleted 1 message and" in reply.text
    assert (outlet.sent, elsewhere.sent) == ([], ["ok"])
    assert await store.of_person("telegram", "user1") == []
    assert await store.owed("telegram", NOON, 9) == []


async def test_who_asked_is_answered_though_somebody_else_is_forgotten_meanwhile(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    gate = asyncio.Event()
    talk, outlet = conversation([gate, "to both"], ["to Ann"]), fake_outlet()
    await talk.hear(ANN, message("Robin?", id="1"))
    await talk.hear(ANN, message("lol", id="2", speaker_id="user2", speaker="Bob"), asks=False)
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    await talk.erase("telegram", "user2")
    gate.set()
    await asyncio.wait_for(answer, 10)
    assert (outlet.sent, outlet.answers) == (["to Ann"], ["1"])
    assert await store.owed("telegram", NOON, 9) == []


@pytest.mark.slow
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


async def test_another_answer_is_refused_while_the_bot_is_stopped_and_not_given_afterwards(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet, access = conversation(), fake_outlet(), Access("telegram", store)
    ann = Visitor("telegram", "7", "user1", "Ann")
    await talk.hear(ANN, message("hi"))
    await talk.respond(outlet)
    await talk.stop()
    reply = await obey(Order(talk, access, ann, ANN, owner=False, name="again"))
    assert (reply.text, reply.asks_anew) == (STOPPED, False)
    assert [m.text for m in await store.recent(ANN, 9)] == ["hi", "ok"]
    await talk.go()
    assert await store.owed("telegram", NOON, 9) == []
    reply = await obey(Order(talk, access, ann, ANN, owner=False, name="again"))
    assert reply.asks_anew
