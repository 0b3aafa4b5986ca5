"""What is being answered at this moment, on one platform: many chats beside each other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine

from bot.adapters import delivery
from bot.history import ChatId
from bot.outlet import NotDelivered
from likeness.errors import LikenessError

log = logging.getLogger(__name__)

SHARED_SECONDS = 1.0
"""How often to look for what another process has heard."""


class Answers:
    """What is being answered at this moment, many chats beside each other, up to a limit.

    What comes beyond the limit is not forgotten, for the database knows that it waits: it is
    looked up there as soon as there is room. So is, after a while, what failed and may yet work.
    """

    def __init__(
        self,
        limit: int,
        owed: Callable[[int], Awaitable[int]] | None = None,
        retry_seconds: float = 5.0,
        again_seconds: float = 60.0,
    ) -> None:
        """Take what it needs to know.

        Args:
            limit: How many may run at once.
            owed: Starts up to so many that wait, and tells how many; without it, what finds no
                room is dropped.
            retry_seconds: How long to wait when those could not be looked up.
            again_seconds: How long to wait before what failed is tried again.
        """
        self._limit = limit
        self._owed = owed
        self._retry_seconds = retry_seconds
        self._again_seconds = again_seconds
        self._later: asyncio.TimerHandle | None = None
        self._left_out = False
        self._wanted = False
        self._ended = False
        self._tasks: set[asyncio.Task[bool]] = set()
        self._looking: asyncio.Task[bool] | None = None
        self._keeping: asyncio.Task[None] | None = None

    def start(self, chat: ChatId, answer: Coroutine[object, object, None]) -> None:
        """Run an answer; what goes wrong in it is logged, without anybody's words."""
        if len(self._tasks) >= self._limit:
            self._left_out = True
            answer.close()
            return
        task = _started(chat, answer)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def refill(self) -> None:
        """Start what waits, as far as there is room; also what came while it was looked up."""
        self._wanted = True
        if self._owed is None or self._ended:
            return
        if self._looking is None or self._looking.done():
            self._looking = _started(None, self._look_up(self._owed))

    def refill_later(self) -> None:
        """Start in a while what waits, as something could not be done now."""
        if self._owed is None or self._ended or self._later is not None:
            return
        self._later = asyncio.get_running_loop().call_later(self._again_seconds, self._refill)

    def _refill(self) -> None:
        self._later = None
        self.refill()

    def keep_looking(self) -> None:
        """Start from now on what other processes have heard, too."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep_looking())

    async def _keep_looking(self) -> None:
        while True:
            self.refill()
            await asyncio.sleep(SHARED_SECONDS)

    async def _look_up(self, owed: Callable[[int], Awaitable[int]]) -> None:
        while self._wanted:
            self._wanted = self._left_out = False
            room = self._limit - len(self._tasks)
            try:
                found = await owed(room)
            except LikenessError as error:
                log.warning("%s; trying again in %.0f s", error, self._retry_seconds)
                self._wanted = True
                await asyncio.sleep(self._retry_seconds)
            else:
                self._left_out = self._left_out or found >= room

    def _done(self, task: asyncio.Task[bool]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and not task.result():
            self.refill_later()
        if self._left_out and not self._ended and len(self._tasks) <= self._limit // 2:
            self.refill()

    async def finish(self, grace_seconds: float) -> None:
        """Give the answers being written some time, then stop them; what waits stays for later."""
        self._ended = True
        if self._later is not None:
            self._later.cancel()
        for looking in filter(None, (self._keeping, self._looking)):
            looking.cancel()
            await asyncio.wait([looking])
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _started(chat: ChatId | None, work: Coroutine[object, object, None]) -> asyncio.Task[bool]:
    """Run work as a task; if that is cancelled before its first step, the work is closed, too."""
    task = asyncio.create_task(_guarded(chat, work))
    task.add_done_callback(lambda _: work.close())
    return task


async def _guarded(chat: ChatId | None, work: Coroutine[object, object, None]) -> bool:
    """Do work, and log what goes wrong; return False if it may work later."""
    place = chat or "what was left to answer"
    try:
        await work
    except NotDelivered as error:
        log.warning("%s: an answer could not be sent: %s", place, error)
        return error.final
    except LikenessError as error:
        log.error("%s: %s", place, error)  # noqa: TRY400 (one sentence is all there is)
        return False
    except Exception as error:  # noqa: BLE001 (one chat must not end the bot)
        log.error("%s: an answer failed: %s", place, delivery.wordless(error))  # noqa: TRY400
    return True
