"""Histories in a database: each chat its own, nothing twice, errors in one sentence."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.access import Guest
from bot.history import ChatId
from bot.pace import Customs
from bot.store import Store
from likeness.errors import BadSettings, DatabaseError
from likeness.messages import Message
from tests.bot.conftest import ANN, BEN, NOON

MakeMessage = Callable[..., Message]


def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = await Store.open(database_url)
    yield store
    await store.close()


async def texts(store: Store, chat: ChatId, limit: int = 100) -> list[str]:
    return [message.text for message in await store.recent(chat, limit)]


@pytest.mark.slow
async def test_a_message_comes_back_as_it_was(store: Store, message: MakeMessage) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    sent = message(
        "zeile\nzwei 👩‍🚀 é",
        sent_at=datetime(2024, 5, 1, 23, 59, 59, 123456, tzinfo=east),
        reply_to="0",
        kind="media",
    )
    assert await store.add(ANN, sent)
    [found] = await store.recent(ANN, 10)
    assert found == sent
    assert found.sent_at.tzinfo is UTC


@pytest.mark.slow
async def test_a_message_is_kept_once(store: Store, message: MakeMessage) -> None:
    assert await store.add(ANN, message("first"))
    assert not await store.add(ANN, message("the same again"))
    assert await store.add(BEN, message("the same id elsewhere"))
    assert await texts(store, ANN) == ["first"]


async def test_recent_gives_the_newest_in_the_order_they_were_kept(
    store: Store, message: MakeMessage
) -> None:
    for number in range(5):
        await store.add(ANN, message(str(number), id=f"x{number}", seconds=-number))
    assert await texts(store, ANN, limit=3) == ["2", "3", "4"]


async def test_chats_threads_and_platforms_never_share_history(
    store: Store, message: MakeMessage
) -> None:
    places = [
        ANN,
        BEN,
        ChatId("telegram", "7", "1"),
        ChatId("telegram", "7", "2"),
        ChatId("discord", "7"),
    ]
    for number, place in enumerate(places):
        await store.add(place, message(f"canary {number}"))
    for number, place in enumerate(places):
        assert await texts(store, place) == [f"canary {number}"]
    await store.forget(places[2])
    assert [len(await texts(store, place)) for place in places] == [1, 1, 0, 1, 1]


async def test_what_is_forgotten_is_not_looked_at_and_stays_known(
    store: Store, message: MakeMessage
) -> None:
    await store.forget(ANN)
    await store.add(ANN, message("before", id="1"))
    await store.forget(ANN)
    assert await texts(store, ANN) == []
    assert not await store.add(ANN, message("before", id="1"))
    await store.add(ANN, message("after", id="2"))
    assert await texts(store, ANN) == ["after"]


async def test_history_outlives_the_process(database_url: str, message: MakeMessage) -> None:
    for expected in ([], ["kept"]):
        store = await Store.open(database_url)
        assert await texts(store, ANN) == expected
        await store.add(ANN, message("kept"))
        await store.close()


async def test_a_chat_s_newest_name_is_remembered(store: Store, message: MakeMessage) -> None:
    await store.add(ANN, message("a", id="1", chat="Ann"))
    await store.add(ANN, message("b", id="2", chat="Ann B."))
    assert {found.chat for found in await store.recent(ANN, 10)} == {"Ann B."}


async def test_setting_something_leaves_a_chat_its_name(store: Store, message: MakeMessage) -> None:
    await store.add(ANN, message("a", chat="Ann"))
    await store.set_customs(ANN, Customs(pace="off"))
    assert [found.chat for found in await store.recent(ANN, 10)] == ["Ann"]


@pytest.mark.parametrize("spoilt", ["\0", "\ud83d"], ids=["NUL", "half a pair"])
async def test_what_databases_do_not_take_is_kept_as_a_sign_in_its_place(
    store: Store, message: MakeMessage, spoilt: str
) -> None:
    strange, kept = f"a{spoilt}b", "a\N{REPLACEMENT CHARACTER}b"
    assert await store.add(ANN, message(strange, id="1", speaker=strange))
    await store.add(ANN, message("helo", id="2", chat=strange), asks=True)
    await store.edit(ANN, "2", strange, "user1")
    [draft] = await store.plan(ANN, "2", [strange], "text")
    await store.sent(draft, "3", strange, NOON)
    found = await store.recent(ANN, 10)
    assert [said.text for said in found] == [kept] * 3
    assert (found[0].speaker, found[0].chat, found[2].speaker) == (kept, kept, kept)
    assert await store.knock(Guest("telegram", "8", strange, "waiting"), 9)
    await store.sign(Guest("telegram", "9", strange, "waiting"))
    assert [guest.name for guest in await store.guests("waiting", 9)] == [kept, kept]


async def test_in_a_chat_that_moves_answers_are_to_what_they_were_and_drafts_to_nothing(
    store: Store, message: MakeMessage
) -> None:
    await store.add(ANN, message("a", id="1"), asks=True)
    said, _ = await store.plan(ANN, "1", ["one", "two"], "text")
    await store.sent(said, "2", "Robin", NOON)
    await store.move(ANN, BEN)
    assert [(found.id, found.reply_to) for found in await store.recent(BEN, 9)] == [
        ("7:1", None),
        ("7:2", "7:1"),
    ]
    assert [(draft.text, draft.answers) for draft in await store.drafts(BEN)] == [("two", "")]


@pytest.mark.slow
async def test_many_at_once_are_all_kept(store: Store, message: MakeMessage) -> None:
    chats = [ChatId("telegram", str(number % 7)) for number in range(70)]
    added = await asyncio.gather(
        *(store.add(chat, message("x", id=str(n // 14))) for n, chat in enumerate(chats))
    )
    assert sum(added) == 35
    assert [len(await texts(store, chat)) for chat in chats[:7]] == [5] * 7


async def test_the_file_is_the_owner_s_alone_and_safe_to_read_meanwhile(
    tmp_path: Path, message: MakeMessage
) -> None:
    before = os.umask(0)
    try:
        store = await Store.open(url(tmp_path / "likeness.db"))
        await store.add(ANN, message("private"))
        modes = {stat.S_IMODE(entry.stat().st_mode) for entry in os.scandir(tmp_path)}
        with sqlite3.connect(tmp_path / "likeness.db") as other:
            assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert other.execute("SELECT count(*) FROM messages").fetchone() == (1,)
        other.close()
        await store.close()
    finally:
        os.umask(before)
    assert modes == {0o600}


@pytest.mark.parametrize(
    "address",
    [
        "sqlite+aiosqlite:////nowhere/at/all/likeness.db",
        "sqlite+nosuchdriver:///likeness.db",
        "nosuchbase+driver://somewhere/db",
        "sqlite:///likeness.db",
        "no url at all",
    ],
)
async def test_a_database_that_cannot_be_opened_is_one_sentence(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadSettings) as caught:
        await Store.open(address)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"these are my notes, and no database\n" * 100)
    before = path.read_bytes()
    with pytest.raises(BadSettings, match=r"notes\.txt cannot be opened: file is not a database"):
        await Store.open(url(path))
    assert path.read_bytes() == before


async def test_a_failing_database_tells_no_words(
    tmp_path: Path, message: MakeMessage, caplog: pytest.LogCaptureFixture
) -> None:
    store = await Store.open(url(tmp_path / "likeness.db"))
    file = sqlite3.connect(tmp_path / "likeness.db")
    file.execute("ALTER TABLE messages RENAME TO gone")
    file.close()
    with pytest.raises(DatabaseError) as caught:
        await store.add(ANN, message("my secret words", speaker="Secret Name"))
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "secret" not in f"{chain} {chain!r}".lower()
        chain = chain.__cause__ or chain.__context__
    assert "secret" not in caplog.text.lower()
    await store.close()


@pytest.mark.slow
async def test_no_byte_of_what_is_erased_stays_in_the_files(
    tmp_path: Path, message: MakeMessage
) -> None:
    store = await Store.open(url(tmp_path / "likeness.db"))
    words = "a-secret-that-shall-be-forgotten " * 300
    await store.add(ANN, message(words, speaker="Forgettable"))
    for number in range(50):
        await store.add(BEN, message("something else", id=str(number)))
    await store.erase("telegram", "user1")
    kept = on_disk(tmp_path)
    assert b"SQLite" in kept
    assert b"a-secret-that" not in kept
    assert b"Forgettable" not in kept
    await store.close()


async def test_what_is_kept_of_a_person_is_found_by_an_index(tmp_path: Path) -> None:
    store = await Store.open(url(tmp_path / "likeness.db"))
    statements = {
        "SELECT * FROM messages WHERE speaker_id = 'x'": "ix_messages_speaker_id",
        "SELECT standing FROM guests WHERE platform = 'p' AND guest IN ('1', '2')": "uq_guests",
        "SELECT * FROM guests WHERE standing = 'x' ORDER BY id DESC": "ix_guests_standing_id",
        "SELECT 1 FROM switches WHERE name = 'stopped'": "autoindex",
    }
    file = sqlite3.connect(tmp_path / "likeness.db")
    for statement, index in statements.items():
        plan = " ".join(str(row[3]) for row in file.execute(f"EXPLAIN QUERY PLAN {statement}"))
        assert index.replace("uq_guests", "autoindex") in plan
        assert "SCAN" not in plan
    file.close()
    await store.close()


async def test_who_deleted_what_they_wrote_in_a_group_leaves_nobody_alone_there(
    store: Store, message: MakeMessage
) -> None:
    for chat, people in ((ANN, ["user1", "user2"]), (BEN, ["user1"])):
        for number, who in enumerate(people):
            await store.add(chat, message("hi", id=f"{number}", speaker_id=who), asks=True)
        [draft] = await store.plan(chat, f"{number}", [f"to {who}"], "text")
        await store.sent(draft, "9", "Robin", NOON)
        await store.add(chat, message("bye", id="10"))
    for _ in range(2):
        await store.delete("telegram", ANN.chat, {"1", "10"})
        await store.delete("telegram", BEN.chat, {"10"})
    found = [kept.text for kept in await store.of_person("telegram", "user1")]
    assert found == ["hi", "hi", "to user1"]
    assert await store.alone_with("telegram", "user1") == [BEN]
