"""One chat of one platform, as an answer needs it."""

from contextlib import AbstractAsyncContextManager
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

    async def send(self, text: str, nonce: str) -> str:
        """Send one message and return the id that the platform gave it.

        Args:
            text: One that `split` gave.
            nonce: The same whenever the same message is tried again.

        Raises:
            NotDelivered: The platform or the network would not have it.
        """

    def typing(self) -> AbstractAsyncContextManager[object]:
        """Show a typing sign until left; never raises, for an answer matters more than a sign."""
