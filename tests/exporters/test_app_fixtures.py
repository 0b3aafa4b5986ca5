"""Messenger, Instagram, Signal, iMessage and Slack as others hold them give what is known."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from exporters import find_exporter
from exporters.folders import find_files
from exporters.imessage_typedstream import text_in
from exporters.sources import Reading, sources_in
from likeness.messages import Message, Notice, Rejected

# file: exporter, messages, notices, rejected, messages with words, speakers
FILES = {
    "messenger/chat-analytics__2A_7M.json": ("Messenger", 7, 0, 0, 3, 2),
    "messenger/chat-history-docs__hans_message_1.json": ("Messenger", 2, 0, 0, 2, 2),
    "instagram/chatpack__instagram.json": ("Messenger", 6, 0, 0, 5, 2),
    "instagram/chatpack-cli__instagram_export.json": ("Messenger", 7, 0, 0, 7, 2),
    "signal/chat-miner__signal_test_export.txt": ("signal", 2, 0, 0, 2, 2),
    "imessage/langchain-community__imessage_chat.db": ("iMessage", 22, 1, 0, 22, 2),
    "slack/slackdump__contrib_sample.json": ("Slack", 8, 2, 0, 8, 1),
}
DAYS = {"2025-01-10": (2, 0), "2025-01-11": (9, 2), "2025-01-18": (1, 0), "2025-01-24": (2, 0)}
NO_EXPORTS = (
    "signal/chat-miner__signal_target.json",
    "slack/slackdump__export_channels.json",
    "slack/slackdump__export_dms.json",
    "slack/slackdump__export_mpims.json",
    "slack/slackdump__export_users.json",
    "slack/slackdump__source_export_dir/users.json",
    "imessage/imessage-exporter__streamtyped_MultiPart",
)


def read(path):
    (source,) = sources_in(path, path.name)
    exporter = find_exporter(source)
    assert exporter is not None
    reading = Reading(UTC)
    records = list(exporter.read(source, reading))
    return exporter, records, [one for one in records if isinstance(one, Message)], reading


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_others_gives_its_known_counts(shared, name):
    app, count, notices, rejected, with_words, speakers = FILES[name]
    exporter, records, messages, _ = read(shared / "fixtures" / name)
    kinds = Counter(type(record) for record in records)
    assert app in exporter.name
    assert (len(messages), kinds[Notice], kinds[Rejected]) == (count, notices, rejected)
    assert sum(bool(message.text) for message in messages) == with_words
    assert len({message.speaker_id for message in messages}) == speakers


@pytest.mark.parametrize("name", NO_EXPORTS)
def test_what_lies_beside_an_export_is_none(shared, name):
    path = shared / "fixtures" / name
    (source,) = sources_in(path, path.name)
    assert find_exporter(source) is None


def test_a_workspace_of_others_is_read_day_by_day(shared):
    folder = shared / "fixtures" / "slack" / "slackdump__source_export_dir" / "B75B4C7"
    for path in find_files(folder):
        _, records, messages, _ = read(path)
        assert (len(messages), len(records) - len(messages)) == DAYS[path.stem]
        assert {message.chat_id.partition(":")[0] for message in messages} == {"CO69735E8A"}


def test_damaged_words_are_repaired(shared):
    folder = shared / "fixtures" / "messenger"
    _, _, messages, reading = read(folder / "chat-history-docs__hans_message_1.json")
    assert [message.text for message in messages] == ["🌹", "Nächste Woche!"]
    assert reading.remarks == ["2 texts and names were UTF-8 written as Latin-1: repaired."]


def test_a_byte_order_mark_does_not_matter(shared):
    _, _, messages, reading = read(shared / "fixtures" / "messenger" / "chat-analytics__2A_7M.json")
    assert messages[-1].sent_at == datetime.fromtimestamp(1415147240.411, UTC)
    assert reading.owner["alice_aaaaaaaaaa"][0] == "Bob"


def test_the_two_platforms_of_one_format_are_told_apart(shared):
    for platform in ("messenger", "instagram"):
        for path in find_files(shared / "fixtures" / platform):
            assert {message.platform for message in read(path)[2]} == {platform}


def test_the_database_of_others_tells_what_is_mine(shared):
    folder = shared / "fixtures" / "imessage"
    _, _, messages, _ = read(folder / "langchain-community__imessage_chat.db")
    assert "Yeh" in messages[0].text
    assert messages[0].sent_at == datetime(2023, 11, 5, 2, 50, 50, 393148, UTC)
    assert (messages[0].outgoing, messages[2].outgoing) == (False, True)
    assert messages[16].text == "John is the almighty"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("AttributedBodyTextOnly", "Noter test"),
        ("Blank", ""),
        ("MultiPart", "\ufffctest 1\ufffctest 2 \ufffctest 3"),
        ("WeirdText", "𝖍𝖊𝖑𝖑𝖔 𝖜𝖔𝖗𝖑𝖉"),
    ],
)
def test_an_attributed_text_of_others_is_read(shared, name, words):
    path = shared / "fixtures" / "imessage" / f"imessage-exporter__streamtyped_{name}"
    assert text_in(path.read_bytes()) == words
