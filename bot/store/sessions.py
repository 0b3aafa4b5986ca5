"""Transactions with the database, and what becomes of its errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from bot.store.databases import place, reason, settle
from likeness.errors import DatabaseError


class Sessions:
    """What all parts of a store share: one database.

    Every method raises `DatabaseError` if the database cannot be used.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        """Take a database that is at the newest revision."""
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def close(self) -> None:
        """Let go of the database."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSession]:
        try:
            async with self._sessions.begin() as session:
                yield session
        except (SQLAlchemyError, OSError) as error:
            raise self._unusable(error) from error

    @asynccontextmanager
    async def _erasing(self) -> AsyncIterator[AsyncSession]:
        """Yield a transaction of whose deleted words no byte stays in the files."""
        async with self._transaction() as session:
            yield session
        await settle(self._engine)  # a journal holds what the file held before

    def _unusable(self, error: Exception) -> DatabaseError:
        return DatabaseError(
            f"The database {place(self._engine.url)} cannot be used: {reason(error)}."
        )
