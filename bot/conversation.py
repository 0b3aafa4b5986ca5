"""What every platform shares: hear a message, answer it in its chat's order, start over."""

import asyncio
import logging
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from weakref import WeakValueDictionary

from bot.engine import ReplyEngine, Sampling
from likeness.messages import Kind, Message

log = logging.getLogger(__name__)

COMMANDS = {
    "start": "say what I am",
    "help": "say what I am and what I understand",
    "reset": "start over: I no longer look at what we wrote before",
}
"""What a chat may ask for, and what it does, in the words shown to people."""

APOLOGY = "(Something went wrong and I have no answer. Please write again.)"
"""Sent where the model failed; it is the bot that speaks, so the model is never shown it."""


MY_ID = "me"
"""The `speaker_id` of what the bot has said."""


@dataclass(frozen=True, slots=True)
class ChatId:
    """A place with a history of its own.

    Attributes:
        platform: `telegram`, `discord`, …
        chat: The chat, unique within the platform.
        thread: The thread or topic in it, empty for none.
    """

    platform: str
    chat: str
    thread: str = ""


class History(Protocol):
    """What was said in each chat; `bot.store.Store` keeps it in a database."""

    async def add(self, chat: ChatId, message: Message) -> bool:
        """Keep a message; return False if the chat had one with this id already."""

    async def recent(self, chat: ChatId, limit: int) -> list[Message]:
        """Return the newest messages, at most `limit`, in the order in which they were added."""

    async def forget(self, chat: ChatId) -> None:
        """Leave all that was said so far out of `recent`, though a known id stays known."""


class Outlet(Protocol):
    """One chat of one platform, as an answer needs it."""

    async def send(self, text: str) -> str:
        """Send one message, never empty, and return the id that the platform gave it.

        What it raises ends the answer and comes out of `Conversation.respond`.
        """

    def typing(self) -> AbstractAsyncContextManager[object]:
        """Show a typing sign until left; never raises, for an answer matters more than a sign."""


class Conversation:
    """Keeps what it hears and answers as the model's person, each chat in its own order."""

    def __init__(
        self,
        history: History,
        engine: ReplyEngine,
        sampling: Sampling | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take what it works with; `close` closes none of it."""
        self._history = history
        self._engine = engine
        self._sampling = sampling or Sampling()
        self._clock = clock
        self._queues: WeakValueDictionary[ChatId, _Queue] = WeakValueDictionary()
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def me(self) -> str:
        """The name of the person whom the bot imitates."""
        return self._engine.card.me

    @property
    def start_text(self) -> str:
        """What `/start` answers: that this is a bot, and whom it imitates."""
        return (
            f"I am a bot. I imitate how {self.me} writes, but I am not {self.me}: "
            "a language model makes up everything I say. Write to me!"
        )

    @property
    def help_text(self) -> str:
        """What `/help` answers: the same, and the commands."""
        commands = "\n".join(f"/{name} – {does}" for name, does in COMMANDS.items())
        return f"{self.start_text}\n\n{commands}"

    async def hear(self, chat: ChatId, message: Message) -> bool:
        """Keep a message that somebody sent; return False if it was heard before.

        Whoever gets False must not ask for an answer: it is given already, or being written.

        Raises:
            DatabaseError: It could not be kept.
        """
        return await self._history.add(chat, message)

    async def respond(self, chat: ChatId, outlet: Outlet) -> None:
        """Answer what the chat has said so far, each message as soon as it is whole.

        A chat's answers are written one after the other. Those asked for while one is being
        written become one that sees all, so the others of them return having sent nothing.
        A model that fails is logged and apologised for. Cancelling stops the model.

        Raises:
            DatabaseError: The history could not be read or kept.
            Exception: Whatever `outlet.send` raises.
        """
        if self._closed:
            return
        task = asyncio.create_task(self._take_turn(chat, outlet))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            await task
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if not self._closed or (caller is not None and caller.cancelling()):
                raise

    async def reset(self, chat: ChatId) -> str:
        """Start over: what was said so far is not looked at again, though the database keeps it.

        An answer being written belongs to what was said, so it is waited for.

        Returns:
            What to tell the chat.

        Raises:
            DatabaseError: It could not be marked.
        """
        queue = self._queue(chat)
        async with queue.lock:
            await self._history.forget(chat)
        return "We start over: I no longer look at what we wrote before."

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Take no more, give the answers being written some time, then stop them."""
        self._closed = True
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=grace_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _queue(self, chat: ChatId) -> "_Queue":
        return self._queues.setdefault(chat, _Queue())

    async def _take_turn(self, chat: ChatId, outlet: Outlet) -> None:
        queue = self._queue(chat)
        queue.asked += 1
        mine = queue.asked
        async with queue.lock:
            if mine > queue.answered:
                queue.answered = queue.asked
                await self._answer(chat, outlet)

    async def _answer(self, chat: ChatId, outlet: Outlet) -> None:
        messages = await self._history.recent(chat, limit=self._engine.card.context_tokens)
        if not messages:
            return
        async with outlet.typing(), aclosing(self._words(chat, messages)) as words:
            async for text, kind in words:
                id_ = await outlet.send(text)
                await self._history.add(chat, self._said(messages[-1], id_, text, kind))

    async def _words(
        self, chat: ChatId, messages: list[Message]
    ) -> AsyncGenerator[tuple[str, Kind], None]:
        """Yield what to send: the model's messages, or an apology if it fails before the first."""
        spoken = False
        try:
            sampling = self._sampling.at(len(messages))
            reply = self._engine.reply(messages, sampling, now=self._clock())
            async with aclosing(reply):
                async for part in reply:
                    spoken = True
                    yield part.text, "text"
        except Exception as error:  # noqa: BLE001 (a broken answer must not end the bot)
            # The error's own text may quote the chat, so only where and what kind is told.
            trail = "".join(traceback.format_tb(error.__traceback__))
            log.error("The model failed in %s: %s\n%s", _place(chat), type(error).__name__, trail)  # noqa: TRY400
            if not spoken:
                yield APOLOGY, "automated"

    def _said(self, last: Message, id_: str, text: str, kind: Kind) -> Message:
        return Message(
            platform=last.platform,
            chat_id=last.chat_id,
            chat=last.chat,
            id=id_,
            speaker_id=MY_ID,
            speaker=self.me,
            outgoing=True,
            sent_at=self._clock(),
            text=text,
            kind=kind,
        )


@dataclass(slots=True, weakref_slot=True)
class _Queue:
    """A chat's turn to be answered; it lives as long as somebody waits for one.

    Attributes:
        asked: How many answers were asked for.
        answered: How many of those the answer being written, or the last one, covers.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: int = 0
    answered: int = 0


def _place(chat: ChatId) -> str:
    return " ".join(filter(None, (chat.platform, chat.chat, chat.thread)))
