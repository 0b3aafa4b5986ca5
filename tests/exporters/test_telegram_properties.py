"""What holds for every Telegram export: no damage breaks the reader, no record is lost."""

import json
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from exporters.sources import Reading, sources_in
from exporters.telegram import TELEGRAM
from exporters.telegram_html import TELEGRAM_HTML
from likeness.errors import SourceError
from likeness.messages import Message, Notice, Rejected
from tests.examples import examples

SAMPLES = Path(__file__).parent / "samples" / "telegram"
FILES = [*SAMPLES.glob("*.json"), *SAMPLES.rglob("messages*.html")]
damage = settings(
    max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def read(tmp_path):
    """Return a function that reads bytes as either format, recognised or not."""

    def read(data, name="result.json"):
        path = tmp_path / name
        path.write_bytes(data)
        records = []
        try:
            (source,) = sources_in(path, name)
            exporter = TELEGRAM if name.endswith("json") else TELEGRAM_HTML
            exporter.recognises(source)
            records.extend(exporter.read(source, Reading(UTC)))
        except SourceError:
            assert records == []
        assert all(isinstance(record, Message | Notice | Rejected) for record in records)
        return records

    return read


@damage
@given(st.sampled_from(FILES), st.data())
def test_a_cut_file_gives_what_the_whole_one_gives_up_to_there(read, file, data):
    whole = file.read_bytes()
    expected = read(whole, file.name)
    found = read(whole[: data.draw(st.integers(0, len(whole)))], file.name)
    kept = [record for record in found if not isinstance(record, Rejected)]
    assert kept == [record for record in expected if not isinstance(record, Rejected)][: len(kept)]


@damage
@given(st.sampled_from(FILES), st.data())
def test_shuffled_bytes_end_with_records_or_one_sentence(read, file, data):
    whole = file.read_bytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    read(b"".join(data.draw(st.permutations(pieces))), file.name)


@damage
@given(st.sampled_from(FILES), st.integers(0), st.binary(max_size=8))
def test_overwritten_bytes_end_with_records_or_one_sentence(read, file, place, other):
    whole = file.read_bytes()
    place %= len(whole)
    read(whole[:place] + other + whole[place + len(other) :], file.name)


@damage
@given(st.binary(max_size=200), st.sampled_from(["result.json", "messages.html"]))
@example(b"PK\x03\x04", "result.json")  # how a zip begins
def test_random_bytes_end_with_records_or_one_sentence(read, data, name):
    read(data, name)


things = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})
keys = st.sampled_from([
    "id", "type", "date", "date_unixtime", "from", "from_id", "text", "text_entities", "poll",
    "reply_to_message_id", "reply_to_peer_id", "action", "title", "sticker_emoji", "via_bot",
])  # fmt: skip
entries = st.dictionaries(keys, things | st.sampled_from(["message", "service"]))


@damage
@given(st.lists(entries | things, max_size=5), things, things, things)
def test_whatever_stands_in_an_entry_each_is_one_record(read, messages, type_, name, number):
    chat = {"name": name, "type": type_, "id": number, "messages": messages}
    in_list = {"chats": {"list": [chat]}, "personal_information": chat}
    for export in (chat, in_list):
        assert len(read(json.dumps(export).encode())) == len(messages)


@damage
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_every_text_comes_back(read, said):
    told = {"type": "message", "date_unixtime": "1700000000", "from": "Ann", "from_id": "user1"}
    messages = [{"id": n, **told, "text": text} for n, text in enumerate(said)]
    export = json.dumps({"type": "private_group", "id": 1, "messages": messages}, indent=1)
    for written in (export, export.replace("\\u00", "\\x")):
        assert [record.text for record in read(written.encode())] == said
