"""What was deleted or taken back is not answered, however far its answer has got."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.conversation import Conversation
from bot.pace import Manner
from bot.store import Store
from tests.bot.conftest import ANN, NOW, settle

Make = Callable[..., Any]


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True], ids=["a message", "a person"])
async def test_what_is_deleted_in_the_pause_before_its_answer_is_not_answered(
    store: Store, fake_engine: Make, fake_outlet: Make, message: Make, *, whole: bool
) -> None:
    engine, outlet, gate = fake_engine(["to Ben"]), fake_outlet(), asyncio.Event()
    talk = Conversation(store, engine, manner=Manner(pause_seconds=0.01), clock=lambda: NOW)
    await talk.hear(ANN, message("hello", id="1", speaker_id="Ben"))
    await talk.respond(outlet)

    async def in_a_while(*_: object, **__: object) -> None:
        await gate.wait()

    engine.card = replace(engine.card, foresight={"finished": [1.0, 0.0]})
    engine.outlook = in_a_while
    await talk.hear(ANN, message("my secret", id="2", speaker_id="Ann"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    await (talk.erase("telegram", "Ann") if whole else store.delete("telegram", "7", {"2"}))
    gate.set()
    await answer
    assert outlet.sent == ["to Ben"]
    assert len(engine.asked) == 1


async def test_what_is_deleted_while_its_answer_is_written_is_not_answered_though_others_wrote(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    gate = asyncio.Event()
    talk, outlet = conversation([gate, "about a secret"], ["to Ben"]), fake_outlet()
    await talk.hear(ANN, message("lunch?", id="1", speaker_id="Ben"))
    await talk.hear(ANN, message("my secret?", id="2", speaker_id="Ann"))
    await talk.hear(ANN, message("so he said no", id="3", speaker_id="Cleo"), asks=False)
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    await store.delete("telegram", "7", {"2"})
    gate.set()
    await answer
    assert (outlet.sent, outlet.answers) == (["to Ben"], ["1"])


async def elsewhere_deleted(store: Store) -> None:
    await store.delete("telegram", "7", {"1"})


async def elsewhere_forgotten(store: Store) -> None:
    await store.erase("telegram", "user1")


async def elsewhere_reset(store: Store) -> None:
    await store.forget(ANN)


async def elsewhere_stopped(store: Store) -> None:
    await store.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    "meanwhile", [elsewhere_deleted, elsewhere_forgotten, elsewhere_reset, elsewhere_stopped]
)
async def test_what_is_taken_back_while_it_is_typed_is_not_sent(
    store: Store,
    fake_engine: Make,
    fake_outlet: Make,
    message: Make,
    meanwhile: Callable[[Store], Awaitable[None]],
) -> None:
    engine, outlet = fake_engine(["one", "two"]), fake_outlet()
    talk = Conversation(store, engine, manner=Manner(pace="natural"), clock=lambda: NOW)
    await talk.hear(ANN, message("hi", id="1"))
    answer = asyncio.create_task(talk.respond(outlet))
    async with asyncio.timeout(5):
        while [draft.text for draft in await store.drafts(ANN)] != ["two"]:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    await meanwhile(store)
    await answer
    assert outlet.sent == ["one"]


async def test_what_is_taken_back_while_what_was_left_is_sent_is_not_sent(
    conversation: Make, fake_outlet: Make, message: Make, store: Store
) -> None:
    talk, outlet = conversation(), fake_outlet()
    for id_ in ("1", "2"):
        await store.add(ANN, message("hi", id=id_), asks=True)
        await store.plan(ANN, id_, [f"to {id_}"], "text")
    sent = store.sent

    async def sent_then_deleted(*args: Any) -> None:
        await sent(*args)
        await store.delete("telegram", "7", {"2"})

    store.sent = sent_then_deleted  # type: ignore[method-assign]
    await talk.respond(outlet)
    assert outlet.sent == ["to 1"]


async def test_what_is_written_while_an_undone_answer_is_on_its_way_is_answered(
    store: Store, fake_engine: Make, fake_outlet: Make, message: Make
) -> None:
    gate, outlet = asyncio.Event(), fake_outlet()
    talk = Conversation(store, fake_engine(["to a"], ["to b"]), clock=lambda: NOW)
    send = outlet.send

    async def slowly(*args: Any) -> str:
        await gate.wait()
        said: str = await send(*args)
        return said

    outlet.send = slowly
    await talk.hear(ANN, message("a", id="1"))
    answer = asyncio.create_task(talk.respond(outlet))
    await settle()
    undone = asyncio.create_task(talk.take_back(ANN, question=True))
    await talk.hear(ANN, message("b", id="2"))
    gate.set()
    await asyncio.gather(answer, undone)
    assert (outlet.sent, outlet.answers) == (["to a", "to b"], ["1", "2"])
    assert [m.text for m in await store.recent(ANN, 9)] == ["b", "to b"]
