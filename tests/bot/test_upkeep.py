"""`likeness db`, and a database on a full disk or in somebody else's hands."""

import asyncio
import sqlite3
import stat
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from sqlalchemy import select

from bot.adapters.delivery import Patience
from bot.adapters.telegram import serve
from bot.conversation import Conversation
from bot.history import ChatId, Place
from bot.settings import Settings
from bot.store import Store, databases, upkeep
from bot.store.lock import only_process
from bot.store.tables import ChatRow
from likeness.cli import main
from likeness.errors import DatabaseError, LikenessError
from likeness.files import read_messages
from tests.bot.adapters.fake_telegram import TOKEN, FakeTelegram
from tests.bot.conftest import ANN, NOON, write_message

pytestmark = pytest.mark.slow

TOPIC = ChatId("telegram", "7", "3")
YEAR = timedelta(days=365)

Likeness = Callable[..., Result]


async def fill(url: str) -> None:
    """Let Ann write in two places, long ago and now, and wait for an answer to both."""
    store = await Store.open(url)
    await store.add(TOPIC, write_message("in a topic", id="9"))
    for number, text in enumerate(["later", "sooner"]):
        await store.add(ANN, write_message(text, id=text, seconds=-number))
    await store.add(ANN, write_message("old", id="1", sent_at=NOON - YEAR))
    await store.add(ANN, write_message("old, and asks", id="2", sent_at=NOON - YEAR), asks=True)
    await store.close()


