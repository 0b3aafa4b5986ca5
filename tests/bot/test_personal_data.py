"""What `/mydata` shows a person, and what `/forgetme` leaves of them."""

import io
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from bot.access import Access, Guest, Standing, Visitor
from bot.commands import obey
from bot.conversation import Conversation
from bot.orders import Order
from bot.store import Store
from tests.bot.conftest import ANN
from tests.bot.test_store import on_disk

VISITOR = Visitor("telegram", "7", "user1", "Ann")


async def shown(store: Store, engine: Any) -> list[dict[str, Any]]:
    """Return the lines of the file that Ann gets."""
    talk, access = Conversation(store, engine), Access("telegram", store)
    reply = await obey(Order(talk, access, VISITOR, ANN, owner=False, name="mydata", words=""))
    assert reply.file
    return [json.loads(line) for line in reply.file[1].splitlines()]


@pytest.mark.parametrize("standing", ["waiting", "allowed"])
async def test_who_is_on_the_owner_s_list_is_shown_as_what_and_since_when(
    store: Store, fake_engine: Any, standing: Standing
) -> None:
    before = datetime.now(UTC)
    await store.sign(Guest("telegram", "7", "Ann B.", standing))
    await store.sign(Guest("telegram", "8", "Ben", standing))
    await store.sign(Guest("discord", "7", "Cleo", standing))
    [person] = await shown(store, fake_engine())
    since = datetime.fromisoformat(person.pop("since"))
    assert before <= since <= datetime.now(UTC)
    assert person == {"platform": "telegram", "id": "7", "standing": standing, "name": "Ann B."}


async def test_what_is_large_is_sent_zipped(
    store: Store, fake_engine: Any, message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.personal_data.LARGE_BYTES", 1000)
    await store.add(ANN, message("hi " * 1000))
    talk, access = Conversation(store, fake_engine()), Access("telegram", store)
    reply = await obey(Order(talk, access, VISITOR, ANN, owner=False, name="mydata", words=""))
    assert reply.file
    name, held = reply.file
    assert (name, len(held) < 1000) == ("mydata.jsonl.zip", True)
    with ZipFile(io.BytesIO(held)) as archive:
        _, said = archive.read("mydata.jsonl").splitlines()
    assert json.loads(said)["text"] == "hi " * 1000


async def test_who_is_on_no_list_is_shown_what_they_wrote(
    store: Store, fake_engine: Any, message: Any
) -> None:
    await store.add(ANN, message("hi"))
    person, said = await shown(store, fake_engine())
    assert person["standing"] is person["name"] is person["since"] is None
    assert said["text"] == "hi"


async def test_a_question_that_was_put_to_somebody_else_stays_theirs(
    store: Store, fake_engine: Any, message: Any
) -> None:
    await store.add(ANN, message("hi"))
    talk, access = Conversation(store, fake_engine()), Access("telegram", store)
    order = Order(talk, access, VISITOR, ANN, owner=False, name="forgetme", words="8")
    assert (await obey(order)).refuses
    assert await store.recent(ANN, 9)


@pytest.fixture
def careless_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have SQLite leave in its file what was deleted, as it does unless it is built otherwise."""
    connect = sqlite3.connect

    def carelessly(*args: Any, **more: Any) -> sqlite3.Connection:
        connection = connect(*args, **more)
        connection.execute("PRAGMA secure_delete = OFF")
        return connection

    monkeypatch.setattr(sqlite3, "connect", carelessly)


@pytest.mark.usefixtures("careless_sqlite")
@pytest.mark.parametrize("standing", ["allowed", "denied"])
async def test_no_byte_of_whom_it_forgets_stays_in_the_files(
    store: Store,
    fake_engine: Any,
    fake_outlet: Any,
    message: Any,
    sqlite_url: str,
    standing: Standing,
) -> None:
    talk = Conversation(store, fake_engine(["an answer to a SECRET " * 20]))
    access = Access("telegram", store)
    await store.sign(Guest("telegram", "7", "Forgettable", standing))
    said = message("a SECRET " * 30, speaker="Forgettable", sent_at=datetime.now(UTC))
    await talk.hear(ANN, said)
    await talk.respond(fake_outlet())
    await store.edit(ANN, "1", "no more", "user1")
    order = Order(talk, access, VISITOR, ANN, owner=False, name="forgetme", words="7")
    assert "deleted 2 messages" in (await obey(order)).text
    kept = on_disk(Path(sqlite_url.partition("///")[2]).parent)
    assert b"SQLite" in kept
    assert b"SECRET" not in kept
    assert b"Forgettable" not in kept
