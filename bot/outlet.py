"""One chat of one platform, as an answer needs it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bot.history import ChatId


class NotDelivered(Exception):
    """A message could not be sent, for the reason that it says, which quotes nobody.

    Attributes:
        final: Whether it never will be; otherwise it may go through later.
    """

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.final = final


class Outlet(Protocol):
    """One chat of one platform, as an answer needs it."""

    @property
    def chat(self) -> ChatId:
        """Where this leads; it may change while sending, as when a group moves."""

    def split(self, text: str) -> list[str]:
        """Cut a text into messages that the platform takes; at least one, none empty."""

    async def send(self, text: str, nonce: str, answers: str = "") -> str:
        """Send one message and return the id that the platform gave it.

        Args:
            text: One that `split` gave.
            nonce: The same whenever the same message is tried again.
            answers: The id of the message that it replies to, where others read along; empty for
                none.

        Raises:
            NotDelivered: The platform or the network would not have it.
        """

    def typing(self, room: asyncio.Semaphore) -> AbstractAsyncContextManager[object]:
        """Show a typing sign until left, from when there is room for one more.

        It never raises, for an answer matters more than a sign.
        """


@dataclass(frozen=True, slots=True)
class Button:
    """What a person may press instead of typing a command.

    Attributes:
        label: What is written on it.
        line: The command and its words, without a slash, such as `allow telegram:42`.
    """

    label: str
    line: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot itself says, as opposed to whom it imitates.

    Attributes:
        text: The words.
        buttons: Rows of buttons below them.
        file: What comes with it: its name and what it holds.
        asks_anew: Whether something waits for an answer now.
        tells: Whom to tell, too: the id of a person on the platform, and what.
        refuses: Whether it only says why nothing was done: it takes no other reply's place.
    """

    text: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    file: tuple[str, bytes] | None = None
    asks_anew: bool = False
    tells: tuple[tuple[str, "Reply"], ...] = ()
    refuses: bool = False