@pytest.fixture
def likeness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Likeness:
    """Return a function that runs the command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIKENESS_DATABASE", raising=False)

    def run(*arguments: str, fails: int = 0, given: str | None = None) -> Result:
        result = CliRunner().invoke(main, ["db", *arguments], input=given)
        assert result.exit_code == fails, result.output
        return result

    return run


async def test_everything_is_exported_as_messages_each_thread_a_chat_in_time_order(
    database_url: str, tmp_path: Path
) -> None:
    await fill(database_url)
    target = tmp_path / "messages.jsonl"
    assert await upkeep.export(database_url, target) == 5
    found = [(message.chat_id, message.text) for message in read_messages(target)]
    assert found == [
        ("7/3", "in a topic"),
        ("7", "old"),
        ("7", "old, and asks"),
        ("7", "sooner"),
        ("7", "later"),
    ]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(LikenessError, match=r"messages\.jsonl is there already"):
        await upkeep.export(database_url, target)
    assert len(list(read_messages(target))) == 5


async def test_what_the_bot_said_is_exported_as_none_of_mine_to_learn_from(
    database_url: str, tmp_path: Path
) -> None:
    store = await Store.open(database_url)
    await store.add(ANN, write_message("hi", id="1"), asks=True)
    (draft,) = await store.plan(ANN, "1", ["hello"], "text")
    await store.sent(draft, "2", "Juno", NOON)
    await store.close()
    assert await upkeep.export(database_url, tmp_path / "said.jsonl") == 2
    found = [(one.text, one.outgoing, one.kind) for one in read_messages(tmp_path / "said.jsonl")]
    assert found == [("hi", False, "text"), ("hello", True, "automated")]


async def test_what_is_too_old_goes_but_for_what_waits(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "AT_ONCE", 2)
    await fill(database_url)
    assert await upkeep.prune(database_url, NOON - YEAR / 2) == 1
    await upkeep.vacuum(database_url)
    store = await Store.open(database_url)
    assert [one.text for one in await store.recent(ANN, 9)] == ["later", "sooner", "old, and asks"]
    assert await store.owed("telegram", NOON - 2 * YEAR, 9) == [Place(ANN, "2")]
    await store.close()


async def test_a_chat_of_which_nothing_is_left_loses_its_name(database_url: str) -> None:
    await fill(database_url)
    await upkeep.prune(database_url, NOON + YEAR)
    store = await Store.open(database_url)
    async with store._transaction() as session:
        found = await session.execute(select(ChatRow.thread, ChatRow.title))
        assert set(found) == {(TOPIC.thread, ""), (ANN.thread, "Ann")}
    await store.close()


async def test_a_database_goes_back_and_forth(database_url: str) -> None:
    await fill(database_url)
    newest = await upkeep.upgrade(database_url)
    await upkeep.downgrade(database_url, "0002")
    assert await upkeep.upgrade(database_url) == newest
    store = await Store.open(database_url)
    assert len(await store.recent(ANN, 9)) == 4
    await store.close()
    with pytest.raises(DatabaseError, match="There is no revision 'x'"):
        await upkeep.downgrade(database_url, "x")


async def test_a_database_is_not_brought_back_to_what_is_newer_than_it(database_url: str) -> None:
    await fill(database_url)
    await upkeep.downgrade(database_url, "0002")
    with pytest.raises(DatabaseError, match=r"of revision 0002: it cannot be .* to 0003"):
        await upkeep.downgrade(database_url, "0003")


@pytest.mark.parametrize(
    "order",
    [
        ("downgrade", "0002", "--yes"),
        ("export", "messages.jsonl"),
        ("vacuum",),
        ("prune", "--older", "1y", "--yes"),
    ],
    ids=lambda order: order[0],
)
def test_a_database_that_is_not_there_is_one_sentence_and_is_not_made(
    likeness: Likeness, tmp_path: Path, order: tuple[str, ...]
) -> None:
    told = likeness(*order, fails=1).output
    assert "Error: There is no database likeness.db: name it in LIKENESS_DATABASE.\n" in told
    assert list(tmp_path.iterdir()) == []


async def test_a_backup_made_while_the_bot_writes_is_whole(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/likeness.db"
    await fill(url)
    store = await Store.open(url)
    copying = threading.Thread(target=upkeep.backup, args=(url, tmp_path / "copy.db"))
    copying.start()
    for number in range(50):
        await store.add(ANN, write_message("more", id=f"m{number}"))
    copying.join()
    await store.close()
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    copy = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/copy.db")
    assert 4 <= len(await copy.recent(ANN, 99)) <= 54
    await copy.close()
    with pytest.raises(LikenessError, match="is there already"):
        upkeep.backup(url, tmp_path / "copy.db")
    assert left_over(tmp_path) == []


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_what_cannot_be_copied_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="pg_dump"):
        upkeep.backup("postgresql+asyncpg://somewhere/likeness", tmp_path / "copy")
    with pytest.raises(DatabaseError, match="There is no database"):
        upkeep.backup(f"sqlite+aiosqlite:///{tmp_path}/none.db", tmp_path / "copy")
    (tmp_path / "notes.txt").write_text("no database\n" * 100)
    with pytest.raises(DatabaseError, match="cannot be copied: file is not a database"):
        upkeep.backup(f"sqlite+aiosqlite:///{tmp_path}/notes.txt", tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_no_folder_is_made_for_a_copy(likeness: Likeness) -> None:
    likeness("upgrade")
    for command in ("backup", "export"):
        said = likeness(command, "nowhere/copy", fails=1).output
        assert "nowhere/copy cannot be written: there is no folder nowhere." in said
    assert not Path("nowhere").exists()


def test_the_command_asks_before_anything_is_gone(likeness: Likeness) -> None:
    asyncio.run(fill("sqlite+aiosqlite:///likeness.db"))
    assert "will be gone. Go on?" in likeness("prune", "--older", "1y", given="n", fails=1).output
    assert "0 messages are gone" in likeness("prune", "--older", "99y", "--yes").output
    assert "write days, weeks" in likeness("prune", "--older", "soon", fails=2).output
    assert "write 100y at the most" in likeness("prune", "--older", "3000y", fails=2).output
    assert "4 messages are gone" in likeness("prune", "--older", "6m", given="y").output
    likeness("vacuum")
    assert ": 1 message\n" in likeness("export", "messages.jsonl").output
    assert "and whole" in likeness("backup", "copy.db").output
    likeness("downgrade", "0002", given="n", fails=1)
    assert "of revision 0002" in likeness("downgrade", "0002", "--yes").output
    assert "of revision 00" in likeness("upgrade").output


def test_a_database_at_work_is_not_brought_back(likeness: Likeness) -> None:
    likeness("upgrade")
    with only_process("sqlite+aiosqlite:///likeness.db"):
        assert "already at work" in likeness("downgrade", "0002", "--yes", fails=75).output


async def test_a_full_disk_loses_nothing_and_is_answered_once_there_is_room(
    tmp_path: Path, fake_engine: Any
) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/likeness.db")
    hasty = Patience(first_wait_seconds=0.01, longest_wait_seconds=0.05, grace_seconds=1)
    async with FakeTelegram() as telegram:
        settings = Settings(
            telegram_token=SecretStr(TOKEN),
            telegram_base_url=telegram.url,
            LIKENESS_ALLOW="everyone",
        )
        talk = Conversation(store, fake_engine(["one"], ["two"]))
        bot = asyncio.create_task(serve(settings, talk, hasty))
        await telegram.say("hello")
        await telegram.until_sent(1)
        await limit_pages(store, 1)
        await telegram.say("a long story " * 300)
        await telegram.until(lambda: len(telegram.of("getUpdates")) > 9)
        assert telegram.waiting
        await limit_pages(store, 1_000_000)
        assert await telegram.until_sent(2) == ["one", "two"]
        bot.cancel()
        await asyncio.wait([bot])
    assert len(await store.recent(ChatId("telegram", "42"), 9)) == 4
    await store.close()


async def limit_pages(store: Store, pages: int) -> None:
    """Leave the database room for so many pages at the most, as a disk does; or for what it has."""
    async with store._engine.connect() as connection:
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


async def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/likeness.db")
    await limit_pages(store, 1)
    with pytest.raises(DatabaseError, match=r"cannot be used: database or disk is full\.$"):
        await store.add(ANN, write_message("a long story " * 2000))
    await limit_pages(store, 1_000_000)
    assert await store.add(ANN, write_message("a long story " * 2000))
    await store.close()


async def test_a_database_in_somebody_else_s_hands_is_one_sentence_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "BUSY_SECONDS", 0)
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/likeness.db")
    other = sqlite3.connect(tmp_path / "likeness.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError, match=r"cannot be used: database is locked\.$"):
        await store.add(ANN, write_message("hello"))
    other.execute("ROLLBACK")
    other.close()
    assert await store.add(ANN, write_message("hello"))
    await store.close()


async def test_an_export_holds_up_no_writer(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/likeness.db"
    await fill(url)
    writer = sqlite3.connect(tmp_path / "likeness.db", isolation_level=None)
    engine = databases.make_engine(url)
    async with databases.reading(engine).connect() as reader:
        await reader.exec_driver_sql("SELECT * FROM messages")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("ROLLBACK")
    writer.close()
    await engine.dispose()
