"""The whole export: sources in, one file out, and every record accounted for."""

import json
import zipfile
from contextlib import suppress
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import exporters.run
from exporters import EXPORTERS, find_exporter
from exporters.account import DOUBLE
from exporters.options import ExportOptions
from exporters.run import export
from exporters.selection import NO_ROW
from exporters.sources import Reading, Source, sources_in
from likeness.errors import (
    AmbiguousSource,
    LikenessError,
    OwnerUnknown,
    SourceError,
    UnrecognisedSource,
)
from likeness.files import read_messages
from likeness.messages import Message
from tests.conftest import BEGINNING

SAMPLES = Path(__file__).parent / "samples"
ONE_CHAT = SAMPLES / "telegram" / "one_chat.json"
SERVER = SAMPLES / "discord" / "server.json"
ROWS = SAMPLES / "rows" / "two_chats.json"
EVERY_SAMPLE = sorted(
    path for path in SAMPLES.rglob("*") if path.is_file() and path.suffix != ".expected"
)


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "messages.jsonl"


def options(*me, **other):
    return ExportOptions(UTC, "UTC", me, **other)


def left_in(out):
    return [file.name for file in out.parent.iterdir()]


def test_several_sources_become_one_file_and_each_is_accounted_for(out):
    account = export([ONE_CHAT, SERVER, ROWS], out, options("jon"))
    messages = list(read_messages(out))
    assert account.messages == len(messages) == 7 + 6 + 4
    assert [source.exporter for source in account.sources] == [
        "Telegram Desktop JSON", "DiscordChatExporter JSON", "rows of the workshop or Chatistics",
    ]  # fmt: skip
    assert [source.records for source in account.sources] == [11, 10, 7]
    assert all(source.balanced for source in account.sources)
    assert all(message.outgoing is not None for message in messages)
    assert account.outgoing == sum(message.outgoing for message in messages) == 4 + 2 + 2
    assert {chat.owner for chat in account.chats} == {("Jon",), ("jon",)}


def test_the_same_source_twice_adds_nothing_and_is_counted(out):
    account = export([ONE_CHAT, ONE_CHAT], out, options())
    assert len(list(read_messages(out))) == account.messages == 7
    first, second = account.sources
    assert (first.messages, first.rejected[DOUBLE], second.messages) == (0, 7, 7)
    assert first.balanced
    assert second.balanced


def test_an_edited_message_of_others_export_stands_once(shared, out):
    path = shared / "fixtures" / "discord" / "chat-analytics__SV_5A_5M.json"
    account = export([path], out, options("mlomb"))
    assert (account.messages, account.sources[0].rejected[DOUBLE]) == (4, 1)
    assert account.sources[0].balanced


def test_a_folder_gives_its_exports_and_leaves_the_rest_alone(tmp_path, out):
    folder = tmp_path / "ChatExport"
    (folder / "photos").mkdir(parents=True)
    (folder / "result.json").write_bytes(ONE_CHAT.read_bytes())
    (folder / "photos" / "1.jpg").write_bytes(b"\xff\xd8\0\0")
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.write(ROWS, "rows.json")
        archive.writestr("notes.md", "# nothing")
    account = export([folder], out, options())
    names = [source.name for source in account.sources]
    assert names == ["ChatExport/more.zip/rows.json", "ChatExport/result.json"]


def test_progress_ends_with_all_bytes_read(out):
    told = []
    export([ONE_CHAT, ROWS], out, options(), lambda read, total: told.append((read, total)))
    size = ONE_CHAT.stat().st_size + ROWS.stat().st_size
    assert told[-1] == (size, size)
    assert told == sorted(told)


def test_rows_can_be_written_instead(out):
    export([ONE_CHAT], out, options(form="rows"))
    rows = json.loads(out.read_text("utf-8"))
    assert [row["outgoing"] for row in rows] == [False, True, True, False, False, True]


def test_rows_leave_out_what_no_prompt_shows_and_count_it(out):
    account = export([ONE_CHAT], out, options(form="rows"))
    assert len(json.loads(out.read_text("utf-8"))) == account.messages == 6
    assert account.left_out == {NO_ROW: 1}
    assert account.balanced


def test_where_nothing_would_be_a_row_nothing_is_written(tmp_path, out):
    wordless = Message("p", "1", "Ann", "1", "a", "Ann", False, BEGINNING, "", kind="media")
    (tmp_path / "in.jsonl").write_text(f"{wordless.to_json()}\n", "utf-8")
    with pytest.raises(SourceError, match="The only message is left out by what you asked for"):
        export([tmp_path / "in.jsonl"], out, options(form="rows"))
    assert left_in(out) == []


def test_what_cannot_be_read_does_not_stop_the_others(tmp_path, out):
    (tmp_path / "note.pdf").write_bytes(b"%PDF-1.7 nothing")
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 nothing")
    (tmp_path / "cut.json").write_text('{"type": "personal_chat", "id": 7, "messages": [{"i')
    paths = [tmp_path / name for name in ("note.pdf", "cut.zip", "cut.json", "gone.json")]
    account = export([*paths, ONE_CHAT], out, options())
    failed = {source.name for source in account.sources if source.failed}
    assert failed == {"note.pdf", "cut.zip", "cut.json", "gone.json"}
    assert account.messages == 7


def nothing(tmp_path):
    (tmp_path / "empty.txt").touch()
    return tmp_path / "empty.txt"


