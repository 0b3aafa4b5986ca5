"""What interrupts an answer: somebody who writes on, a cancellation, the end of the process."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.conversation import Conversation
from bot.pace import Manner
from bot.store import Store
from tests.bot.conftest import ANN, BEN, NOW, settle

Make = Callable[..., Any]


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


@pytest.mark.slow
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
