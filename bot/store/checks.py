"""Whether a database can be used, found without changing it."""

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.findings import Finding
from bot.store.customs import is_stopped
from bot.store.databases import file_of, make_engine, place, reason
from bot.store.migrations import config
from bot.store.tables import ChatRow, MessageRow
from likeness.errors import ServeError
from likeness.texts import counted

SUBJECT = "Database"


def database_folder(url: str) -> Path | None:
    """Return the folder of a database file; None for a database that is elsewhere."""
    file = file_of(url)
    return file.parent if file is not None and file.parent.is_dir() else None


async def examine_database(url: str) -> AsyncIterator[Finding]:
    """Look whether it opens, of which revision it is, and whether it can be written."""
    file = file_of(url)
    if file is not None and not file.exists():
        yield _unborn(file)
        return
    if file is not None and os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield Finding(SUBJECT, "fault", f"Others may read {file}: type `chmod 600 {file}`.")
    try:
        engine = make_engine(url)
    except ServeError as error:
        yield Finding(SUBJECT, "fault", str(error))
        return
    try:
        yield await _opened(engine)
    except (SQLAlchemyError, OSError) as error:
        yield Finding(
            SUBJECT, "fault", f"{place(engine.url)} cannot be opened and written: {reason(error)}."
        )
    finally:
        await engine.dispose()


def _unborn(file: Path) -> Finding:
    if not file.parent.exists():
        return Finding(
            SUBJECT, "fault", f"{file} cannot be made: there is no folder {file.parent}."
        )
    if file.parent.is_dir() and os.access(file.parent, os.W_OK):
        return Finding(SUBJECT, "ok", f"{file} will be made at the first start.")
    return Finding(SUBJECT, "fault", f"{file} cannot be made: its folder cannot be written.")


async def _opened(engine: AsyncEngine) -> Finding:
    # A transaction on SQLite begins by taking the right to write.
    async with engine.begin() as connection:
        found, newest, known = await connection.run_sync(_revisions)
        if not found:
            return Finding(SUBJECT, "ok", f"{place(engine.url)} is still empty.")
        if found not in known:
            return Finding(
                SUBJECT,
                "fault",
                f"{place(engine.url)} was made by a newer Likeness: update Likeness, or name "
                "another database in LIKENESS_DATABASE.",
            )
        if found != newest:
            return Finding(
                SUBJECT,
                "note",
                f"{place(engine.url)} is of revision {found}; the next start makes it {newest}.",
            )
        chats = await connection.scalar(select(func.count()).select_from(ChatRow))
        said = await connection.scalar(select(func.max(MessageRow.id)))
        stopped = await connection.scalar(select(is_stopped()))
    silent = " The owner has stopped the bot: it answers nobody until they tell it /go."
    return Finding(
        SUBJECT,
        "note" if stopped else "ok",
        f"{place(engine.url)} can be written, is of revision {found}, and has heard and said "
        f"{counted(said or 0, 'message')} in {counted(chats or 0, 'chat')}."
        f"{silent if stopped else ''}",
    )


def _revisions(connection: Connection) -> tuple[str | None, str | None, set[str]]:
    """Return the database's revision, the newest, and all that are known."""
    script = ScriptDirectory.from_config(config())
    known = {revision.revision for revision in script.walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    return found, script.get_current_head(), known
