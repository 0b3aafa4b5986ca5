"""Whose turn it is in one chat: when the person seems done, and when they write again."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from bot.pace import Manner
from likeness.messages import Message

T = TypeVar("T")


class Turns:
    """One chat's turns; it lives as long as somebody waits for an answer there.

    Attributes:
        lock: Held while an answer is given, and by whatever must not happen meanwhile.
        busy: Whether somebody sees to the answers.
        interrupted: Set when somebody asks for more than the answer being written sees, or when
            nobody wants it any more.
        speaker: Who is answered, or was the last time.
    """

    def __init__(self, manner: Manner) -> None:
        self.lock = asyncio.Lock()
        self.busy = False
        self.interrupted = asyncio.Event()
        self._manner = manner
        self._seen: frozenset[str] = frozenset()
        self._unseen: set[str] = set()
        self.speaker = ""
        self._dropped = False
        self._heard = 0
        self._waiting_since: float | None = None
        self._stop_writing: Callable[[], object] = bool

    @property
    def more(self) -> bool:
        """Whether somebody asks for more than the newest answer has seen."""
        return bool(self._unseen)

    def take(self) -> bool:
        """Begin to see to the answers; return False if somebody does already."""
        if self.busy:
            return False
        self.busy = True
        self._wait()
        return True

    def hear(self, speaker: str) -> None:
        """Note that somebody wrote, so that whoever writes on is let finish."""
        self._heard += speaker == self.speaker

    def ask(self, message_id: str) -> bool:
        """Ask for an answer to a message that is kept; return whether somebody sees to it."""
        if self.busy and message_id not in self._seen:
            self._wait()
            self._unseen.add(message_id)
            if self._patient():
                self.interrupted.set()
                self._stop_writing()
        return self.busy

    async def until_done(self, speaker: str, pause: Callable[[], Awaitable[float]]) -> None:
        """Wait until a person has written nothing for a while.

        Args:
            speaker: Who.
            pause: Returns how many seconds to wait after what was said by now.
        """
        self.speaker, heard = speaker, -1
        while heard != self._heard and self._manner.pause_seconds and self._patient():
            heard = self._heard
            seconds = await pause()
            await asyncio.sleep(min(seconds, self._patience_left()))

    def begin(self) -> None:
        """Begin a turn: whatever is kept by now will be seen in it."""
        self._seen = frozenset()
        self._unseen.clear()
        self._dropped = False
        self.interrupted.clear()

    def drop(self) -> None:
        """Let the answer being written end where it is; a new turn begins afresh."""
        self._dropped = True
        self.interrupted.set()
        self._stop_writing()

    def see(self, messages: Sequence[Message]) -> None:
        """Note to what the answer is written; what comes later interrupts it."""
        self._seen = frozenset(message.id for message in messages)
        self._unseen -= self._seen
        if not self._unseen and not self._dropped:
            self.interrupted.clear()

    async def uninterrupted(self, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """Yield items until somebody asks; then, and when closed, close them."""
        coming: asyncio.Task[T | None] | None = None
        try:
            while not self.interrupted.is_set():
                coming = asyncio.create_task(_following(items))
                self._stop_writing = coming.cancel
                await asyncio.wait([coming])
                if coming.cancelled() or (item := coming.result()) is None:
                    return
                yield item
        finally:
            if coming is not None and not coming.done():
                coming.cancel()
                await asyncio.wait([coming])
            await items.aclose()

    def answered(self) -> None:
        """Note that whoever waited has got something."""
        self._waiting_since = None

    async def interrupts(self, seconds: float) -> bool:
        """Wait while a message seems to be typed; return whether somebody wrote meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self.interrupted.wait()
        except TimeoutError:
            pass
        return self.interrupted.is_set()

    def _wait(self) -> None:
        if self._waiting_since is None:
            self._waiting_since = _now()

    def _patient(self) -> bool:
        """Return whether nobody has waited so long that they must get an answer now."""
        return self._patience_left() > 0

    def _patience_left(self) -> float:
        """Return in how many seconds they must get an answer; 0 or less where they must now."""
        longest, since = self._manner.longest_pause_seconds, self._waiting_since
        return longest if since is None else since + longest - _now()


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _following(items: AsyncGenerator[T, None]) -> T | None:
    return await anext(items, None)
