"""Several processes that answer from one database server: who does what, and what if one dies."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from sqlalchemy import ColumnElement, Interval, cast, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from bot.history import ChatId
from bot.store.rows import is_chat
from bot.store.sessions import Sessions
from bot.store.tables import ChatRow
from likeness.errors import DatabaseError

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
"""How long a chat is its worker's alone; the worker says again and again that it lives."""
LOOK_SECONDS = 1.0
"""How often those who wait try to lead, and the one that leads sees that it still does."""


class Workers(Sessions):
    """The part of a `bot.history.History` that keeps processes from doing each other's work.

    A SQLite file has one process (`bot.store.lock`), so there all of this does nothing.

    Attributes:
        shared: Whether several processes may work on this database.
        lease_seconds: How long a chat stays with a worker that died.
    """

    lease_seconds = LEASE_SECONDS

    def __init__(self, engine: AsyncEngine) -> None:
        """Take a database that is at the newest revision."""
        super().__init__(engine)
        self._me = secrets.token_hex(8)
        self.shared = engine.dialect.name == "postgresql"

    @asynccontextmanager
    async def claimed(self, chat: ChatId) -> AsyncIterator[bool]:
        """Yield whether this process alone answers a chat until left."""
        if not self.shared:
            yield True
        elif not await self._claim(chat):
            yield False
        else:
            renewing = asyncio.create_task(self._renew(chat))
            try:
                yield True
            finally:
                renewing.cancel()
                await asyncio.wait([renewing])
                with suppress(DatabaseError):  # then the lease ends it
                    await self._release(chat)

    async def lead(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do what only one process may do at a time; the others wait for their turn to do it.

        Raises:
            DatabaseError: It cannot be known any more whether this process is the one.
        """
        if not self.shared:
            await work()
            return
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                try:
                    await _until_first(connection, name)
                    log.info("%s: this process leads", name)
                    await _while_first(connection, work)
                finally:  # the lock lasts as long as the connection, which would be used again
                    await connection.invalidate()
        except (SQLAlchemyError, OSError) as error:
            raise self._unusable(error) from error

    def _free(self) -> ColumnElement[bool]:
        """Return what is true of the row of a chat that this process may answer."""
        return or_(
            ChatRow.worker.is_(None),
            ChatRow.worker == self._me,
            ChatRow.claimed_until < func.now(),
        )

    async def _take(self, session: AsyncSession, *chats: int) -> None:
        """Make chats this process's own; their rows are locked by the caller."""
        lease = cast(timedelta(seconds=self.lease_seconds), Interval)
        await session.execute(
            update(ChatRow)
            .where(ChatRow.id.in_(chats))
            .values(worker=self._me, claimed_until=func.now() + lease)
            .execution_options(synchronize_session=False)
        )

    async def _claim(self, chat: ChatId) -> bool:
        # NO KEY UPDATE: it does not exclude those who only add a message to the chat.
        free = (
            select(ChatRow.id)
            .where(*is_chat(chat), self._free())
            .with_for_update(key_share=True, skip_locked=True)
        )
        async with self._transaction() as session:
            key = await session.scalar(free)
            if key is not None:
                await self._take(session, key)
        return key is not None

    async def _renew(self, chat: ChatId) -> None:
        while True:
            await asyncio.sleep(self.lease_seconds / 3)
            try:
                if not await self._claim(chat):
                    log.warning("%s: the lease could not be renewed", chat)
            except DatabaseError as error:
                log.warning("%s: the lease could not be renewed: %s", chat, error)

    async def _release(self, chat: ChatId) -> None:
        async with self._transaction() as session:
            await session.execute(
                update(ChatRow)
                .where(*is_chat(chat), ChatRow.worker == self._me)
                .values(worker=None, claimed_until=None)
                .execution_options(synchronize_session=False)
            )

    async def _must_be_mine(self, session: AsyncSession, key: int) -> None:
        """Raise if another process has taken a chat over, as from one that was asleep too long."""
        if not self.shared:
            return
        mine = select(ChatRow.id).where(ChatRow.id == key, self._free())
        if await session.scalar(mine.with_for_update(key_share=True)) is None:
            raise DatabaseError("Another process answers this chat by now.")


async def _until_first(connection: AsyncConnection, name: str) -> None:
    """Wait for a lock that the server takes back when the connection ends."""
    lock = select(func.pg_try_advisory_lock(func.hashtextextended(f"likeness {name}", 0)))
    while not await connection.scalar(lock):  # noqa: ASYNC110 (it is another process that ends)
        await asyncio.sleep(LOOK_SECONDS)


async def _while_first(connection: AsyncConnection, work: Callable[[], Awaitable[None]]) -> None:
    """Work until that ends, or the connection and with it the lock is lost."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await connection.scalar(select(1))

    tasks = [asyncio.ensure_future(work()), asyncio.ensure_future(watch())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
