"""Many replies in one thread: fair, separate, stopped at once."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from bot.engine.worker import Steps, Worker
from likeness.dialogue import Part
from likeness.errors import ModelError


@pytest.fixture
def order() -> list[str]:
    """Keep what steps were taken, in order."""
    return []


@pytest.fixture
async def worker() -> Iterator[Worker]:
    worker = Worker(at_once=2)
    yield worker
    await worker.close()


def steps(name: str, count: int, order: list[str], gate: threading.Event | None = None) -> Steps:
    try:
        if gate is not None:
            gate.wait()
        for number in range(count):
            order.append(name)
            yield Part(f"{name}{number}") if number % 2 else None
    finally:
        order.append(f"{name} ended")


async def collect(worker: Worker, found: Steps) -> list[str]:
    return [part.text async for part in worker.stream(found)]


async def test_replies_take_turns_and_late_ones_wait_for_a_place(
    worker: Worker, order: list[str]
) -> None:
    gate = threading.Event()
    replies = [asyncio.create_task(collect(worker, steps(name, 4, order, gate))) for name in "abc"]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*replies) == [[f"{name}1", f"{name}3"] for name in "abc"]
    assert [name for name in order if "ended" not in name] == list("ababababcccc")


async def test_a_reply_that_fails_ends_alone(worker: Worker, order: list[str]) -> None:
    def broken() -> Steps:
        yield Part("first")
        raise ValueError("broken")

    async def read_broken() -> list[str]:
        return await collect(worker, broken())

    well, ill = await asyncio.gather(
        collect(worker, steps("a", 4, order)), read_broken(), return_exceptions=True
    )
    assert well == ["a1", "a3"]
    assert isinstance(ill, ValueError)


async def test_closing_a_stream_stops_its_steps(worker: Worker, order: list[str]) -> None:
    async with aclosing(worker.stream(steps("endless", 10**9, order))) as parts:
        assert (await anext(parts)).text == "endless1"
    assert await collect(worker, steps("next", 4, order)) == ["next1", "next3"]
    assert "endless ended" in order
    assert "endless" not in order[order.index("endless ended") :]


async def test_a_dropped_reply_that_waits_never_begins(worker: Worker, order: list[str]) -> None:
    gate = threading.Event()
    busy = [asyncio.create_task(collect(worker, steps(n, 2, order, gate))) for n in "ab"]
    dropped = asyncio.create_task(collect(worker, steps("dropped", 2, order)))
    await asyncio.sleep(0)
    dropped.cancel()
    await asyncio.gather(dropped, return_exceptions=True)
    gate.set()
    await asyncio.gather(*busy)
    assert await collect(worker, steps("c", 2, order)) == ["c1"]
    assert "dropped" not in order


async def test_closing_ends_what_runs_and_what_waits(order: list[str]) -> None:
    worker = Worker(at_once=1)
    streams = [worker.stream(steps(name, 10**9, order)) for name in "ab"]
    assert (await anext(streams[0])).text == "a1"
    waiting = asyncio.create_task(anext(streams[1], None))
    await asyncio.sleep(0)
    await worker.close()
    assert await waiting is None
    assert order.count("a ended") == 1
    assert "b" not in order
    with pytest.raises(ModelError, match="closed"):
        await collect(worker, steps("late", 1, order))
    assert not any(
        thread.name == "reply-engine" and thread.is_alive() for thread in [worker._thread]
    )
