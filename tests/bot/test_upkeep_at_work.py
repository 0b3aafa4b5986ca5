"""A database that is copied, pruned and vacuumed while the bot is at work on it."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.store import Store, upkeep
from tests.bot.conftest import ANN, NOON, write_message
from tests.bot.test_store import on_disk, url


def test_a_backup_does_not_begin_anew_whenever_the_bot_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, connect = tmp_path / "likeness.db", sqlite3.connect
    writer = connect(file, isolation_level=None)
    writer.executescript("PRAGMA journal_mode = WAL; CREATE TABLE said (text)")
    writer.execute("INSERT INTO said VALUES (zeroblob(10000000))")
    steps = 0

    def write(*_: int) -> None:
        nonlocal steps
        steps += 1
        assert steps < 9
        writer.execute("INSERT INTO said VALUES ('more')")

    class Watched(sqlite3.Connection):
        def backup(self, target: sqlite3.Connection, **how: Any) -> None:
            super().backup(target, progress=write, **how)

    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=Watched, **k))
    upkeep.backup(url(file), tmp_path / "copy.db")
    writer.close()


async def test_room_is_given_back_while_the_bot_is_at_work(tmp_path: Path) -> None:
    database = url(tmp_path / "likeness.db")
    store = await Store.open(database)
    old = write_message("a long story " * 100_000, sent_at=NOON - timedelta(days=365))
    await store.add(ANN, old)
    await upkeep.prune(database, NOON)
    assert b"long story" not in on_disk(tmp_path)
    await upkeep.vacuum(database)
    assert len(on_disk(tmp_path)) < 300_000
    await store.close()
