"""Discord's exports that others wrote give the counts that are known of them."""

import json
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from exporters import EXPORTERS, find_exporter
from exporters.sources import Reading, sources_in
from likeness.messages import Message, Record

# file: exporter, messages, speakers, replies, messages without words
FORMS = {
    "hmn__fishbowl_lisp-jam.html": ("DiscordChatExporter HTML", 229, 4, 0, 1),
    "hmn__fishbowl_testing.html": ("DiscordChatExporter HTML", 238, 7, 42, 0),
    "chatpack__discord.txt": ("DiscordChatExporter text", 3, 2, 0, 1),
}


def read(path: Path) -> tuple[str, list[Record]]:
    (source,) = sources_in(path, path.name)
    exporter = find_exporter(source)
    assert exporter is not None
    return exporter.name, list(exporter.read(source, Reading(UTC)))


@pytest.mark.parametrize("name", FORMS)
def test_an_export_of_others_gives_its_known_counts(shared, name):
    exporter, messages, speakers, replies, wordless = FORMS[name]
    found, records = read(shared / "fixtures" / "discord" / name)
    assert found == exporter
    read_messages = [record for record in records if isinstance(record, Message)]
    assert len(records) == len(read_messages) == messages
    assert len({message.id for message in read_messages}) == messages
    assert len({message.speaker_id for message in read_messages}) == speakers
    assert sum(message.reply_to is not None for message in read_messages) == replies
    assert sum(not message.text for message in read_messages) == wordless


def test_a_published_page_tells_when_each_message_was_sent(shared):
    _, records = read(shared / "fixtures" / "discord" / "hmn__fishbowl_lisp-jam.html")
    assert records[0].sent_at == datetime(2020, 8, 5, 15, 0, 13, 31000, UTC)
    assert all(
        earlier.sent_at < later.sent_at
        for earlier, later in pairwise(records)
        if int(earlier.id) < int(later.id)
    )


def test_replies_of_a_published_page_answer_what_stands_before_them(shared):
    _, records = read(shared / "fixtures" / "discord" / "hmn__fishbowl_testing.html")
    ids = {record.id for record in records}
    replies = [record for record in records if record.reply_to]
    assert all(int(record.reply_to) < int(record.id) for record in replies)
    assert sum(record.reply_to in ids for record in replies) > len(replies) / 2


def test_the_row_of_2020_is_read_as_expected(shared, tmp_path):
    lines = (shared / "fixtures" / "discord" / "dce__inline-csv.jsonl").read_text("utf-8")
    case = json.loads(lines.splitlines()[0])
    (tmp_path / "channel.csv").write_text(case["text"], "utf-8")
    name, (message,) = read(tmp_path / "channel.csv")
    expected = case["expect"]
    assert name == "DiscordChatExporter CSV"
    assert (message.speaker_id, message.speaker) == (expected["author_id"], expected["author"])
    assert message.sent_at.isoformat()[:19] == expected["time_local"]
    assert message.text == expected["text"]


def test_no_discord_exporter_claims_a_file_of_another_platform(shared):
    claimed: Counter[str] = Counter()
    for path in sorted((shared / "fixtures").rglob("*")):
        if not path.is_file():
            continue
        for source in sources_in(path, path.relative_to(shared / "fixtures").as_posix()):
            mine = [e.name for e in EXPORTERS if "iscord" in e.name and e.recognises(source)]
            platform = "discord" if source.name.startswith("discord/") else "another"
            claimed[platform] += len(mine)
    assert claimed == {"discord": 7, "another": 0}
