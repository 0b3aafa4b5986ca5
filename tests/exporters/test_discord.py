"""What DiscordChatExporter's JSON tells beside its words: whose they are, and where they stand."""

import json
from datetime import UTC

import pytest

from exporters.discord import DISCORD
from exporters.merge import Merge
from exporters.sources import Reading, sources_in
from likeness.messages import Message, Notice, Rejected


@pytest.fixture
def read(tmp_path):
    """Return a function that reads one channel's export."""

    def read(*entries, **channel):
        header = {"id": "9", "type": "GuildTextChat", "category": "Text", "name": "pier", **channel}
        guild = {"id": "0" if header["type"].startswith("Direct") else "8", "name": "Harbour"}
        export = {"guild": guild, "channel": header, "messages": entries}
        path = tmp_path / "channel.json"
        path.write_text(json.dumps(export), "utf-8")
        (source,) = sources_in(path, path.name)
        assert DISCORD.recognises(source)
        return list(DISCORD.read(source, Reading(UTC)))

    return read


def entry(number=1, **other):
    author = {"id": "11", "name": "ann", "nickname": "Ann", "isBot": False}
    moment = f"2024-05-01T10:00:{number:02}+02:00"
    told = {"id": str(number), "type": "Default", "timestamp": moment, "content": f"t{number}"}
    return {**told, "author": author, **other}


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("GuildTextChat", "Harbour / pier"),
        ("GuildPublicThread", "Harbour / Text / pier"),
        ("DirectTextChat", "pier"),
        ("DirectGroupTextChat", "pier"),
    ],
)
def test_a_chat_is_called_as_its_place(read, type_, name):
    (message,) = read(entry(), type=type_)
    assert (message.chat_id, message.chat) == ("9", name)


@pytest.mark.parametrize("type_", ["Call", "ChannelPinnedMessage", "RecipientAdd", "8", "21", "46"])
def test_what_the_app_wrote_is_a_notice(read, type_):
    assert read(entry(type=type_)) == [Notice(f"system message {type_}")]


@pytest.mark.parametrize("type_", ["Default", "Reply", "19"])
def test_what_a_person_wrote_is_a_message(read, type_):
    assert [message.kind for message in read(entry(type=type_))] == ["text"]


def test_a_reply_into_another_channel_is_not_one_here(read):
    elsewhere = {"messageId": "5", "channelId": "77", "guildId": "8"}
    records = read(
        entry(1, type="Reply", reference={**elsewhere, "channelId": "9"}),
        entry(2, type="Reply", reference=elsewhere),
    )
    assert [record.reply_to for record in records] == ["5", None]


def test_newest_first_is_read_as_well(read):
    assert [record.text for record in read(entry(2), entry(1))] == ["t2", "t1"]


def test_ids_and_kinds_may_be_numbers(read):
    author = {"id": 11, "name": "ann", "isBot": False}
    reference = {"messageId": 5, "channelId": 9}
    (message,) = read(entry(id=6, type=19, author=author, reference=reference), id=9)
    told = message.chat_id, message.id, message.speaker_id, message.reply_to
    assert told == ("9", "6", "11", "5")


def test_a_file_cut_down_to_its_messages_is_named_by_its_name(tmp_path):
    path = tmp_path / "Harbour - Text - pier [123456].json"
    path.write_text(json.dumps({"messages": [entry(isPinned=False)]}), "utf-8")
    (source,) = sources_in(path, path.name)
    assert DISCORD.recognises(source)
    (message,) = DISCORD.read(source, Reading(UTC))
    assert (message.chat_id, message.chat) == ("123456", "Harbour / pier")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"author": "ann"}, 'its "author" is not an object'),
        ({"content": 7}, 'its "content" is not a string'),
        ({"id": None}, 'it has no "id"'),
        ({"timestamp": "noon"}, "it has no date that can be read"),
        ({"timestamp": "9999-12-31T23:59:59-05:00"}, "it has no date that can be read"),
        ({"timestamp": "2024-05-01T10:00:00"}, "its date names no offset from UTC"),
        ({"type": "a private word"}, "its type is none that the app writes"),
    ],
)
def test_an_entry_of_a_wrong_shape_is_rejected_and_the_next_is_read(read, change, reason):
    first, second = read(entry(1, **change), entry(2))
    assert first == Rejected("messages[0]", reason)
    assert isinstance(second, Message)


@pytest.mark.parametrize("order", [1, -1])
def test_the_edited_version_of_a_message_stays_whatever_the_order(read, order):
    first, edited = entry(5, content="first"), entry(5, content="edited")
    edited["timestampEdited"] = "2024-05-01T10:09:00+02:00"
    with Merge() as merge:
        for record in read(*[first, edited][::order]):
            if isinstance(record, Message):
                merge.add(record, 0)
        merge.settle()
        assert [message.text for message in merge.messages()] == ["edited"]


def test_of_two_edits_the_later_stays(read):
    edits = [entry(5, timestampEdited=f"2024-05-01T10:0{n}:00+02:00") for n in (9, 8)]
    edits[0]["content"] = "later"
    assert [record.text for record in read(*edits)] == ["later", "later"]


def test_marks_are_seen_with_the_names_told_before(read):
    roles = [{"id": "77", "name": "crew"}]
    author = {"id": "12", "name": "jon", "nickname": None, "roles": roles}
    mentioned = {"id": "13", "name": "sal", "nickname": "Sal"}
    _, second = read(
        entry(1, author=author),
        entry(
            2, content="<@12> <@!13> <@&77> <#9> <a:wave:1> <t:1714550400>", mentions=[mentioned]
        ),
    )
    assert second.text == "@jon @Sal @crew #pier :wave: 2024-05-01 10:00"
