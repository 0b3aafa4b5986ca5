"""What every platform asks of an adapter: patience, answers beside each other, text that fits."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from bot.history import ChatId
from bot.outlet import NotDelivered
from likeness.errors import LikenessError

log = logging.getLogger(__name__)

T = TypeVar("T")

Pause = Callable[[Exception], float | None]
"""Says of an error how many seconds to wait at least before the next try; None: do not try."""

SHARED_SECONDS = 1.0
"""How often to look for what another process has heard."""
NOTHING = "…"
"""Sent where a message would be empty, which no platform takes."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an adapter waits for what.

    Attributes:
        first_wait_seconds: Before the second try of what failed; each further wait is doubled.
        longest_wait_seconds: No wait of that kind is longer.
        sends: How often a message is tried before it is given up.
        send_seconds: How long one try may take.
        limit_seconds: How long a library may wait by itself where the platform limits it.
        silence_seconds: How long a platform may say nothing before the line counts as dead.
        conflicts: How often in a row another instance may be in the way.
        poll_seconds: How long a platform may hold a request for news.
        grace_seconds: How long answers being written may take when the bot stops.
        answers: How many chats may be answered at once; the others wait in the database.
    """

    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    sends: int = 6
    send_seconds: float = 30.0
    limit_seconds: float = 30.0
    silence_seconds: float = 60.0
    conflicts: int = 5
    poll_seconds: int = 30
    grace_seconds: float = 5.0
    answers: int = 1000

    def waits(self) -> Iterator[float]:
        """Yield the waits between tries, in seconds, without end."""
        wait = self.first_wait_seconds
        while True:
            yield min(wait, self.longest_wait_seconds)
            wait *= 2


async def insist(attempt: Callable[[], Awaitable[T]], pause: Pause, patience: Patience) -> T:
    """Try to send until it works.

    Raises:
        NotDelivered: It never did, or will not.
    """
    waits = patience.waits()
    for left in reversed(range(patience.sends)):
        try:
            return await attempt()
        except Exception as error:
            least = pause(error)
            if least is None or not left:
                raise NotDelivered(type(error).__name__, final=least is None) from error
            await asyncio.sleep(max(least, next(waits)))
    raise AssertionError("a message is tried at least once")


@asynccontextmanager
async def kept_up(
    sign: Callable[[], Awaitable[object]], every_seconds: float
) -> AsyncIterator[None]:
    """Repeat a typing sign until left, whatever becomes of it."""

    async def keep() -> None:
        while True:
            try:
                await sign()
            except Exception as error:  # noqa: BLE001 (an answer matters more than a sign)
                log.debug("a typing sign failed: %s", type(error).__name__)
            await asyncio.sleep(every_seconds)

    task = asyncio.create_task(keep())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Answers:
    """What is being answered at this moment, many chats beside each other, up to a limit.

    What comes beyond the limit is not forgotten, for the database knows that it waits: it is
    looked up there as soon as there is room.
    """

    def __init__(
        self,
        limit: int,
        owed: Callable[[int], Awaitable[int]] | None = None,
        retry_seconds: float = 5.0,
    ) -> None:
        """Take what it needs to know.

        Args:
            limit: How many may run at once.
            owed: Starts up to so many that wait, and tells how many; without it, what finds no
                room is dropped.
            retry_seconds: How long to wait when those could not be looked up.
        """
        self._limit = limit
        self._owed = owed
        self._retry_seconds = retry_seconds
        self._left_out = False
        self._wanted = False
        self._ended = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
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
        if self._owed is not None and (self._looking is None or self._looking.done()):
            self._looking = _started(None, self._look_up(self._owed))

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

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._left_out and not self._ended and len(self._tasks) <= self._limit // 2:
            self.refill()

    async def finish(self, grace_seconds: float) -> None:
        """Give the answers being written some time, then stop them; what waits stays for later."""
        self._ended = True
        for looking in filter(None, (self._keeping, self._looking)):
            looking.cancel()
            await asyncio.wait([looking])
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _started(chat: ChatId | None, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    """Run work as a task; if that is cancelled before its first step, the work is closed, too."""
    task = asyncio.create_task(_guarded(chat, work))
    task.add_done_callback(lambda _: work.close())
    return task


async def _guarded(chat: ChatId | None, work: Coroutine[object, object, None]) -> None:
    place = chat or "what was left to answer"
    try:
        await work
    except NotDelivered as error:
        log.warning("%s: an answer could not be sent: %s", place, error)
    except LikenessError as error:
        log.error("%s: %s", place, error)  # noqa: TRY400 (one sentence is all there is)
    except Exception as error:  # noqa: BLE001 (one chat must not end the bot)
        log.error("%s: an answer failed: %s", place, wordless(error))  # noqa: TRY400


def wordless(error: BaseException) -> str:
    """Describe an error by its kind and where it arose; its own text may quote somebody."""
    frames = traceback.extract_tb(error.__traceback__)
    return type(error).__name__ + "".join(f", {frame.name}:{frame.lineno}" for frame in frames)


def split(text: str, limit: int, units: Callable[[str], int] = len) -> list[str]:
    """Cut a text into pieces that a platform takes, at the end of a line or word if possible.

    Args:
        text: What to send.
        limit: How many units a piece may have.
        units: How the platform counts.

    Returns:
        At least one piece, none of them empty.
    """
    pieces, rest = [], text.strip()
    while rest:
        end = _fitting(rest, limit, units)
        if end < len(rest):
            end = max(rest.rfind("\n", 1, end + 1), 0) or max(rest.rfind(" ", 1, end + 1), 0) or end
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return pieces or [NOTHING]


def _fitting(text: str, limit: int, units: Callable[[str], int]) -> int:
    """Return how many characters from the beginning have at most `limit` units together."""
    end = min(len(text), limit)
    while units(text[:end]) > limit:
        end -= max(1, (units(text[:end]) - limit) // 2)
    return end
