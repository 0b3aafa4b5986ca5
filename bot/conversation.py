"""What every platform shares: hear a message, answer it in its chat's order, start over."""

import asyncio
import logging
import traceback
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from weakref import WeakValueDictionary

from bot.engine import ReplyEngine, Sampling
from likeness.dialogue import Part
from likeness.messages import Message

log = logging.getLogger(__name__)

COMMANDS = {
    "start": "say what I am",
    "help": "say what I am and what I understand",
    "reset": "start over: I no longer look at what we wrote before",
}
"""What a chat may ask for, and what it does, in the words shown to people."""

APOLOGY = "(Something went wrong and I have no answer. Please write again.)"
"""Sent where the model failed; it is the bot that speaks here, not whom it imitates."""


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
        """Take what it works with; it closes neither."""

    @property
    def me(self) -> str:
        """The name of the person whom the bot imitates."""

    @property
    def start_text(self) -> str:
        """What `/start` answers: that this is a bot, and whom it imitates."""

    @property
    def help_text(self) -> str:
        """What `/help` answers: the same, and the commands."""

    async def hear(self, chat: ChatId, message: Message) -> bool:
        """Keep a message that somebody sent; return False if it was heard before.

        Whoever gets False must not ask for an answer: it is given already, or being written.

        Raises:
            DatabaseError: It could not be kept.
        """

    async def respond(self, chat: ChatId, outlet: Outlet) -> None:
        """Answer what the chat has said so far, each message as soon as it is whole.

        A chat's answers are written one after the other. Those asked for while one is being
        written become one that sees all, so the others of them return having sent nothing.
        A model that fails is logged and apologised for. Cancelling stops the model.

        Raises:
            DatabaseError: The history could not be read or kept.
            Exception: Whatever `outlet.send` raises.
        """

    async def reset(self, chat: ChatId) -> None:
        """Start over: what was said so far is not looked at again. It stays in the database.

        Raises:
            DatabaseError: It could not be marked.
        """

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Take no more, give the answers being written some time, then stop them."""
