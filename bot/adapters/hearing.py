"""Events of a platform that tells each only once: taken in order, and kept in spite of faults."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from bot.adapters.delivery import Patience
from likeness.errors import DatabaseError

log = logging.getLogger(__name__)

T = TypeVar("T")


class Hearing:
    """Has one event after another dealt with, though each is a task of its own.

    What cannot be kept holds up what came after it. Otherwise that would be kept, and nobody would
    look for what came before.
    """

    def __init__(self, platform: str, patience: Patience) -> None:
        """Hear nothing yet."""
        self._platform = platform
        self._patience = patience
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until all that came before is dealt with; what comes later waits until left."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in one
        self._tasks.add(task)
        try:
            async with self._turn:
                yield
        finally:
            self._tasks.discard(task)

    async def insist(self, keep: Callable[[], Awaitable[T]]) -> T:
        """Do what needs the database, again and again until that can be used."""
        for wait in self._patience.waits():
            try:
                return await keep()
            except DatabaseError as error:
                log.warning("%s: %s; trying again in %.0f s", self._platform, error, wait)
            await asyncio.sleep(wait)
        raise AssertionError("the waits have no end")

    def end(self) -> None:
        """Break off what is being dealt with, and what waits; the next login looks it up."""
        for task in self._tasks:
            task.cancel()
