"""Films, other corpora and rows of any form: what their samples do not show."""

import json
import zipfile
from contextlib import suppress
from datetime import UTC
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters import EXPORTERS
from exporters.convokit import CONVOKIT
from exporters.cornell import CORNELL
from exporters.options import ExportOptions
from exporters.own import MESSAGES
from exporters.rows import ROWS
from exporters.run import export
from exporters.sources import Reading, sources_in
from likeness.errors import DamagedSource, SourceError
from likeness.files import read_messages
from likeness.messages import Message, Rejected
from tests.examples import examples

SAMPLES = Path(__file__).parent / "samples"
FILMS = SAMPLES / "cornell" / "films"


def read(exporter, path):
    (source,) = sources_in(path, path.name)
    assert exporter.recognises(source)
    return list(exporter.read(source, Reading(UTC)))


def exported(out, *paths, me=()):
    export(paths, out, ExportOptions(UTC, "UTC", me))
    return list(read_messages(out))


def test_a_film_stands_in_order_with_its_conversations_days_apart(tmp_path):
    messages = exported(tmp_path / "out.jsonl", FILMS)
    said = [message.id for message in messages if message.chat_id == "m0"]
    assert said == ["L3", "L4", "L11", "L12", "L13"]
    gaps = [(b.sent_at.date() - a.sent_at.date()).days for a, b in pairwise(messages[:5])]
    assert gaps == [0, 1, 0, 0]
    assert {message.outgoing for message in messages} == {None}


def test_a_character_can_be_me(tmp_path):
    messages = exported(tmp_path / "out.jsonl", FILMS, me=("wanda",))
    assert [message.id for message in messages if message.outgoing] == ["L3", "L12"]
    assert all(message.outgoing is not None for message in messages)


def test_the_corpus_is_read_out_of_its_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "corpus.zip", "w") as archive:
        for file in FILMS.iterdir():
            archive.write(file, f"cornell movie-dialogs corpus/{file.name}")
    plain, zipped = (
        exported(tmp_path / f"{number}.jsonl", path)
        for number, path in enumerate((FILMS, tmp_path / "corpus.zip"))
    )
    assert plain == zipped


def test_lines_without_their_conversations_are_refused(tmp_path):
    alone = tmp_path / "movie_lines.txt"
    alone.write_bytes((FILMS / alone.name).read_bytes())
    with pytest.raises(DamagedSource, match=r"needs movie_conversations\.txt beside it"):
        read(CORNELL, alone)


def test_a_copy_made_utf_8_is_read_as_well(tmp_path):
    for file in FILMS.iterdir():
        text = file.read_bytes().decode("cp1252")
        (tmp_path / file.name).write_text(text, "utf-8", newline="\r\n")
    assert read(CORNELL, tmp_path / "movie_lines.txt") == read(CORNELL, FILMS / "movie_lines.txt")


def test_a_byte_of_no_encoding_loses_no_line(tmp_path):
    for file in FILMS.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes().replace(b"\xe9", b"\x81"))
    first = read(CORNELL, tmp_path / "movie_lines.txt")[0]
    assert first.text == "In caf\x81s, never."


def test_utterances_written_forwards_keep_their_order(tmp_path):
    lines = (SAMPLES / "convokit" / "films" / "utterances.jsonl").read_text("utf-8").splitlines()
    path = tmp_path / "utterances.jsonl"
    path.write_text("\n".join(lines[1::-1]), "utf-8")
    first, second = read(CONVOKIT, path)
    assert (first.id, second.id) == ("L11", "L12")
    assert first.sent_at < second.sent_at
    assert second.speaker == "u0"


@pytest.fixture
def said(say):
    return [say("Ann", "ok", after=0), say("me", 'a "quoted",\nword 👩‍🚀'), say("Ann", "ok")]


def frame(messages):
    rows = [
        {
            "timestamp": message.sent_at.timestamp(), "conversationId": message.chat_id,
            "conversationWithName": message.chat, "senderName": message.speaker,
            "outgoing": message.outgoing, "text": message.text, "language": "en",
            "platform": message.platform,
        }
        for message in messages
    ]  # fmt: skip
    return pd.DataFrame(rows)


FORMS = {
    "columns.json": lambda rows, path: rows.to_json(path),
    "columns_times.json": lambda rows, path: rows.assign(
        timestamp=(rows.timestamp * 1000).astype("int64")
    ).to_json(path),
    "columns_iso.json": lambda rows, path: rows.assign(
        timestamp=pd.to_datetime(rows.timestamp, unit="s")
    ).to_json(path, date_format="iso"),
    "records.json": lambda rows, path: rows.to_json(path, orient="records"),
    "lines.json": lambda rows, path: rows.to_json(path, orient="records", lines=True),
    "lists.json": lambda rows, path: path.write_text(json.dumps(rows.to_dict(orient="list"))),
    "table.csv": lambda rows, path: rows.to_csv(path, index=False),
    "indexed.csv": lambda rows, path: rows.to_csv(path),
    "table.tsv": lambda rows, path: rows.to_csv(path, index=False, sep="\t"),
    "times.csv": lambda rows, path: rows.assign(
        timestamp=pd.to_datetime(rows.timestamp, unit="s")
    ).to_csv(path, index=False),
    "columns.json.zip": lambda rows, path: rows.to_json(path, compression="zip"),
    "table.csv.zip": lambda rows, path: rows.to_csv(path, index=False, compression="zip"),
}