def pdf(tmp_path):
    (tmp_path / "note.pdf").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n")
    return tmp_path / "note.pdf"


def cut_short(tmp_path):
    (tmp_path / "result.json").write_bytes(ONE_CHAT.read_bytes()[:90])
    return tmp_path / "result.json"


def no_export(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(b"\xff\xd8\0\0")
    return tmp_path / "photos"


def trap(tmp_path):
    with zipfile.ZipFile(tmp_path / "trap.zip", "w") as archive:
        archive.writestr("../result.json", ONE_CHAT.read_bytes())
    return tmp_path / "trap.zip"


def no_words(tmp_path):
    chats = {"about": "", "list": [{"type": "public_channel", "id": 1, "messages": [{}]}]}
    (tmp_path / "result.json").write_text(json.dumps({"chats": chats}))
    return tmp_path / "result.json"


@pytest.mark.parametrize(
    ("source", "error", "sentence"),
    [
        (nothing, UnrecognisedSource, r"empty\.txt is empty"),
        (pdf, UnrecognisedSource, r"note\.pdf is not an export that Likeness reads; it reads Tele"),
        (cut_short, SourceError, r"result\.json"),
        (no_export, UnrecognisedSource, "photos holds no export"),
        (trap, SourceError, "leads out of it"),
        (no_words, SourceError, "no message of a person among 1 records"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing_behind(
    tmp_path, out, source, error, sentence
):
    with pytest.raises(error, match=sentence) as caught:
        export([source(tmp_path)], out, options())
    assert "\n" not in str(caught.value)
    assert left_in(out) == []


def test_several_bad_sources_are_told_in_one_sentence(tmp_path, out):
    with pytest.raises(SourceError, match=r"None of 2 sources can be read; the first: .*empty"):
        export([nothing(tmp_path), pdf(tmp_path)], out, options())


def test_an_owner_nobody_can_tell_leaves_what_stood_there_before(out):
    out.write_text("before")
    with pytest.raises(OwnerUnknown, match="Mira"):
        export([SERVER], out, options())
    assert (left_in(out), out.read_text()) == (["messages.jsonl"], "before")


def test_ctrl_c_leaves_nothing_behind(out, monkeypatch):
    def interrupt(message):
        raise KeyboardInterrupt

    monkeypatch.setattr(Message, "to_json", interrupt)
    with pytest.raises(KeyboardInterrupt):
        export([ONE_CHAT], out, options())
    assert left_in(out) == []


class _ClaimsAll:
    name = "Anything"

    def recognises(self, _source):
        return True


def test_two_claims_to_one_file_are_an_error(monkeypatch):
    monkeypatch.setattr("exporters.EXPORTERS", (_ClaimsAll(), _ClaimsAll()))
    with pytest.raises(AmbiguousSource, match="could be Anything and Anything"):
        find_exporter(Source("a", Path("a"), None, b"", 0))


@pytest.mark.parametrize("file", EVERY_SAMPLE, ids=lambda file: file.stem)
def test_no_two_exporters_claim_a_sample(file):
    (source,) = sources_in(file, file.name)
    assert sum(exporter.recognises(source) for exporter in EXPORTERS) <= 1


samples = st.sampled_from([file.read_bytes() for file in EVERY_SAMPLE])


@st.composite
def damaged(draw):
    """Cut an export, and write over a few of its bytes."""
    data = bytearray(draw(samples))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data[: draw(st.integers(0, len(data)))])


def test_whatever_happens_to_an_export_it_ends_in_messages_or_one_sentence(tmp_path):
    path, out = tmp_path / "export", tmp_path / "out.jsonl"

    @given(damaged() | st.binary(max_size=300), st.sampled_from(["messages", "rows"]))
    def check(data, form):
        path.write_bytes(data)
        with suppress(LikenessError):
            account = export([path], out, options(form=form))
            assert all(source.balanced for source in account.sources)

    check()


def test_every_exporter_survives_files_it_would_not_choose(tmp_path):
    path = tmp_path / "export"

    @given(damaged(), st.sampled_from(EXPORTERS))
    def check(data, exporter):
        path.write_bytes(data)
        source = Source("export", path, None, data, len(data))
        with suppress(SourceError):
            list(exporter.read(source, Reading(UTC)))

    check()


def test_a_long_export_is_the_same_in_short_runs(out, monkeypatch):
    export([ONE_CHAT, ROWS], out, options())
    whole = out.read_bytes()
    monkeypatch.setattr(exporters.run, "Merge", lambda: exporters.merge.Merge(run_messages=2))
    export([ONE_CHAT, ROWS], out, options())
    assert out.read_bytes() == whole


@pytest.mark.parametrize("grown", [False, True])
def test_under_whatever_name_an_export_knows_me_my_words_are_mine(tmp_path, out, grown):
    for folder, me in (("1", "Jo"), ("2", "Jo Vale")):
        (tmp_path / folder).mkdir()
        said = f"0{folder}/03/2022, 14:56 - Ann: hi\n0{folder}/03/2022, 14:57 - {me}: yo {me}\n"
        (tmp_path / folder / "WhatsApp Chat with Ann.txt").write_text(said)
    older, newer = tmp_path / "1", tmp_path / "2"
    account = export([older] if grown else [older, newer], out, options())
    if grown:
        account = export([out, newer], out, options())
    assert [message.outgoing for message in read_messages(out)] == [False, True] * 2
    assert set(account.chats[0].owner) == {"Jo", "Jo Vale"}
