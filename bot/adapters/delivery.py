"""What every platform asks of an adapter: patience with what fails, and text that fits."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from bot.outlet import NotDelivered, Reply
from likeness.errors import LikenessError

log = logging.getLogger(__name__)

T = TypeVar("T")

Pause = Callable[[Exception], float | None]
"""Says of an error how many seconds to wait at least before the next try; None: do not try."""

NOTHING = "…"
"""Sent where a message would be empty, which no platform takes."""
NOT_NOW = "That did not work just now. Try again in a minute, please."
"""What somebody is told whose command failed."""


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
        again_seconds: After how long to try again what could not be answered or sent.
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
    again_seconds: float = 60.0

    @property
    def call_seconds(self) -> float:
        """How long one call may take, with what the library waits in it by itself."""
        return self.send_seconds + self.limit_seconds

    def waits(self) -> Iterator[float]:
        """Yield the waits between tries, in seconds, without end."""
        wait = self.first_wait_seconds
        while True:
            yield min(wait, self.longest_wait_seconds)
            wait *= 2


async def insist(attempt: Callable[[], Awaitable[T]], pause: Pause, patience: Patience) -> T:
    """Try to send until it works; no try takes for ever.

    Raises:
        NotDelivered: It never did, or will not.
    """
    waits = patience.waits()
    for left in reversed(range(patience.sends)):
        try:
            async with asyncio.timeout(patience.call_seconds):
                return await attempt()
        except Exception as error:
            least = pause(error)
            if least is None or not left:
                raise NotDelivered(type(error).__name__, final=least is None) from error
            await asyncio.sleep(max(least, next(waits)))
    raise AssertionError("a message is tried at least once")


async def excused(place: object, obeyed: Awaitable[Reply | None]) -> Reply | None:
    """Wait until a command is obeyed; where that fails, log it, and return an excuse."""
    try:
        return await obeyed
    except Exception as error:  # noqa: BLE001 (whoever ordered it waits for an answer)
        log.error("%s: a command failed: %s", place, in_a_line(error))  # noqa: TRY400
        return Reply(NOT_NOW, refuses=True)


async def say_or_excuse(say: Callable[[Reply], Awaitable[object]], reply: Reply) -> None:
    """Say something; where a file does not go through, say once that it did not.

    Raises:
        NotDelivered: That does not go through either.
    """
    try:
        await say(reply)
    except NotDelivered:
        if reply.file is None:
            raise
        await say(Reply(NOT_NOW, refuses=True))


async def say_some_time(
    place: object, say: Callable[[Reply], Awaitable[object]], reply: Reply, patience: Patience
) -> None:
    """Say something; what does not go through now is tried again after a while.

    Raises:
        NotDelivered: It never will.
    """
    while True:
        try:
            await say(reply)
        except NotDelivered as error:
            if error.final:
                raise
            wait = patience.again_seconds
            log.warning("%s: it could not be told: %s; again in %.0f s", place, error, wait)
            await asyncio.sleep(wait)
        else:
            return


@contextmanager
def followed(follow: Callable[[], object]) -> Iterator[None]:
    """Do what follows once something was said, also if it cannot be delivered."""
    try:
        yield
    except NotDelivered:
        follow()
        raise
    follow()


@asynccontextmanager
async def kept_up(
    sign: Callable[[], Awaitable[object]], every_seconds: float, room: asyncio.Semaphore
) -> AsyncIterator[None]:
    """Repeat a typing sign until left, from when there is room for it, whatever becomes of it."""

    async def keep() -> None:
        async with room:
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


def wordless(error: BaseException) -> str:
    """Describe an error by its kind and where it arose; its own text may quote somebody."""
    frames = traceback.extract_tb(error.__traceback__)
    return type(error).__name__ + "".join(f", {frame.name}:{frame.lineno}" for frame in frames)


def in_a_line(error: BaseException) -> str:
    """Return the sentence of an error of ours, and of any other what `wordless` tells."""
    return str(error) if isinstance(error, LikenessError) else wordless(error)


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
