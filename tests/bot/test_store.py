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
from bot.history import ChatId, Counts, History, Place, Question
from bot.pace import Customs
from bot.store import Store
from likeness.errors import DatabaseError
from likeness.messages import Message
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.conftest import NOON

ANN = ChatId("telegram", "7")
BEN = ChatId("telegram", "8")

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


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow), "memory"])
async def history(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[History]:
    """Yield the real thing on both databases, and then the fake that the adapters' tests use."""
    if request.param == "memory":
        yield FakeHistory()
        return
    file = url(tmp_path / "likeness.db")
    server = request.param == "postgresql"
    store = await Store.open(
        request.getfixturevalue("postgresql").new_database() if server else file
    )
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


async def test_what_asks_waits_until_an_answer_to_it_is_planned(
    history: History, message: MakeMessage
) -> None:
    assert await history.question(ANN) is None
    await history.add(ANN, message("a", id="1", speaker_id="user1"), asks=True)
    await history.add(ANN, message("b", id="2", speaker_id="user2"))
    await history.add(ANN, message("c", id="3", speaker_id="user3"), asks=True)
    assert await history.question(ANN) == Question("3", "user3")
    await history.plan(ANN, "2", [], "text")
    assert await history.question(ANN) == Question("3", "user3")
    await history.plan(ANN, "3", [], "text")
    assert await history.question(ANN) is None


async def test_what_is_planned_is_sent_in_order_and_then_said(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"), asks=True)
    planned = await history.plan(ANN, "1", ["one", "two"], "text")
    assert planned == await history.drafts(ANN)
    assert [draft.text for draft in planned] == ["one", "two"]
    assert len({draft.nonce for draft in planned}) == 2
    assert await history.drafts(BEN) == []
    await history.sent(planned[0], "2", "Robin", NOON)
    assert await history.drafts(ANN) == planned[1:]
    said = (await history.recent(ANN, 9))[-1]
    assert (said.text, said.id, said.outgoing, said.sent_at) == ("one", "2", True, NOON)
    await history.withdraw(ANN)
    assert await history.drafts(ANN) == []
    await history.sent(planned[1], "3", "Robin", NOON)
    assert len(await history.recent(ANN, 9)) == 2


async def test_what_is_owed_is_a_message_a_chat_and_not_too_old(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("old", id="1", seconds=-60), asks=True)
    await history.add(ANN, message("new", id="2"), asks=True)
    await history.add(BEN, message("old", id="1", seconds=-60), asks=True)
    await history.add(ChatId("discord", "7"), message("elsewhere"), asks=True)
    assert await history.owed("telegram", NOON, 9) == [Place(ANN, "2")]
    await history.forget(ANN)
    assert await history.owed("telegram", NOON, 9) == []


async def test_an_edit_changes_what_others_said_alone(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"))
    [draft] = await history.plan(ANN, "1", ["mine"], "text")
    await history.sent(draft, "2", "Robin", NOON)
    for id_ in ("1", "2", "3"):
        await history.edit(ANN, id_, "changed")
    assert [found.text for found in await history.recent(ANN, 9)] == ["changed", "mine"]


async def test_a_chat_that_moves_takes_everything_along_and_its_ids_begin_anew(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"), asks=True)
    [draft] = await history.plan(ANN, "1", ["mine"], "text")
    await history.add(BEN, message("already there", id="9"))
    await history.move(ANN, BEN)
    assert await history.drafts(BEN) == [draft]
    assert await history.recent(ANN, 9) == []
    assert await history.add(BEN, message("new", id="1"))
    assert len(await history.recent(BEN, 9)) == 3


async def test_the_newest_message_of_each_chat_is_known(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"))
    await history.add(BEN, message("b", id="7"))
    await history.add(ANN, message("c", id="2"))
    assert set(await history.newest("telegram", 9)) == {Place(ANN, "2"), Place(BEN, "7")}
    assert await history.newest("discord", 9) == []


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
    with pytest.raises(DatabaseError) as caught:
        await Store.open(address)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"these are my notes, and no database\n" * 100)
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match=r"notes\.txt cannot be opened: file is not a database"):
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


async def test_the_list_of_guests_keeps_the_newest_standing_and_a_name_once_told(
    history: History,
) -> None:
    ann = Guest("telegram", "7", "Ann", "waiting")
    assert await history.knock(ann, 2)
    assert not await history.knock(ann, 2)
    assert await history.knock(Guest("discord", "7", "Ben", "waiting"), 2)
    assert not await history.knock(Guest("telegram", "9", "Eve", "waiting"), 2)
    await history.sign(Guest("telegram", "7", "", "allowed"))
    assert await history.standings("telegram", ["7", "9"]) == {"7": "allowed"}
    assert await history.guests("allowed", 9) == [Guest("telegram", "7", "Ann", "allowed")]
    await history.sign(Guest("telegram", "8", "Cleo", "allowed"))
    assert [guest.id for guest in await history.guests("allowed", 9)] == ["8", "7"]
    assert [guest.id for guest in await history.guests("allowed", 1)] == ["8"]
    assert await history.guests("waiting", 9, "telegram") == []
    await history.strike("telegram", "7")
    assert await history.standings("telegram", ["7", "8"]) == {"8": "allowed"}


async def test_what_a_chat_sets_for_itself_is_its_own(
    history: History, message: MakeMessage
) -> None:
    assert await history.customs(ANN) == Customs()
    await history.set_customs(ANN, Customs(0.5, "quick", "chatty"))
    await history.add(ANN, message("hi"))
    assert await history.customs(ANN) == Customs(0.5, "quick", "chatty")
    assert await history.customs(BEN) == Customs()
    await history.set_customs(ANN, Customs())
    assert await history.customs(ANN) == Customs()


async def test_each_other_answer_that_is_asked_for_is_counted(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("hi"), asks=True)
    for attempt in range(3):
        assert (await history.customs(ANN)).attempts == attempt
        [draft] = await history.plan(ANN, "1", ["yes"], "text")
        await history.sent(draft, f"said{attempt}", "Robin", NOON)
        assert await history.hide_last(ANN, question=False)
        await history.set_customs(ANN, Customs(temperature=1.5))
    assert (await history.customs(ANN)).attempts == 3


async def test_while_it_is_stopped_nothing_asks_and_nothing_is_owed(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"), asks=True)
    await history.add(BEN, message("b", id="1"), asks=True)
    await history.plan(BEN, "1", ["planned"], "text")
    assert not (await history.counts()).stopped
    await history.stop()
    await history.stop()
    await history.add(ANN, message("c", id="2"), asks=True)
    assert await history.question(ANN) is None
    assert await history.drafts(BEN) == []
    assert await history.owed("telegram", NOON, 9) == []
    assert await history.counts() == Counts(chats=2, messages=3, owed=0, stopped=True)
    await history.go()
    assert await history.question(ANN) is None
    await history.add(ANN, message("d", id="3"), asks=True)
    assert await history.question(ANN) == Question("3", "user1")


async def test_one_chat_can_be_released_from_what_it_is_owed(
    history: History, message: MakeMessage
) -> None:
    for chat in (ANN, BEN):
        await history.add(chat, message("a", id="1"), asks=True)
    await history.release(ANN)
    assert await history.owed("telegram", NOON, 9) == [Place(BEN, "1")]


async def lived(history: History, message: MakeMessage) -> None:
    """Let Ann write in private and, with Ben, in a group; the bot answers in both."""
    group = ChatId("telegram", "-1")
    for chat, people in ((ANN, ["Ann"]), (group, ["Ann", "Ben"])):
        for number, name in enumerate(people):
            said = message(f"{name} said", id=str(number), speaker_id=name, speaker=name)
            await history.add(chat, said, asks=True)
        [draft] = await history.plan(chat, str(number), [f"answer to {people[-1]}"], "text")
        await history.sent(draft, "9", "Robin", NOON)
    other = ChatId("discord", "7")
    await history.add(other, message("elsewhere", speaker_id="Ann"))


async def test_what_is_kept_of_a_person_is_what_they_wrote_and_what_was_answered_to_them_alone(
    history: History, message: MakeMessage
) -> None:
    await lived(history, message)
    found = [kept.text for kept in await history.of_person("telegram", "Ann")]
    assert found == ["Ann said", "answer to Ann", "Ann said"]
    assert [kept.text for kept in await history.of_person("telegram", "Ben")] == ["Ben said"]


async def test_what_is_erased_is_gone_and_does_not_come_again(
    history: History, message: MakeMessage
) -> None:
    await lived(history, message)
    assert await history.erase("telegram", "Ann") == 3
    assert await history.of_person("telegram", "Ann") == []
    assert await history.recent(ANN, 9) == []
    left = await history.recent(ChatId("telegram", "-1"), 9)
    assert [kept.text for kept in left] == ["Ben said", "answer to Ben"]
    assert [kept.text for kept in await history.of_person("discord", "Ann")] == ["elsewhere"]
    assert not await history.add(ANN, message("Ann said", id="0"))
    assert await history.erase("telegram", "Ann") == 0


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
