"""The owner's list: who was let in, who was not, and who waits."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Exists, delete, exists, func, or_, select
from sqlalchemy.exc import IntegrityError

from bot.access import Guest, Standing
from bot.history import ChatId
from bot.store.sessions import Sessions
from bot.store.tables import GuestRow, MessageRow


def is_denied_since(chat: ChatId) -> Exists:
    """Return what is true of a message in a chat whose speaker or place was shut out after it.

    An owner is heard also in such a place, so what is kept later counts no more.
    """
    names = GuestRow.guest, "user" + GuestRow.guest, "chat" + GuestRow.guest
    return exists().where(
        GuestRow.platform == chat.platform,
        GuestRow.standing == "denied",
        GuestRow.since > MessageRow.kept_at,
        or_(GuestRow.guest.in_((chat.chat, chat.thread)), MessageRow.speaker_id.in_(names)),
    )


class Guests(Sessions):
    """The part of a store that is a `bot.access.Guestbook`."""

    async def standings(self, platform: str, ids: Collection[str]) -> dict[str, Standing]:
        """Return what is known of some ids."""
        known = select(GuestRow.guest, GuestRow.standing).where(
            GuestRow.platform == platform, GuestRow.guest.in_(ids)
        )
        async with self._transaction() as session:
            return {row.guest: row.standing for row in await session.execute(known)}

    async def sign(self, guest: Guest) -> None:
        """Keep a standing in the place of the one before; an empty name changes no name."""
        known = select(GuestRow.name).where(*_is(guest.platform, guest.id))
        async with self._transaction() as session:
            name = guest.name or await session.scalar(known) or ""
            await session.execute(delete(GuestRow).where(*_is(guest.platform, guest.id)))
            session.add(_row(guest, name))

    async def knock(self, guest: Guest, most: int) -> bool:
        """Keep one who is unknown; False if it is known, or if so many wait already."""
        waiting = select(func.count()).where(GuestRow.standing == guest.standing)
        async with self._transaction() as session:
            if (await session.scalar(waiting) or 0) >= most:
                return False
            try:
                async with session.begin_nested():
                    session.add(_row(guest, guest.name))
            except IntegrityError:
                return False
        return True

    async def strike(self, platform: str, id_: str) -> None:
        """Take one off the list."""
        async with self._erasing() as session:
            await session.execute(delete(GuestRow).where(*_is(platform, id_)))

    async def guests(
        self, standing: Standing, limit: int, platform: str | None = None
    ) -> list[Guest]:
        """Return who has a standing, the newest first, at most so many."""
        found = select(GuestRow).where(GuestRow.standing == standing)
        if platform is not None:
            found = found.where(GuestRow.platform == platform)
        async with self._transaction() as session:
            rows = await session.scalars(found.order_by(GuestRow.id.desc()).limit(limit))
            return [
                Guest(row.platform, row.guest, row.name, row.standing, row.since) for row in rows
            ]


def _is(platform: str, id_: str) -> tuple[ColumnElement[bool], ...]:
    return GuestRow.platform == platform, GuestRow.guest == id_


def _row(guest: Guest, name: str) -> GuestRow:
    return GuestRow(
        platform=guest.platform,
        guest=guest.id,
        name=name,
        standing=guest.standing,
        since=datetime.now(UTC),
    )
