"""Many replies in one thread: together at every token, fair, separate, stopped at once."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from bot.engine.models import Reading
from bot.engine.scheduler import Scheduler, Steps
from likeness.errors import ModelError

ENDLESS = 250


@pytest.fixture
async def scheduler(toy: Any) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(toy, at_once=3)
    yield scheduler
    await scheduler.close()


@pytest.fixture
def gate(toy: Any) -> threading.Event:
    """Hold the model before its first step until the gate is opened."""
    gate = threading.Event()
    toy.at_step = lambda _: gate.wait()
    return gate


def steps(toy: Any, name: str, count: int, prompt: int = 1) -> Steps[str]:
    """Read a prompt and then one token after the other, telling each."""
    cache = toy.cache()
    ids = [ord(name)] * prompt
    try:
        for number in range(count):
            (found,) = yield [Reading(cache, ids)]
            assert found.shape == (1, toy.vocabulary)
            ids = [number % 9]
            yield f"{name}{number}"
    finally:
        cache.close()


async def collect(scheduler: Scheduler, found: Steps[str]) -> list[str]:
    return [item async for item in scheduler.stream(found)]


async def test_all_work_goes_forward_in_the_same_step(
    scheduler: Scheduler, toy: Any, gate: threading.Event
) -> None:
    replies = [asyncio.create_task(collect(scheduler, steps(toy, name, 4))) for name in "abcd"]
    await asyncio.sleep(0.01)
    gate.set()
    found = await asyncio.gather(*replies)
    assert found == [[f"{name}{number}" for number in range(4)] for name in "abcd"]
    assert max(map(len, toy.steps)) == 3  # the fourth had to wait for a place
    assert sum(map(len, toy.steps)) == 16
    assert len(toy.steps) <= 4 + 1 + 4


async def test_a_long_text_is_read_in_pieces_beside_replies_that_wait(
    scheduler: Scheduler, toy: Any, gate: threading.Event
) -> None:
    short = asyncio.create_task(collect(scheduler, steps(toy, "a", 9)))
    long = asyncio.create_task(collect(scheduler, steps(toy, "b", 2, prompt=200)))
    await asyncio.sleep(0.01)
    gate.set()
    assert await asyncio.gather(short, long) == [[f"a{n}" for n in range(9)], ["b0", "b1"]]
    together = [step for step in toy.steps if len(step) == 2]
    assert [step[1] for step in together[:4]] in ([64, 64, 64, 8], [64, 64, 64, 1])
    assert sum(map(sum, toy.steps)) == 9 + 201


async def test_several_long_texts_share_what_a_step_reads_beside_replies(
    scheduler: Scheduler, toy: Any, gate: threading.Event
) -> None:
    short = asyncio.create_task(collect(scheduler, steps(toy, "a", 9)))
    long = [
        asyncio.create_task(collect(scheduler, steps(toy, name, 1, prompt=200))) for name in "bc"
    ]
    await asyncio.sleep(0.01)
    gate.set()
    await asyncio.gather(short, *long)
    together = [step for step in toy.steps if 1 in step]
    assert 64 < max(sum(step) for step in together) <= 1 + 64 + 8  # so few are short
    assert sum(map(sum, toy.steps)) == 9 + 2 * 200


async def test_logits_of_the_last_tokens_come_whatever_the_pieces(
    scheduler: Scheduler, toy: Any
) -> None:
    ids = [number % 7 for number in range(250)]

    def score(wanted: int) -> Steps[Any]:
        cache = toy.cache()
        (found,) = yield [Reading(cache, ids, wanted)]
        cache.close()
        yield found

    (whole,) = toy.read([Reading(toy.cache(), ids, 250)])
    toy.open.clear()
    for wanted in (1, 70, 250):
        found, busy = await asyncio.gather(
            anext(scheduler.stream(score(wanted))), collect(scheduler, steps(toy, "a", 9))
        )
        assert len(busy) == 9
        assert (found == whole[-wanted:]).all()


async def test_work_may_read_several_texts_at_once(scheduler: Scheduler, toy: Any) -> None:
    def two() -> Steps[int]:
        caches = [toy.cache(), toy.cache()]
        found = yield [Reading(caches[0], [1, 2, 3]), Reading(caches[1], [4] * 100)]
        for cache in caches:
            cache.close()
        yield len(found)

    assert [item async for item in scheduler.stream(two())] == [2]


async def test_work_that_fails_ends_alone(scheduler: Scheduler, toy: Any) -> None:
    def broken() -> Steps[str]:
        yield "first"
        raise ValueError("broken")

    well, ill = await asyncio.gather(
        collect(scheduler, steps(toy, "a", 4)),
        collect(scheduler, broken()),
        return_exceptions=True,
    )
    assert well == ["a0", "a1", "a2", "a3"]
    assert isinstance(ill, ValueError)


async def test_a_text_at_which_the_model_fails_takes_no_other_with_it(
    scheduler: Scheduler, toy: Any, gate: threading.Event
) -> None:
    def read(readings: Sequence[Reading]) -> None:
        gate.wait()
        if any(ord("x") in reading.ids for reading in readings):
            readings[0].cache.ids.append(1)  # half of the step was done
            raise RuntimeError("out of numbers")

    toy.at_step = read
    names = ["a", "x", "b"]
    asked = [asyncio.create_task(collect(scheduler, steps(toy, name, 4))) for name in names]
    await asyncio.sleep(0.01)
    gate.set()
    a, x, b = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(x, RuntimeError)
    assert (a, b) == ([f"a{n}" for n in range(4)], [f"b{n}" for n in range(4)])
    assert not toy.open


async def test_a_want_of_memory_is_told_in_a_sentence(scheduler: Scheduler, toy: Any) -> None:
    def full(_: Sequence[Reading]) -> None:
        raise MemoryError

    toy.at_step = full
    with pytest.raises(ModelError, match="not enough memory for this reply"):
        await collect(scheduler, steps(toy, "a", 4))
    toy.at_step = lambda _: None
    assert await collect(scheduler, steps(toy, "b", 2)) == ["b0", "b1"]


async def test_closing_a_stream_stops_its_work_before_the_next_step(
    scheduler: Scheduler, toy: Any
) -> None:
    closed = threading.Event()
    toy.at_step = lambda _: len(toy.steps) < 5 or closed.wait()
    async with aclosing(scheduler.stream(steps(toy, "a", ENDLESS))) as items:
        assert await anext(items) == "a0"
    closed.set()
    assert await collect(scheduler, steps(toy, "b", 2)) == ["b0", "b1"]
    assert sum(map(sum, toy.steps)) <= 6 + 2
    assert not toy.open


async def test_dropped_work_that_waits_never_begins(
    scheduler: Scheduler, toy: Any, gate: threading.Event
) -> None:
    busy = [asyncio.create_task(collect(scheduler, steps(toy, name, 2))) for name in "abc"]
    dropped = asyncio.create_task(collect(scheduler, steps(toy, "x", 2)))
    await asyncio.sleep(0.01)
    dropped.cancel()
    await asyncio.gather(dropped, return_exceptions=True)
    gate.set()
    await asyncio.gather(*busy)
    assert sum(map(len, toy.steps)) == 6


async def test_closing_ends_what_runs_and_what_waits(toy: Any) -> None:
    scheduler = Scheduler(toy, at_once=1)
    closing = threading.Event()
    toy.at_step = lambda _: len(toy.steps) < 3 or closing.wait()
    streams = [scheduler.stream(steps(toy, name, ENDLESS)) for name in "ab"]
    assert await anext(streams[0]) == "a0"
    waiting = asyncio.create_task(anext(streams[1], None))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.01, closing.set)
    await scheduler.close()
    assert await waiting is None
    assert not toy.open
    assert not scheduler._thread.is_alive()
    with pytest.raises(ModelError, match="closed"):
        await collect(scheduler, steps(toy, "late", 1))


async def test_a_fault_of_the_scheduler_itself_fails_all_work_instead_of_hanging(
    toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        both_came.wait(5)
        raise ZeroDivisionError

    faults: list[object] = []
    both_came = threading.Event()
    monkeypatch.setattr(threading, "excepthook", faults.append)
    monkeypatch.setattr("bot.engine.scheduler.plan", fail)
    scheduler = Scheduler(toy, at_once=1)
    work = [collect(scheduler, steps(toy, name, 3)) for name in "ab"]  # the second one waits
    asyncio.get_running_loop().call_later(0.02, both_came.set)
    failed = await asyncio.gather(*work, return_exceptions=True)
    assert all(isinstance(each, ModelError) for each in failed)
    await scheduler.close()
    assert not toy.open
    assert len(faults) == 1
