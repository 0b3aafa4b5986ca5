"""Exports that others wrote give the counts that are known of them."""

from collections import Counter
from datetime import UTC

import pytest

from exporters import find_exporter
from exporters.sources import Reading, sources_in
from likeness.messages import Message, Notice, Rejected

# file: messages, notices, rejected, messages with words, speakers
TELEGRAM = {
    "tg2md__result.json": (18, 1, 0, 13, 1),
    "Tkonverter__result.json": (24, 63, 0, None, 2),
    "chat-analytics__DM_2A_7M.json": (6, 2, 0, 4, 2),
    "chat-analytics__BIG_20A_5475M.json": (5475, 0, 0, None, 20),
    "langchain-community__telegram_chat_json_result.json": (4, 0, 0, 4, 2),
    "chat-miner__test_single_export.json": (2, 0, 0, 2, 2),
    "chatpack__telegram_simple.json": (4, 0, 0, 4, 2),
}
DISCORD = {
    "chat-analytics__DM_2A_2M.json": (2, 1, 0, 2, 2),
    "chat-analytics__SV_5A_5M.json": (5, 0, 0, None, 2),
    "DiscordChatExporter-frontend__example_guild_general.json": (1, 0, 0, 1, 1),
    "chatpack__discord.json": (3, 0, 0, None, 2),
}
CASES = [("telegram", *case) for case in TELEGRAM.items()]
CASES += [("discord", *case) for case in DISCORD.items()]


def read(path):
    (source,) = sources_in(path, path.name)
    exporter = find_exporter(source)
    assert exporter is not None
    reading = Reading(UTC)
    return exporter, list(exporter.read(source, reading)), reading


@pytest.mark.parametrize(("platform", "name", "expected"), CASES, ids=lambda case: str(case)[:40])
def test_an_export_of_others_gives_its_known_counts(shared, platform, name, expected):
    exporter, records, _ = read(shared / "fixtures" / platform / name)
    assert platform in exporter.name.lower()
    kinds = Counter(type(record) for record in records)
    messages = [record for record in records if isinstance(record, Message)]
    assert (kinds[Message], kinds[Notice], kinds[Rejected]) == expected[:3]
    assert len({message.speaker_id for message in messages}) == expected[4]
    if expected[3] is not None:
        assert sum(bool(message.text) for message in messages) == expected[3]


def test_the_partner_of_the_known_chat_is_not_me(shared):
    _, _, reading = read(shared / "fixtures" / "telegram" / "chat-analytics__DM_2A_7M.json")
    assert reading.owner["700000000"][0] == "user300000000"


@pytest.mark.parametrize(
    "name", ["chat-miner__telegram_target.json", "messaging-chat-parser__exported_structure.json"]
)
def test_what_only_resembles_an_export_is_none(shared, name):
    path = shared / "fixtures" / "telegram" / name
    (source,) = sources_in(path, path.name)
    assert find_exporter(source) is None


@pytest.mark.parametrize(
    ("name", "messages", "outgoing"), [("barack_obama", 414, 204), ("vladimir_putin", 192, 94)]
)
def test_the_interviews_give_their_known_counts(shared, name, messages, outgoing):
    _, records, _ = read(shared / "data" / "workshop-interviews" / f"{name}_interviews.json")
    assert len(records) == len({record.id for record in records}) == messages
    assert sum(record.outgoing for record in records) == outgoing
