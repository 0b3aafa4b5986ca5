"""What the Messages app's database tells, and where it hides the words."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from zipfile import ZipFile

import pytest

from exporters.imessage import IMESSAGE
from exporters.imessage_typedstream import text_in
from exporters.sources import Reading, sources_in
from likeness.messages import Message, Notice, Rejected
from tests.exporters.fake_imessage import MORNING, NANOSECONDS, SAMPLE, archive, write_database


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a database of messages."""

    def read(*messages):
        path = tmp_path / "chat.db"
        path.unlink(missing_ok=True)
        return read_file(write_database(path, *messages))

    return read


def read_file(path):
    source = next(iter(sources_in(path, path.name)))
    assert IMESSAGE.recognises(source)
    return list(IMESSAGE.read(source, Reading(UTC)))


@pytest.mark.parametrize("words", ["", "nine 🌊", "a" * 127, "a" * 128, "ü" * 20_000, "a" * 40_000])
@pytest.mark.parametrize("mutable", [False, True])
def test_words_of_any_length_are_found_in_an_archive(words, mutable):
    assert text_in(archive(words, mutable)) == words


@pytest.mark.parametrize("name", ["x", "x" * 200])
def test_an_archive_that_is_cut_or_of_another_kind_is_rejected(read, name):
    cut = archive(name)[: -len(name) // 2 - 2]
    first, second = read({"attributedBody": cut}, {"attributedBody": b"bplist00" + archive("x")})
    assert first == Rejected("message 1", "its attributed text breaks off")
    assert second == Rejected("message 2", "its attributed text is of an unknown form")


def test_the_plain_text_comes_first(read):
    (message,) = read({"text": "plain", "attributedBody": archive("attributed")})
    assert message.text == "plain"


@pytest.mark.parametrize("date", [MORNING, MORNING * NANOSECONDS])
def test_old_dates_count_seconds_and_new_ones_nanoseconds(read, date):
    (message,) = read({"text": "hi", "date": date})
    assert message.sent_at == datetime(2024, 4, 28, 12, 26, 40, tzinfo=UTC)


@pytest.mark.parametrize("date", [0, None, "noon", 10**18 * 9, 1.5])
def test_a_date_that_is_none_is_rejected_or_far_away(read, date):
    (record,) = read({"text": "hi", "date": date})
    assert isinstance(record, Rejected) or record.sent_at.year > 2200


def test_it_is_known_what_is_mine(read):
    mine, other = read({"text": "a", "is_from_me": 1}, {"text": "b", "handle_id": 1})
    assert (mine.outgoing, mine.speaker_id) == (True, "Me")
    assert (other.outgoing, other.speaker_id) == (False, "+4915550001")


def test_one_person_by_two_services_is_one_chat(read):
    records = read({"text": "a", "chat": 1}, {"text": "b", "chat": 2})
    assert {record.chat_id for record in records} == {"+4915550001"}


def test_a_group_is_called_as_it_is_or_by_its_people(read):
    records = read({"text": "a", "chat": 3}, {"text": "b", "chat": 4})
    assert [record.chat for record in records] == ["+4915550001, sal@example.org", "Quay"]


@pytest.mark.parametrize("number", [2000, 2006, 2007, 3000, 3006])
def test_a_reaction_is_a_notice(read, number):
    assert read({"text": "Loved “a”", "associated_message_type": number}) == [Notice("reaction")]


@pytest.mark.parametrize(("number", "reason"), [(1, "people joined or left"), (99, "event")])
def test_what_the_app_announces_is_a_notice(read, number, reason):
    assert read({"item_type": number}) == [Notice(reason)]


@pytest.mark.parametrize(
    "gone",
    [{"date_retracted": 9}, {"date_edited": 9}, {"chat": None, "deleted_from": 1, "text": "a"}],
)
def test_what_was_taken_back_or_thrown_away_is_deleted(read, gone):
    (message,) = read(gone)
    assert (message.text, message.kind) == ("", "deleted")
    assert message.chat_id == "+4915550001" or gone.get("chat", 1)


def test_an_edited_message_has_its_last_words(read):
    (message,) = read({"text": "nine", "date_edited": 9})
    assert (message.text, message.kind) == ("nine", "text")


@pytest.mark.parametrize(
    ("told", "text", "kind"),
    [
        ({"text": "\ufffc", "cache_has_attachments": 1}, "", "media"),
        ({"text": "\ufffcthe quay", "cache_has_attachments": 1}, "the quay", "media"),
        ({"attributedBody": archive("\ufffca\ufffcb")}, "a\nb", "media"),
        ({"text": "words", "subject": "Tides"}, "Tides\nwords", "text"),
        ({"text": "$(kIMTranscriptPluginBreadcrumbTextReceiver) x"}, None, "automated"),
        ({"text": "Driving.", "is_auto_reply": 1}, "Driving.", "automated"),
        ({}, "", "media"),
    ],
)
def test_what_came_with_the_words_is_told(read, told, text, kind):
    (message,) = read(told)
    assert message.kind == kind
    assert text in (None, message.text)


def test_a_message_in_two_chats_is_read_once(read, tmp_path):
    read({"text": "a"})
    with closing(sqlite3.connect(tmp_path / "chat.db")) as database:
        database.execute("INSERT INTO chat_message_join VALUES (4, 1)")
        database.commit()
    assert len(read_file(tmp_path / "chat.db")) == 1


def test_a_database_inside_a_zip_is_read(tmp_path):
    path = write_database(tmp_path / "sms.db", *SAMPLE)
    with ZipFile(tmp_path / "all.zip", "w") as archived:
        archived.write(path, "HomeDomain/sms.db")
    assert read_file(tmp_path / "all.zip") == read_file(path)


def test_what_the_latest_log_holds_is_read_and_nothing_is_written(tmp_path):
    path = write_database(tmp_path / "chat.db", {"text": "a"})
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("INSERT INTO message (guid, text, date) VALUES ('H', 'b', 736000000)")
        writer.commit()
        before = {one.name: one.read_bytes() for one in tmp_path.iterdir() if "shm" not in one.name}
        assert [record.text for record in read_file(path)] == ["a", "b"]
        assert before == {name: (tmp_path / name).read_bytes() for name in before}


def test_the_columns_of_the_oldest_version_are_enough(tmp_path):
    with closing(sqlite3.connect(tmp_path / "chat.db")) as database:
        database.executescript(
            "CREATE TABLE message (guid TEXT, text TEXT, handle_id INTEGER, date INTEGER, "
            "is_from_me INTEGER); CREATE TABLE handle (id TEXT);"
            "INSERT INTO handle VALUES ('ole'); INSERT INTO message VALUES ('G', 'a', 1, 9, 0)"
        )
    (message,) = read_file(tmp_path / "chat.db")
    assert (message.text, message.chat_id) == ("a", "ole")


@pytest.mark.parametrize(
    "tables", ["message (a)", "message (text, date), handle (id)", "chat (id)"]
)
def test_another_database_is_left_alone(tmp_path, tables):
    with closing(sqlite3.connect(tmp_path / "msgstore.db")) as database:
        for table in tables.split("), "):
            database.execute(f"CREATE TABLE {table.rstrip(')')})")
        database.commit()
    (source,) = sources_in(tmp_path / "msgstore.db", "msgstore.db")
    assert not IMESSAGE.recognises(source)


def test_what_is_whole_of_a_damaged_database_is_kept(tmp_path):
    path = write_database(tmp_path / "chat.db", *[{"text": "word " * 50}] * 400)
    data = bytearray(path.read_bytes())
    middle = len(data) // 1024 * 512
    data[middle : middle + 2048] = b"\xff" * 2048
    path.write_bytes(data)
    (source,) = sources_in(path, path.name)
    *whole, rest = IMESSAGE.read(source, Reading(UTC))
    assert rest == Rejected(f"after record {len(whole)}", "the file breaks off or is damaged here")
    assert 0 < len(whole) < 400
    assert all(isinstance(record, Message) for record in whole)


def test_a_database_without_a_whole_page_is_left_alone(tmp_path):
    path = write_database(tmp_path / "chat.db", *SAMPLE)
    path.write_bytes(path.read_bytes()[:300])
    (source,) = sources_in(path, path.name)
    assert not IMESSAGE.recognises(source)
