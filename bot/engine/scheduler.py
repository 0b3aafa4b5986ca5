"""One thread that owns the model: replies of many chats join and leave its batch at any token."""

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bot.engine.batching import Want, plan
from bot.engine.models import Model, Reading
from likeness.errors import ModelError

_BROKEN = "The engine broke down and writes no more replies: start it again."

T = TypeVar("T")
Steps = Generator[T | list[Reading], Any, None]
"""Work on a model. It yields what shall be read, and is sent the logits of each reading, a list of
`(wanted, V)`; anything else that it yields goes to whoever asked for the work."""


class Scheduler:
    """Takes the work under way forward, all of it by one step of the model at a time.

    A long text is read in pieces, so that it holds up the others by a short while at each of their
    tokens, and a step of the model never takes long. Work that fails ends alone.
    """

    def __init__(self, model: Model, at_once: int = 64) -> None:
        """Start the thread; it does not keep the process alive.

        Args:
            model: What reads; nobody else may use it.
            at_once: How much work is under way; the rest waits in the order in which it came.
        """
        self._model = model
        self._at_once = at_once
        self._inbox: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="reply-engine", daemon=True)
        self._thread.start()

    async def stream(self, steps: Steps[T]) -> AsyncGenerator[T, None]:
        """Yield what some work gives; closing this stops it before the model's next step.

        Raises:
            ModelError: The scheduler is closed.
            Exception: What the work raised.
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
        """End all work after the model's current step, and the thread with it."""
        self._closing = True
        self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        active: list[_Job[Any]] = []
        try:
            while not self._closing:
                for job in active:
                    if job.dropped:
                        job.end()
                active[:] = [job for job in active if not job.ended]
                self._admit(active)
                self._step(active)
        finally:
            broken, self._closing = not self._closing, True
            for job in (*active, *self._waiting()):
                job.fail(ModelError(_BROKEN)) if broken else job.end()

    def _step(self, active: "list[_Job[Any]]") -> None:
        """Take all work forward by one step of the model."""
        wants = [(job, want) for job in active for want in job.wants if want.left]
        job_of = {id(want): job for job, want in wants}
        batch = plan([want for _, want in wants])
        if batch:
            self._read([_Piece(job_of[id(want)], want, part) for want, part in batch])
        for job in active:
            if not job.ended and not any(want.left for want in job.wants):
                job.advance()

    def _admit(self, active: "list[_Job[Any]]") -> None:
        """Let waiting work in while there is room; sleep where there is nothing to do."""
        while len(active) < self._at_once:
            try:
                job = self._inbox.get(block=not active and not self._closing)
            except queue.Empty:
                return
            if job is None:
                return
            if not job.dropped:
                active.append(job)
                job.advance()

    def _waiting(self) -> "list[_Job[Any]]":
        jobs = [self._inbox.get() for _ in range(self._inbox.qsize())]
        return [job for job in jobs if job is not None]

    def _read(self, batch: "list[_Piece]") -> None:
        """Read pieces in one step; if that fails, each alone, so that only the ill one ends."""
        before = [piece.reading.cache.length for piece in batch]
        try:
            found = self._model.read([piece.reading for piece in batch])
        except Exception as error:  # noqa: BLE001 (whoever asked gets it)
            if len(batch) == 1:
                batch[0].job.fail(_told(error))
                return
            for piece, length in zip(batch, before, strict=True):
                if not piece.job.ended:
                    self._read_again(piece, length)
            return
        for piece, logits in zip(batch, found, strict=True):
            piece.want.take(piece.reading, logits)

    def _read_again(self, piece: "_Piece", length: int) -> None:
        try:
            piece.reading.cache.cut(length)
        except Exception as error:  # noqa: BLE001 (whoever asked gets it)
            piece.job.fail(error)
        else:
            self._read([piece])


def _told(error: Exception) -> Exception:
    """Return what to tell whoever asked: of a want of memory a sentence."""
    if not isinstance(error, MemoryError):
        return error
    told = ModelError("There is not enough memory for this reply: the model reads no more now.")
    told.__cause__ = error
    return told


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is read in one step for one reading of some work."""

    job: "_Job[Any]"
    want: Want
    reading: Reading


@dataclass(slots=True)
class _Job(Generic[T]):
    """Work on its way from the thread to the event loop that asked for it."""

    steps: Steps[T]
    loop: asyncio.AbstractEventLoop
    outcomes: asyncio.Queue[T | Exception | None] = field(default_factory=asyncio.Queue)
    wants: list[Want] = field(default_factory=list)
    dropped: bool = False
    ended: bool = False

    def advance(self) -> None:
        """Give the work what it asked for, and learn what it wants next."""
        found = [want.logits for want in self.wants] if self.wants else None
        try:
            outcome = self.steps.send(found)
            while not isinstance(outcome, list):
                self._tell(outcome)
                outcome = next(self.steps)
        except StopIteration:
            self._finish(None)
        except Exception as error:  # noqa: BLE001 (whoever asked gets it)
            self._finish(error)
        else:
            self.wants = [Want(reading, len(reading.ids)) for reading in outcome]

    def fail(self, error: Exception) -> None:
        """End the work as one that failed, from inside, so that it can tidy up."""
        try:
            self.steps.throw(error)
        except Exception as raised:  # noqa: BLE001 (whoever asked gets it)
            error = raised
        self.steps.close()
        self._finish(error)

    def end(self) -> None:
        """Stop here; whoever asked sees the work end."""
        self.steps.close()
        self._finish(None)

    def _finish(self, outcome: Exception | None) -> None:
        self.ended, self.wants = True, []
        self._tell(outcome)

    def _tell(self, outcome: T | Exception | None) -> None:
        try:
            self.loop.call_soon_threadsafe(self.outcomes.put_nowait, outcome)
        except RuntimeError:  # the event loop is closed, and nobody listens
            self.dropped = True
