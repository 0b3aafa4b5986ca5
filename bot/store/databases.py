"""Opening a database: its file, its connections, its revision."""

import logging
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.store.migrations import migrate
from likeness.errors import DatabaseError

# At DEBUG it logs each statement with its values: people's words.
logging.getLogger("aiosqlite").setLevel(logging.INFO)

BUSY_SECONDS = 10
"""How long to wait for another program that is writing to the same SQLite file."""


async def connect(url: str) -> AsyncEngine:
    """Open a database and bring it to the newest revision.

    Raises:
        DatabaseTooNew: A newer Likeness migrated it; it was left as it is.
        DatabaseError: It is not a database, or cannot be opened or written.
    """
    engine = make_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate, place(engine.url))
        if (file := file_of(engine.url)) is not None:
            file.chmod(0o600)
            async with engine.connect() as connection:
                outside_transactions: Any = await connection.get_raw_connection()
                await outside_transactions.driver_connection.execute("PRAGMA journal_mode = WAL")
    except DatabaseError:
        await engine.dispose()
        raise
    except (SQLAlchemyError, OSError) as error:
        await engine.dispose()
        raise DatabaseError(
            f"The database {place(engine.url)} cannot be opened: {reason(error)}."
        ) from error
    return engine


def place(url: URL) -> str:
    """Return a database's name as people may see it: a file, or an address without password."""
    return url.database or "in memory" if _is_sqlite(url) else url.render_as_string()


def reason(error: Exception) -> str:
    """Return why a database failed, in its own words, without the values it was given."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return (str(cause).splitlines() or [type(cause).__name__])[0].strip().rstrip(".")


def make_engine(url: str) -> AsyncEngine:
    """Return the connections to a database, not yet opened; a new SQLite file is made private.

    Raises:
        DatabaseError: The URL or the file is of no use.
    """
    try:
        parsed = make_url(url)
        if (file := file_of(parsed)) is not None:
            file.touch(mode=0o600)
        # One connection to a file: its transactions queue here instead of failing as "locked".
        pool = {"pool_size": 1, "max_overflow": 0} if file else {}
        engine = create_async_engine(parsed, hide_parameters=True, **pool)
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise DatabaseError(
            f"LIKENESS_DATABASE cannot be used: {reason(error)}; it must be a URL like "
            "sqlite+aiosqlite:///likeness.db."
        ) from error
    if _is_sqlite(parsed):
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def file_of(url: URL) -> Path | None:
    """Return the file of a SQLite database; None for another database, or one in memory."""
    named = url.database and url.database != ":memory:" and not url.database.startswith("file:")
    return Path(str(url.database)) if named and _is_sqlite(url) else None


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    """Leave transactions to `_begin`, so that changes of tables belong to them too.

    Source: SQLAlchemy's documentation of pysqlite, "serializable isolation / savepoints /
    transactional DDL"; a test breaks a migration half-way.
    """
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.close()


def reading(engine: AsyncEngine) -> AsyncEngine:
    """Return the same connections for transactions that only read, and so hold up no writer."""
    return engine.execution_options(likeness_reads=True)


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads before it writes waits at once, instead of failing late.
    reads = connection.get_execution_options().get("likeness_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
