"""Who may talk to the bot: its owner, whom the owner lets in, and nobody else."""

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Standing = Literal["owner", "allowed", "denied", "waiting"]

EVERYONE = "everyone"
"""In the place of an id: whoever is not denied."""
MOST_WAITING = 1000
"""How many strangers are listed at the most; further ones leave no trace."""
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LETTERS = 12


@dataclass(frozen=True, slots=True)
class Guest:
    """A person or a place on the owner's list.

    Attributes:
        platform: Where.
        id: The platform's own: of a person, a chat, a server or a role.
        name: What the owner knows it by; empty where nobody has told.
        standing: What it may do.
        since: Since when; None where nobody looked.
    """

    platform: str
    id: str
    name: str
    standing: Standing
    since: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who speaks to the bot, and where.

    Attributes:
        platform: Where.
        id: The person's, as the platform counts.
        speaker_id: The same as messages have it.
        name: What others see.
        circles: What the person belongs to here, as ids: the group, the server, the roles.
        place: The group's name, empty in private.
        group: Whether others are there.
        unseen: Whether they do not see what is told here.
    """

    platform: str
    id: str
    speaker_id: str
    name: str
    circles: tuple[str, ...] = ()
    place: str = ""
    group: bool = False
    unseen: bool = False


class Guestbook(Protocol):
    """Who was let in, who was not, and who waits; it outlives the process."""

    async def standings(self, platform: str, ids: Collection[str]) -> dict[str, Standing]:
        """Return what is known of some ids."""

    async def sign(self, guest: Guest) -> None:
        """Keep a standing in the place of the one before; an empty name changes no name."""

    async def knock(self, guest: Guest, most: int) -> bool:
        """Keep one who is unknown; False if it is known, or if so many wait already."""

    async def strike(self, platform: str, id_: str) -> None:
        """Take one off the list."""

    async def guests(
        self, standing: Standing, limit: int, platform: str | None = None
    ) -> list[Guest]:
        """Return who has a standing, the newest first, at most so many."""


class Access:
    """Who may talk to the bot on one platform."""

    def __init__(
        self,
        platform: str,
        book: Guestbook,
        owners: Collection[str] = (),
        allowed: Collection[str] = (),
        secret: str | None = None,
    ) -> None:
        """Take what the settings say; what the owner decides later is in the book.

        Args:
            platform: Where.
            book: What is kept.
            owners: The ids of those who own the bot.
            allowed: The ids of people, chats, servers and roles who may talk to it.
            secret: What nobody else knows, the same in every process of the bot; by default this
                process makes one up.
        """
        self.platform = platform
        self.book = book
        self._owners = frozenset(owners)
        self._allowed = frozenset(allowed)
        self._code = _code(platform, secret or secrets.token_hex())

    async def standing(self, visitor: Visitor) -> Standing | None:
        """Return what somebody may do; None for a stranger."""
        known = await self.book.standings(self.platform, (visitor.id, *visitor.circles))
        own = known.get(visitor.id)
        if visitor.id in self._owners or own == "owner":
            return "owner"
        if "denied" in known.values():
            return "denied"
        if "allowed" in known.values() or self._lets_in(visitor):
            return "allowed"
        return own

    async def owns(self, visitor: Visitor) -> bool:
        """Return whether the bot is somebody's."""
        return await self.standing(visitor) == "owner"

    async def owners(self) -> list[str]:
        """Return the ids of the owners."""
        kept = await self.book.guests("owner", len(_LETTERS), self.platform)
        return sorted(self._owners.union(guest.id for guest in kept))

    async def code(self) -> str | None:
        """Return what makes a stranger the owner, once; None if there is one."""
        return None if await self.owners() else self._code

    async def pair(self, visitor: Visitor, code: str) -> bool:
        """Make somebody the owner who knows the code, as long as there is none."""
        said = code.strip().upper().encode()
        if not secrets.compare_digest(said, self._code.encode()) or await self.owners():
            return False
        await self.book.sign(Guest(self.platform, visitor.id, visitor.name, "owner"))
        return True

    async def move(self, id_: str, to: str) -> None:
        """Let a place that has got another id keep its standing."""
        known = (await self.book.standings(self.platform, [id_])).get(id_)
        standing = known or ("allowed" if id_ in self._allowed else None)
        if standing is not None:
            await self.book.sign(Guest(self.platform, to, "", standing))
        if known is not None:  # or /deny would offer a place that is no more
            await self.book.strike(self.platform, id_)

    def _lets_in(self, visitor: Visitor) -> bool:
        return not self._allowed.isdisjoint((visitor.id, *visitor.circles, EVERYONE))


def _code(platform: str, secret: str) -> str:
    """Return letters to type, of which each of the 32 is as likely, and none tells the secret."""
    made = hmac.digest(secret.encode(), f"likeness owner {platform}".encode(), "sha256")
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in made[:_CODE_LETTERS])