@pytest.mark.parametrize("name", FORMS)
def test_rows_are_the_same_in_every_form(said, tmp_path, name):
    path = tmp_path / name
    FORMS[name](frame(said), path)
    found = read(ROWS, path)
    told = [(one.speaker, one.text, one.outgoing, one.sent_at, one.chat_id) for one in found]
    assert told == [(one.speaker, one.text, one.outgoing, one.sent_at, "1") for one in said]
    FORMS["records.json"](frame(said), tmp_path / "again.json")
    assert found == read(ROWS, tmp_path / "again.json")


@given(st.data())
@settings(max_examples=examples(40))
def test_columns_cut_anywhere_keep_their_whole_rows(tmp_path_factory, data):
    rows = pd.DataFrame({
        "timestamp": [1.0, 2.0, 3.0], "conversationId": "7", "conversationWithName": "Ann",
        "senderName": "Ann", "outgoing": False, "text": ["a", "b", "c"],
    })  # fmt: skip
    whole = rows.to_json().encode()
    path = tmp_path_factory.mktemp("cut") / "rows.json"
    path.write_bytes(whole[: data.draw(st.integers(20, len(whole)))])
    texts = []
    with suppress(DamagedSource):
        *records, last = read(ROWS, path)
        texts = [record.text for record in records]
        texts += [last.text] if isinstance(last, Message) else []
    assert texts == ["a", "b", "c"][: len(texts)]
    assert len(texts) == 3 or len(path.read_bytes()) < len(whole)


def test_columns_of_unequal_length_are_damaged(tmp_path):
    path = tmp_path / "rows.json"
    rows = json.loads((SAMPLES / "rows" / "columns.json").read_text("utf-8"))
    del rows["text"]["3"], rows["text"]["2"]
    path.write_text(json.dumps(rows), "utf-8")
    *whole, rest = read(ROWS, path)
    assert [record.text for record in whole] == ["Who is there?", "Woof. é"]
    assert rest == Rejected("after record 2", "the file breaks off or is damaged here")


def test_a_table_that_a_spreadsheet_of_windows_saved_keeps_its_umlauts(tmp_path):
    text = (SAMPLES / "rows" / "table.csv").read_text("utf-8-sig").encode("cp1252", "replace")
    path = tmp_path / "rows.csv"
    path.write_bytes(text.replace(b"words", "wörter".encode("cp1252")))
    texts = [record.text for record in read(ROWS, path) if isinstance(record, Message)]
    assert any("wörter" in text for text in texts)
    assert not any("\ufffd" in text for text in texts)


def test_a_lost_quote_in_a_table_is_one_bad_record_or_more_and_no_crash(tmp_path):
    text = (SAMPLES / "rows" / "table.csv").read_text("utf-8")
    path = tmp_path / "rows.csv"
    path.write_text(text.replace('words"', "words") + "x" * 200_000 + "\r\n", "utf-8")
    assert any(isinstance(record, Rejected) for record in read(ROWS, path))


OURS = {
    CORNELL: FILMS / "movie_lines.txt",
    CONVOKIT: SAMPLES / "convokit" / "films" / "utterances.jsonl",
    MESSAGES: SAMPLES / "own" / "two_chats.jsonl",
    ROWS: SAMPLES / "rows" / "columns.json",
}


@pytest.mark.slow
@pytest.mark.parametrize("exporter", OURS, ids=lambda exporter: exporter.name)
def test_damage_ends_in_records_or_one_sentence(tmp_path, exporter):
    whole = OURS[exporter].read_bytes()
    for file in OURS[exporter].parent.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / OURS[exporter].name

    @given(st.integers(0, len(whole)), st.integers(0, len(whole)), st.binary(max_size=9))
    @settings(max_examples=examples(60))
    def check(begin, end, noise):
        path.write_bytes(whole[:begin] + noise + whole[end:])
        with suppress(SourceError):  # at once where the noise is what a zip begins with
            (source,) = sources_in(path, path.name)
            assert sum(other.recognises(source) for other in EXPORTERS) <= 1
            records = list(exporter.read(source, Reading(UTC)))
            assert all(record.to_json() for record in records if isinstance(record, Message))

    check()
