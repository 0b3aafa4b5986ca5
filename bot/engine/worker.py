"""One thread that writes many replies at once, a token of each in turn."""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field

from likeness.dialogue import Part
from likeness.errors import ModelError

Steps = Generator[Part | None, None, None]
"""A reply being written: one step a token, None where no message became whole."""


class Worker:
    """Goes round the replies being written, one step each, off the event loop.

    Only `at_once` replies are under way; the others wait in the order in which they were asked
    for. A reply that fails ends alone.
    """

    def __init__(self, at_once: int = 8) -> None:
        """Start the thread; it does not keep the process alive."""
        self._at_once = at_once
        self._inbox: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="reply-engine", daemon=True)
        self._thread.start()

    async def stream(self, steps: Steps) -> AsyncGenerator[Part, None]:
        """Yield the messages of a reply; closing this stops its steps after the current one.

        Raises:
            ModelError: The worker is closed.
            Exception: What a step raised.
        """
        if self._closing:
            raise ModelError("The engine is closed and writes no more replies.")
        job = _Job(steps, asyncio.get_running_loop())
        self._inbox.put(job)
        try:
            while (outcome := await job.outcomes.get()) is not None:
                if isinstance(outcome, Exception):
                    raise outcome
                yield outcome
        finally:
            job.dropped = True

    async def close(self) -> None:
        """End all replies after their current step, and the thread with them."""
        self._closing = True
        self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        active: deque[_Job] = deque()
        while not self._closing:
            self._admit(active)
            if active and active[0].step():
                active.rotate(-1)
            elif active:
                active.popleft()
        self._at_once = self._inbox.qsize() + len(active)
        self._admit(active)
        for job in active:
            job.end()

    def _admit(self, active: "deque[_Job]") -> None:
        """Let waiting replies in while there is room; sleep where there is nothing to do."""
        while len(active) < self._at_once:
            try:
                job = self._inbox.get(block=not active and not self._closing)
            except queue.Empty:
                return
            if job is None:
                return
            active.append(job)


@dataclass(slots=True)
class _Job:
    """A reply on its way from the thread to the event loop that asked for it."""

    steps: Steps
    loop: asyncio.AbstractEventLoop
    outcomes: asyncio.Queue[Part | Exception | None] = field(default_factory=asyncio.Queue)
    dropped: bool = False

    def step(self) -> bool:
        """Take one step; return whether there is more to do."""
        if self.dropped:
            self.steps.close()
            return False
        try:
            part = next(self.steps)
        except StopIteration:
            self._tell(None)
            return False
        except Exception as error:  # noqa: BLE001 (whoever asked gets it)
            self._tell(error)
            return False
        if part is not None:
            self._tell(part)
        return True

    def end(self) -> None:
        """Stop here; whoever asked sees the reply end."""
        self.steps.close()
        self._tell(None)

    def _tell(self, outcome: Part | Exception | None) -> None:
        try:
            self.loop.call_soon_threadsafe(self.outcomes.put_nowait, outcome)
        except RuntimeError:  # the event loop is closed, and nobody listens
            self.dropped = True
