"""Looking after a database over years: back and forth, copies, room, and what is too old."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, delete, exists, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from alembic import command
from bot.history import ChatId
from bot.store.databases import (
    connect,
    file_of,
    make_engine,
    place,
    read_url,
    reading,
    reason,
    settle,
)
from bot.store.lock import only_process
from bot.store.migrations import config
from bot.store.rows import to_message
from bot.store.tables import ChatRow, MessageRow
from likeness.errors import DatabaseError, LikenessError
from likeness.files import whole_file
from likeness.messages import Message

AT_ONCE = 10_000
"""How many messages to look at in one transaction, so that the bot never waits long for it."""


async def upgrade(url: str) -> str:
    """Bring a database to the newest revision; return that.

    Raises:
        DatabaseError: It cannot be used.
    """
    await (await connect(url)).dispose()
    return str(ScriptDirectory.from_config(config()).get_current_head())


async def downgrade(url: str, revision: str) -> None:
    """Bring a database back to an older revision; what only newer ones can hold is lost.

    Raises:
        DatabaseError: There is none, it cannot be used, or it cannot be brought there.
        InstanceRunning: Another process is at it.
    """
    known = {found.revision for found in ScriptDirectory.from_config(config()).walk_revisions()}
    if revision not in known:
        raise DatabaseError(
            f"There is no revision {revision!r}: those are {', '.join(sorted(known))}."
        )

    def back(connection: Connection) -> None:
        steps = config()
        steps.attributes["connection"] = connection
        try:
            command.downgrade(steps, revision)
        except CommandError as error:
            found = MigrationContext.configure(connection).get_current_heads()
            raise DatabaseError(
                f"The database {place(read_url(url))} is of revision {', '.join(found) or 'none'}: "
                f"it cannot be brought back to {revision} by this Likeness."
            ) from error

    _existing(url)
    with only_process(url):
        async with _open(url, make_engine(url)) as engine, engine.begin() as connection:
            await connection.run_sync(back)


def backup(url: str, target: Path) -> None:
    """Copy a SQLite database while the bot is at work; the copy is whole or not there at all.

    Raises:
        DatabaseError: It cannot be read, is damaged, or is no file.
        LikenessError: The copy cannot be written, or there is something of that name.
    """
    file = _file(url)
    _must_be_free(target)
    part = target.with_name(f".{target.name}.part")
    try:
        part.touch(mode=0o600)
        with (
            closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy)  # at once: in parts it begins anew whenever the bot writes
            [[verdict]] = copy.execute("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise DatabaseError(f"The database {file} is damaged: {verdict}.")
        part.replace(target)
    except sqlite3.Error as error:
        raise DatabaseError(f"The database {file} cannot be copied: {error}.") from error
    except OSError as error:
        raise LikenessError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def _must_be_free(target: Path) -> None:
    if target.exists():
        raise LikenessError(f"{target} is there already: name another file.")
    if not target.parent.is_dir():
        raise LikenessError(f"{target} cannot be written: there is no folder {target.parent}.")


async def export(url: str, target: Path) -> int:
    """Write all that was heard and said as `messages.jsonl`; return how many messages that are.

    A thread is a chat of its own. What is hidden from the model is written all the same. What the
    bot said is marked as automated: it is to be read, and teaches nobody to write as it did.

    Raises:
        DatabaseError: There is none, or it cannot be read.
        LikenessError: The file cannot be written, or there is something of that name.
    """
    _must_be_free(target)
    everything = (
        select(ChatRow, MessageRow)
        .join(MessageRow)
        .order_by(ChatRow.id, MessageRow.sent_at, MessageRow.id)
        .execution_options(yield_per=1000)
    )
    count = 0
    _existing(url)
    async with _open(url, await connect(url)) as engine:
        with whole_file(target) as file:
            async with AsyncSession(reading(engine)) as session:
                async for chat, row in await session.stream(everything):
                    file.write(f"{_exported(chat, row).to_json()}\n")
                    count += 1
    return count


def _exported(chat: ChatRow, row: MessageRow) -> Message:
    name = f"{chat.chat}/{chat.thread}" if chat.thread else chat.chat
    message = to_message(ChatId(chat.platform, name), chat.title, row)
    return replace(message, kind="automated") if message.outgoing else message


async def vacuum(url: str) -> None:
    """Give the room of what was deleted back to the disk.

    Raises:
        DatabaseError: There is none, it cannot be used, or somebody else is writing to it.
    """
    _existing(url)
    async with _open(url, await connect(url)) as engine:
        async with engine.connect() as connection:
            raw: Any = await connection.get_raw_connection()
            await raw.driver_connection.execute("VACUUM")
        await settle(engine)  # or the file stays as large as it was while the bot is at work


async def prune(url: str, before: datetime) -> int:
    """Delete what was said before a moment, but for what waits for an answer.

    A chat of which nothing is left loses its name, too: in private that is a person's.

    Returns:
        How many messages are gone.

    Raises:
        DatabaseError: There is none, or it cannot be used.
    """
    count = 0
    _existing(url)
    async with _open(url, await connect(url)) as engine:
        async with engine.begin() as connection:
            newest = await connection.scalar(select(func.max(MessageRow.id))) or 0
        for first in range(0, newest + 1, AT_ONCE):
            async with engine.begin() as connection:
                count += await _delete(connection, first, before)
        async with engine.begin() as connection:
            empty = ~exists().where(MessageRow.chat_id == ChatRow.id)
            await connection.execute(update(ChatRow).where(empty).values(title=""))
        await settle(engine)
    return count


async def _delete(connection: AsyncConnection, first: int, before: datetime) -> int:
    deleted = await connection.execute(
        delete(MessageRow).where(
            MessageRow.id >= first,
            MessageRow.id < first + AT_ONCE,
            MessageRow.sent_at < before,
            ~MessageRow.asks,
        )
    )
    return deleted.rowcount


@asynccontextmanager
async def _open(url: str, engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    try:
        yield engine
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise DatabaseError(
            f"The database {place(read_url(url))} cannot be used: {reason(error)}."
        ) from error
    finally:
        await engine.dispose()


def _existing(url: str) -> Path | None:
    """Return a database's file, which is there; None for a database that is elsewhere."""
    file = file_of(url)
    if file is not None and not file.is_file():
        raise DatabaseError(f"There is no database {file}: name it in LIKENESS_DATABASE.")
    return file


def _file(url: str) -> Path:
    file = _existing(url)
    if file is None:
        raise DatabaseError(
            "Only a SQLite file is copied here; for PostgreSQL type "
            "`pg_dump --format=custom --file=likeness.dump`, with its address."
        )
    return file
