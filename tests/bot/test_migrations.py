"""Databases of every age become today's, whole or not at all."""

import asyncio
import importlib.util
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from alembic import command, op
from bot.history import ChatId
from bot.store import Store
from bot.store.databases import make_engine
from bot.store.migrations import config, migrate
from bot.store.tables import Table
from likeness.errors import BadSettings, DatabaseError, DatabaseTooNew
from likeness.messages import Message
from tests.bot.conftest import ANN
from tests.bot.postgresql import PostgreSQL

pytestmark = pytest.mark.slow

REVISIONS = [
    revision.revision for revision in ScriptDirectory.from_config(config()).walk_revisions()
][::-1]

OLD_ROWS = """
    INSERT INTO chats (id, platform, chat, thread, title) VALUES (1, 'telegram', '7', '', 'Ann');
    INSERT INTO messages
        (id, chat_id, message_id, speaker_id, speaker, outgoing, sent_at, text, kind, kept_at)
        VALUES (1, 1, '12', 'user1', 'Ann', 0, '2024-05-01 12:00:00.000000', 'from back then',
                'text', '2024-05-01 12:00:01.000000');
"""

OWED_ROWS = """
    UPDATE messages SET asks = 1, hidden = 1;
    INSERT INTO drafts (chat_id, answers, text, kind, nonce, kept_at)
        VALUES (1, '12', 'to be sent', 'text', 'n', '2024-05-01 12:00:02.000000');
"""


OWNER_S_ROWS = """
    INSERT INTO guests (platform, guest, name, standing, since)
        VALUES ('telegram', '7', 'Ann', 'allowed', '2024-05-01 12:00:02.000000');
    INSERT INTO switches (name, since) VALUES ('stopped', '2024-05-01 12:00:02.000000');
    UPDATE chats SET temperature = 0.5, pace = 'quick', chattiness = 'chatty', attempts = 2;
"""


def at(path: Path, steps: Callable[[Connection], None]) -> None:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        steps(connection)


def go(path: Path, revision: str, move: Callable[..., None] = command.upgrade) -> None:
    def steps(connection: Connection) -> None:
        found = config()
        found.attributes["connection"] = connection
        move(found, revision)

    at(path, steps)


def run_sql(path: Path, statements: str) -> None:
    file = sqlite3.connect(path)
    file.executescript(statements)
    file.close()


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    file = sqlite3.connect(path)
    found = file.execute(query).fetchall()
    file.close()
    return found


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def opened(path: Path) -> list[Message]:
    store = await Store.open(f"sqlite+aiosqlite:///{path}")
    found = await store.recent(ChatId("telegram", "7"), 10)
    await store.close()
    return found


async def test_migrations_make_what_the_tables_say(tmp_path: Path) -> None:
    path = tmp_path / "likeness.db"
    await opened(path)

    def compare(connection: Connection) -> None:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Table.metadata) == []

    at(path, compare)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_database_of_any_revision_keeps_its_messages(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "likeness.db"
    go(path, revision)
    run_sql(path, OLD_ROWS)
    [message] = await opened(path)
    assert message.text == "from back then"
    assert rows(path, "SELECT version_num FROM alembic_version") == [(REVISIONS[-1],)]


async def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "likeness.db"
    path.touch()
    assert await opened(path) == []


@pytest.mark.parametrize("revision", ["base", *REVISIONS])
async def test_one_can_go_back_to_any_revision_and_forth_again(
    tmp_path: Path, revision: str
) -> None:
    path = tmp_path / "likeness.db"
    go(path, "head")
    run_sql(path, OLD_ROWS)
    go(path, revision, command.downgrade)
    kept = [] if revision == "base" else ["from back then"]
    assert [message.text for message in await opened(path)] == kept


async def test_going_back_drops_what_is_owed_and_keeps_what_was_said(tmp_path: Path) -> None:
    path = tmp_path / "likeness.db"
    go(path, "head")
    run_sql(path, OLD_ROWS)
    run_sql(path, OWED_ROWS)
    assert await opened(path) == []
    go(path, "0002", command.downgrade)
    assert [message.text for message in await opened(path)] == ["from back then"]
    assert rows(path, "SELECT asks, hidden FROM messages") == [(0, 0)]
    assert rows(path, "SELECT * FROM drafts") == []


async def test_going_back_drops_what_the_owner_decided_and_keeps_what_was_said(
    tmp_path: Path,
) -> None:
    path = tmp_path / "likeness.db"
    go(path, "0011")
    run_sql(path, OLD_ROWS)
    run_sql(path, OWNER_S_ROWS)
    go(path, "0010", command.downgrade)
    assert [message.text for message in await opened(path)] == ["from back then"]
    assert rows(path, "SELECT temperature, pace, attempts FROM chats") == [(None, None, 0)]
    assert rows(path, "SELECT * FROM guests") == rows(path, "SELECT * FROM switches") == []


async def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "likeness.db"
    go(path, "head")
    run_sql(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNew, match=r"newer Likeness: update Likeness"):
        await opened(path)
    assert path.read_bytes() == before
    assert names(tmp_path) == ["likeness.db"]


async def test_another_program_s_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    run_sql(path, "CREATE TABLE messages (body TEXT)")
    before = path.read_bytes()
    with pytest.raises(BadSettings, match="belongs to another program"):
        await opened(path)
    assert path.read_bytes() == before


async def test_a_migration_that_breaks_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "likeness.db"
    go(path, "0001")
    run_sql(path, OLD_ROWS)
    before = rows(path, "SELECT * FROM sqlite_master")
    add = op.add_column

    def add_and_break(*parts: Any) -> None:
        add(*parts)
        raise OSError("disk full")

    monkeypatch.setattr(op, "add_column", add_and_break)
    with pytest.raises(DatabaseError, match="disk full"):
        await opened(path)
    monkeypatch.undo()
    assert rows(path, "SELECT * FROM sqlite_master") == before
    assert [message.text for message in await opened(path)] == ["from back then"]


async def test_of_processes_that_start_together_one_migrates_and_the_others_wait(
    postgresql: PostgreSQL, message: Callable[..., Message]
) -> None:
    url = postgresql.new_database()
    engine = make_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(migrate, "here")
        other = asyncio.create_task(Store.open(url))
        assert not (await asyncio.wait([other], timeout=1))[0]
    store = await other
    assert await store.add(ANN, message("hello"))
    await store.close()
    await engine.dispose()


def test_the_folder_of_migrations_never_shadows_the_library() -> None:
    found = importlib.util.find_spec("alembic")
    assert found is not None
    assert found.origin is not None
    assert "site-packages" in found.origin
    assert not (Path(__file__).parents[2] / "alembic" / "__init__.py").exists()
