"""A database of years is asked only what an index answers."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.history import ChatId
from bot.store import Store
from tests.bot.conftest import ANN, NOON, write_message

WHOLE = re.compile(r"SCAN (messages|chats)(?! USING (COVERING )?INDEX ix_messages_asks)")
"""Reads all of what grows over years; an index of what waits for an answer stays small."""


async def use_everything(store: Store) -> None:
    """Do what a bot does to its database."""
    elsewhere = ChatId("telegram", "8")
    for number in range(6):
        await store.add(ANN, write_message("hello", id=str(number)), asks=True)
    await store.add(ANN, write_message("hello", id="0"))
    await store.edit(ANN, "1", "changed", "user1")
    await store.question(ANN)
    one, *_ = await store.plan(ANN, "5", ["one", "two"], "text")
    await store.owed("telegram", NOON, 9)
    await store.owed("telegram", NOON, 9, [elsewhere])
    await store.asking([ANN, elsewhere])
    await store.count_owed()
    await store.sent((await store.drafts(ANN))[0], "9", "Robin", NOON)
    await store.withdraw(ANN)
    await store.sent(one, "9", "Robin", NOON)
    await store.recent(ANN, 9)
    await store.hide_last(ANN, question=True)
    await store.delete("telegram", "7", {"2"})
    await store.newest("telegram", 9)
    await store.move(ANN, elsewhere)
    await store.forget(elsewhere)


async def plans(folder: Path) -> dict[str, str]:
    """Return how SQLite goes about every statement that the store makes."""
    said: list[tuple[str, Any]] = []
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/likeness.db")

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            said.append((statement, values))

    event.listen(store._engine.sync_engine, "before_cursor_execute", note)
    await use_everything(store)
    await store.close()
    file = sqlite3.connect(folder / "likeness.db")
    found = {
        statement: " | ".join(
            str(step[3]) for step in file.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        )
        for statement, values in said
    }
    file.close()
    return found


@pytest.mark.slow
async def test_no_statement_reads_a_whole_table_that_grows(tmp_path: Path) -> None:
    found = await plans(tmp_path)
    assert len(found) > 20
    assert [steps for steps in found.items() if WHOLE.search(steps[1])] == []


@pytest.mark.slow
@pytest.mark.parametrize("index", ["ix_messages_chat_id_id", "ix_messages_asks"])
async def test_what_is_recent_and_what_waits_is_found_in_order(tmp_path: Path, index: str) -> None:
    found = [plan for plan in (await plans(tmp_path)).values() if index in plan]
    assert found
    assert any("TEMP B-TREE" not in plan for plan in found)
