"""Opening a database: its file, its connections, its revision."""

import logging
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.store.migrations import migrate
from likeness.errors import BadSettings, DatabaseError, ServeError

# At DEBUG it logs each statement with its values: people's words.
logging.getLogger("aiosqlite").setLevel(logging.INFO)

BUSY_SECONDS = 10
"""How long to wait for another program that is writing to the same SQLite file."""
AN_ADDRESS = (
    "must be a URL like sqlite+aiosqlite:///likeness.db or "
    "postgresql+asyncpg://name:password@db.example/likeness; write @ : / in a password as "
    "%40 %3A %2F"
)
A_PATH = "must name a file by its path, such as sqlite+aiosqlite:////var/lib/likeness.db"
_POSTGRESQL_DRIVER = "asyncpg"
_INSTALLING = "install it with: pip install 'likeness[postgresql]'"
_NO_PLACE = FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError
_REFUSED = "28", "3D"
"""How PostgreSQL's codes begin for a name or password that it refuses, and for no such database.

Source: PostgreSQL's documentation, appendix A.
"""


async def connect(url: str) -> AsyncEngine:
    """Open a database and bring it to the newest revision.

    Raises:
        DatabaseTooNew: A newer Likeness migrated it; it was left as it is.
        BadSettings: It is not a database of ours, or there is none of that name.
        DatabaseError: It cannot be opened or written.
    """
    engine = make_engine(url)
    try:
        await _reach(engine)
        async with engine.begin() as connection:
            await connection.run_sync(migrate, place(engine.url))
        if (file := file_of(url)) is not None:
            file.chmod(0o600)
            async with engine.connect() as connection:
                outside_transactions: Any = await connection.get_raw_connection()
                await outside_transactions.driver_connection.execute("PRAGMA journal_mode = WAL")
    except ServeError:
        await engine.dispose()
        raise
    except (SQLAlchemyError, OSError) as error:
        await engine.dispose()
        fault = BadSettings if _is_misnamed(error) else DatabaseError
        raise fault(
            f"The database {place(engine.url)} cannot be opened: {reason(error)}."
        ) from error
    return engine


async def _reach(engine: AsyncEngine) -> None:
    """Open the first connection, for which a driver looks at what stands behind the "?"."""
    try:
        async with engine.connect():
            pass
    except TypeError as error:
        raise BadSettings(
            f"LIKENESS_DATABASE says something behind its ? that {engine.driver} does not know: "
            f"{reason(error)}."
        ) from error


def _is_misnamed(error: Exception) -> bool:
    """Return whether a database was reached and is not the one that was meant."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    refused = str(getattr(cause, "sqlstate", "")).startswith(_REFUSED)
    return refused or getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB


def parsed(url: str) -> URL:
    """Return a database's address in its parts.

    Raises:
        ValueError: It is none. The error says what it must be and nothing of what it is, for that
            may be part of a password.
    """
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: what is no number stands for the port
        found = None
    if found is None or "+" not in found.drivername or not _is_whole(found, url):
        raise ValueError(AN_ADDRESS)
    if _is_sqlite(found) and (found.database or "").startswith("file:"):
        raise ValueError(A_PATH)  # or the file would be neither private nor locked
    return found


def _is_whole(url: URL, text: str) -> bool:
    """Return whether no part of a password was taken for what stands behind it."""
    query = "" if "?" in (url.password or "") else text.partition("?")[2]
    behind = f"{url.host}{'' if _is_sqlite(url) else url.database}{query}"
    return "@" not in behind and (url.port is None or 0 < url.port < 1 << 16)


def read_url(url: str) -> URL:
    """Return what LIKENESS_DATABASE says in its parts.

    Raises:
        BadSettings: It is no address of a database.
    """
    try:
        return parsed(url)
    except ValueError as error:
        raise BadSettings(f"LIKENESS_DATABASE {error}.") from None


def place(url: URL) -> str:
    """Return a database's name as people may see it: a file, or an address without password."""
    if _is_sqlite(url):
        return url.database or "in memory"
    return url.difference_update_query(["password"]).render_as_string()


def reason(error: Exception) -> str:
    """Return why a database failed, in its own words, without the values it was given."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return (str(cause).splitlines() or [type(cause).__name__])[0].strip().rstrip(".")


def make_engine(url: str) -> AsyncEngine:
    """Return the connections to a database, not yet opened; a new SQLite file is made private.

    Raises:
        BadSettings: The URL or the file is of no use.
        DatabaseError: The file cannot be made now.
    """
    address, file = _as_drivers_say(read_url(url)), file_of(url)
    # One connection to a file: its transactions queue here instead of failing as "locked".
    pool = {"pool_size": 1, "max_overflow": 0} if file else {}
    try:
        if file is not None:
            file.touch(mode=0o600)
        engine = create_async_engine(address, hide_parameters=True, **pool)
    except (SQLAlchemyError, ImportError) as error:
        remedy = f"it {AN_ADDRESS}"
        if getattr(error, "name", None) == _POSTGRESQL_DRIVER:
            remedy = "install it with: pip install 'likeness[postgresql]'"
        raise BadSettings(
            f"LIKENESS_DATABASE cannot be used: {reason(error)}; {remedy}."
        ) from error
    except OSError as error:
        fault = BadSettings if isinstance(error, _NO_PLACE) else DatabaseError
        raise fault(
            f"The database {file} can be neither opened nor made: {error.strerror}."
        ) from error
    if _is_sqlite(address):
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _as_drivers_say(url: URL) -> URL:
    """Return an address with `sslmode`, as PostgreSQL's own programs say, in asyncpg's word."""
    if url.get_driver_name() != _POSTGRESQL_DRIVER or "sslmode" not in url.query:
        return url
    query = {"ssl": url.query["sslmode"], **url.query}
    return url.set(query={name: value for name, value in query.items() if name != "sslmode"})


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def file_of(url: str) -> Path | None:
    """Return the file of a SQLite database; None for another database, or one in memory.

    Raises:
        BadSettings: It is no address of a database.
    """
    address = read_url(url)
    if not _is_sqlite(address) or address.database in (None, "", ":memory:"):
        return None
    return Path(str(address.database))


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    """Leave transactions to `_begin`, so that changes of tables belong to them too.

    Source: SQLAlchemy's documentation of pysqlite, "serializable isolation / savepoints /
    transactional DDL"; a test breaks a migration half-way.
    """
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # Or words that were deleted stay in the file until something is written over them.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.close()


async def settle(engine: AsyncEngine) -> None:
    """Bring into a SQLite file what its journal holds, which keeps nothing then."""
    if engine.dialect.name == "sqlite":
        async with engine.connect() as connection:
            raw: Any = await connection.get_raw_connection()  # outside transactions
            await raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def reading(engine: AsyncEngine) -> AsyncEngine:
    """Return the same connections for transactions that only read, and so hold up no writer."""
    return engine.execution_options(likeness_reads=True)


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads before it writes waits at once, instead of failing late.
    reads = connection.get_execution_options().get("likeness_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
