"""Messages read many at once are those that are read one by one, whatever the file holds."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from exporters import find_exporter, telegram_entry
from exporters.blocks import Block
from exporters.options import ExportOptions
from exporters.run import export
from exporters.selection import Selection
from exporters.sources import Reading, sources_in
from exporters.spool import mended
from exporters.telegram import TELEGRAM
from exporters.telegram_typed import Entry
from likeness.errors import LikenessError, SourceError
from likeness.messages import Message, Notice
from tests.examples import examples

SAMPLES = Path(__file__).parent / "samples"


def told(path, *, blocks, exporter=TELEGRAM, zone=UTC):
    """Return everything that an exporter tells of a file, and how many blocks came."""
    (source,) = sources_in(path, path.name)
    reading = Reading(zone, blocks=blocks)
    lines, notices, rejected, failed, count = [], Counter(), [], None, 0
    try:
        for record in exporter.read(source, reading):
            if isinstance(record, Block):
                count += 1
                lines += [unguessed(line) for line in record.data.splitlines(keepends=True)]
                notices += record.notices
                rejected += record.rejected
            elif isinstance(record, Message):
                lines.append(mended(record))
            elif isinstance(record, Notice):
                notices[record.reason] += 1
            else:
                rejected.append(record)
    except SourceError as error:
        failed = str(error)
    rest = reading.flavour, reading.remarks, reading.owner, reading.local_times
    return (lines, notices, rejected, failed, rest), count


def unguessed(line):
    message = Message.from_json(line)
    assert f"{message.to_json()}\n".encode() == line
    return replace(message, outgoing=None)


def agree(path):
    """Hold both ways against each other; return how many blocks came."""
    found, count = told(path, blocks=True)
    assert found == told(path, blocks=False)[0]
    return count


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(0, 12) | st.integers(-(2**70), 2**70)
anything = st.none() | st.booleans() | numbers | st.floats(allow_nan=False) | words
pieces = st.lists(words | st.fixed_dictionaries({"type": words, "text": words}), max_size=3)
known = st.fixed_dictionaries(
    {
        "id": st.integers(1, 99),
        "type": st.sampled_from(["message"] * 9 + ["service", "unsupported"]),
        "date": st.just("2023-11-14T22:14:20"),
        "date_unixtime": st.integers(0, 2**33).map(str),
        "from": st.sampled_from(["Ann", "Bo", None]),
        "from_id": st.sampled_from(["user1", "user2"]),
        "text": words | pieces,
        "text_entities": st.just([]),
    },
    optional={
        "reply_to_message_id": st.integers(1, 99),
        "photo": words,
        "file": words,
        "media_type": st.just("sticker"),
        "sticker_emoji": st.just("🦊"),
        "forwarded_from": st.none() | words,
        "action": st.sampled_from(["phone_call", "pin_message"]),
    },
)
odd_keys = st.sampled_from([field.encode_name for field in fields(Entry)] + ["date", "title"])
odd = st.builds(dict.__or__, known, st.dictionaries(odd_keys, anything | pieces, max_size=3))
entries = st.lists(known | known | known | odd, max_size=12)
types = ["personal_chat", "private_group", "private_supergroup", "bot_chat", "saved_messages"]
chats = st.builds(
    lambda type_, messages: {"name": "Ann", "type": type_, "id": 1, "messages": messages},
    st.sampled_from(types),
    entries,
)
exports = chats | st.lists(chats, max_size=3).map(lambda found: {"chats": {"list": found}})


def laid_out(found, indent=1):
    return json.dumps(found, ensure_ascii=False, indent=indent).encode()


@pytest.mark.slow
@given(exports, st.sampled_from([1, 2, "\t"]))
@settings(max_examples=examples(60), deadline=None)
def test_an_export_is_read_as_one_by_one(tmp_path_factory, found, indent):
    path = tmp_path_factory.mktemp("blocks") / "result.json"
    path.write_bytes(laid_out(found, indent))
    agree(path)


@pytest.mark.slow
@given(exports, st.data())
@settings(max_examples=examples(60), deadline=None)
def test_a_damaged_export_is_read_as_one_by_one(tmp_path_factory, found, data):
    whole = laid_out(found)
    path = tmp_path_factory.mktemp("blocks") / "result.json"
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 20)))
    instead = data.draw(st.sampled_from([b"", b"\xff", b"\\x0B", b"\n", b'"', b"{", b"]", b","]))
    path.write_bytes(whole[:start] + instead + (b"" if data.draw(st.booleans()) else whole[end:]))
    agree(path)


@pytest.mark.slow
@given(exports, st.randoms(use_true_random=False))
@settings(max_examples=examples(40), deadline=None)
def test_an_export_with_its_lines_shuffled_is_read_as_one_by_one(tmp_path_factory, found, random):
    lines = laid_out(found).splitlines(keepends=True)
    start = random.randrange(len(lines) + 1)
    some = lines[start : start + 6]
    random.shuffle(some)
    path = tmp_path_factory.mktemp("blocks") / "result.json"
    path.write_bytes(b"".join(lines[:start] + some + lines[start + 6 :]))
    agree(path)


@pytest.mark.parametrize(
    "path", sorted((SAMPLES / "telegram").glob("*.json")), ids=lambda p: p.name
)
def test_a_sample_is_read_as_one_by_one(path):
    agree(path)


@pytest.mark.slow
def test_exports_of_others_are_read_as_one_by_one(shared):
    read = 0
    for path in sorted((shared / "fixtures" / "telegram").glob("*.json")):
        (source,) = sources_in(path, path.name)
        if find_exporter(source) is TELEGRAM:
            agree(path)
            read += 1
    assert read > 3


@pytest.mark.slow
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_long_chat_comes_in_blocks(tmp_path, newline):
    entry = {
        "id": 1, "type": "message", "date": "2023-11-14T22:14:20", "date_unixtime": "1700000060",
        "from": "Ann", "from_id": "user1", "text": "words " * 50, "text_entities": [],
    }  # fmt: skip
    messages = [entry | {"id": number} for number in range(3000)]
    chats = [
        {"name": "Ann", "type": "personal_chat", "id": 1, "messages": messages},
        *({"name": "Bo", "type": "private_group", "id": n, "messages": [entry]} for n in range(99)),
        {"name": "Ann", "type": "private_group", "id": 500, "messages": messages},
    ]
    path = tmp_path / "result.json"
    text = json.dumps({"chats": {"list": chats}}, indent=1).replace("\n", newline)
    path.write_bytes(text.encode())
    assert agree(path) > 100
    found, _ = told(path, blocks=True)
    assert len(found[0]) == 6099


@pytest.mark.slow
def test_one_odd_entry_does_not_slow_down_the_others(tmp_path):
    entry = {"id": 1, "type": "message", "date_unixtime": "1700000060", "from": "Ann"}
    entries = [entry | {"from_id": "user1", "text": "a" * 300, "id": n} for n in range(3000)]
    entries[100]["text"] = {"not": "text"}
    entries[200]["text"] = "\x0b"
    path = tmp_path / "result.json"
    whole = laid_out({"name": "Ann", "type": "personal_chat", "id": 1, "messages": entries})
    path.write_bytes(whole.replace(rb"\u000b", rb"\x0B"))
    assert agree(path) > 3
    (_, _, rejected, _, (_, remarks, *_)), _ = told(path, blocks=True)
    assert [one.where for one in rejected] == ["messages[100]"]
    assert remarks[0].endswith(" repaired.")


@pytest.mark.slow
def test_ever_deeper_brackets_are_read_as_one_by_one(tmp_path):
    entry = {"id": 1, "type": "message", "date_unixtime": "0", "from": "Ann", "from_id": "user1"}
    found = {"name": "Ann", "type": "personal_chat", "id": 1, "messages": [entry | {"text": "a"}]}
    deep = b'"text": "a", "deep": ' + b"[" * 20_000 + b"]" * 20_000
    path = tmp_path / "result.json"
    path.write_bytes(laid_out(found).replace(b'"text": "a"', deep))
    agree(path)


def test_every_key_that_tells_what_an_entry_is_is_known_to_both():
    names = {field.encode_name for field in fields(Entry)}
    assert names >= telegram_entry._MEDIA | telegram_entry._FROM_BOTS


def written(folder, me, **other):
    """Export a folder; return the file, the account of it, and what went wrong."""
    out = folder / "out" / "messages.jsonl"
    try:
        account = export([folder / "in"], out, ExportOptions(UTC, "UTC", me, **other))
    except LikenessError as error:
        return str(error)
    told = [(c.chat, c.messages, c.outgoing, c.bots, c.owner, c.speakers) for c in account.chats]
    sources = [(s.records, s.messages, s.notices, s.rejected, s.places) for s in account.sources]
    return out.read_bytes(), told, sources


@pytest.mark.slow
@given(st.lists(chats, min_size=1, max_size=3), st.sampled_from([(), ("Ann",), ("Bo",)]))
@settings(max_examples=examples(80), deadline=None)
def test_the_whole_export_is_the_same_one_by_one(tmp_path_factory, found, me):
    folder = tmp_path_factory.mktemp("whole")
    (folder / "in").mkdir()
    for number, chat in enumerate(found):
        (folder / "in" / f"{number}.json").write_bytes(laid_out(chat))
    # Whoever limits the time has every message looked at.
    ever = Selection(since=datetime(1, 1, 1, tzinfo=UTC))
    assert written(folder, me) == written(folder, me, selection=ever)


def test_words_that_look_like_a_line_stay_words(tmp_path):
    tricky = '", "speaker_id": "user2", "speaker": "Bo", "outgoing": null, "sent_at": "'
    entry = {"type": "message", "date_unixtime": "1700000060", "from": tricky, "text": tricky}
    entries = [entry | {"id": n, "from_id": f"user{n % 2}"} for n in range(4)]
    (tmp_path / "in").mkdir()
    chat = {"name": tricky, "type": "private_group", "id": 1, "messages": entries}
    (tmp_path / "in" / "a.json").write_bytes(laid_out(chat))
    data, told, _ = written(tmp_path, ("user1",))
    messages = [Message.from_json(line) for line in data.splitlines()]
    assert [message.outgoing for message in messages] == [False, True, False, True]
    assert {message.text for message in messages} == {tricky}
    assert told[0][1:3] == (4, 2)


def test_a_program_in_all_channels_is_not_me(tmp_path):
    (tmp_path / "in").mkdir()
    for channel, *ids in (1, 11, 12, 13), (2, 11, 14, 13):
        authors = [{"id": str(id_), "name": f"P{id_}", "isBot": id_ == 13} for id_ in ids]
        entries = [
            {"id": f"{channel}{author['id']}", "type": "Default", "content": "hi",
             "timestamp": "2024-05-01T10:00:00+02:00", "author": author}
            for author in authors
        ]  # fmt: skip
        place = {"guild": {"id": "8"}, "channel": {"id": str(channel)}}
        (tmp_path / "in" / f"{channel}.json").write_bytes(laid_out({**place, "messages": entries}))
    ever = Selection(since=datetime(1, 1, 1, tzinfo=UTC))
    for also in ({}, {"selection": ever}):
        _, chats, _ = written(tmp_path, (), **also)
        assert [chat[3:5] for chat in chats] == [({"13"}, ("P11",))] * 2


def test_my_names_stand_in_one_order_whoever_spoke_last(tmp_path):
    told = [(1, "Ann"), (2, "Bo"), (2, "Bo"), (1, "Ann"), (1, "Ann")]
    entries = [
        {"id": number, "type": "message", "date_unixtime": str(1_700_000_000 + number),
         "from": name, "from_id": f"user{id_}", "text": "hi"}
        for number, (id_, name) in enumerate(told)
    ]  # fmt: skip
    (tmp_path / "in").mkdir()
    chat = {"name": "Us", "type": "private_group", "id": 1, "messages": entries}
    (tmp_path / "in" / "a.json").write_bytes(laid_out(chat))
    ever = Selection(since=datetime(1, 1, 1, tzinfo=UTC))
    for also in ({}, {"selection": ever}):
        _, [(*_, owner, _)], _ = written(tmp_path, ("Ann", "Bo"), **also)
        assert owner == ("Ann", "Bo")
