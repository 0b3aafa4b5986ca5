"""No source is written onto, unless it is our own and stays whole."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exporters.options import ExportOptions
from exporters.run import export
from exporters.selection import Selection
from likeness.errors import SourceError
from likeness.files import read_messages
from tests.exporters.test_samples import SAMPLES

TELEGRAM = SAMPLES / "telegram" / "one_chat.json"
ROWS = SAMPLES / "rows" / "two_chats.json"
TEXTS = SAMPLES / "imessage" / "+4915550001.txt"
LATE = Selection(since=datetime(2100, 1, 1, tzinfo=UTC))
DEAF = Selection(not_speakers=("Jon",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of exports: a file, a zip, our own messages, and what is none."""
    (tmp_path / "result.json").write_bytes(TELEGRAM.read_bytes())
    with zipfile.ZipFile(tmp_path / "rows.zip", "w") as archive:
        archive.write(ROWS, "rows.json")
    run([TEXTS], tmp_path / "messages.jsonl")
    (tmp_path / "note.pdf").write_bytes(b"%PDF-1.7 nothing")
    return tmp_path


def run(paths: list[Path], output: Path, **options: Any) -> None:
    export(paths, output, ExportOptions(UTC, "UTC", **options))


def refused(folder: Path, match: str, paths: list[Path], output: Path, **options: Any) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SourceError, match=match):
        run(paths, output, **options)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["result.json", "rows.zip", "note.pdf"])
def test_a_source_is_never_written_onto(folder: Path, name: str) -> None:
    says = rf"{name} is one of the sources: give -o another name\.$"
    refused(folder, says, [TELEGRAM, folder / name], folder / ".." / folder.name / name)


@pytest.mark.parametrize("name", ["result.json", "rows.zip"])
def test_nor_is_one_of_a_folder(folder: Path, name: str) -> None:
    refused(folder, f"{name} is one of the sources: give -o", [folder], folder / name)


def test_nor_is_what_lies_beside_a_source_in_its_folder(folder: Path) -> None:
    says = r"note\.pdf exists already in a folder that is to be read: give -o another name\.$"
    refused(folder, says, [folder], folder / "note.pdf")


def test_nor_one_by_another_name_of_the_file(folder: Path) -> None:
    (folder / "link").symlink_to("result.json")
    refused(folder, "link is one of the sources", [folder / "result.json"], folder / "link")


@pytest.mark.parametrize("name", ["result.json", "messages.jsonl"])
def test_nor_does_a_report_replace_a_source_or_the_messages(folder: Path, name: str) -> None:
    path = folder / name
    says = f"{name} is one of the sources: give --report another name"
    refused(folder, says, [path], folder / "out", report=path)
    says = "out cannot be both -o and --report: give one another name"
    refused(folder, says, [path], folder / "out", report=folder / "sub" / ".." / "out")


def test_our_own_messages_grow_by_new_exports(folder: Path) -> None:
    own = folder / "messages.jsonl"
    before = list(read_messages(own))
    run([own, folder / "result.json"], own)
    after = list(read_messages(own))
    assert len(after) == len(before) + 7
    run([folder], own, report=folder / "report.json")
    run([folder], own, report=folder / "report.json")
    assert {message.id for message in after} <= {message.id for message in read_messages(own)}


@pytest.mark.parametrize("choice", [{"form": "rows"}, {"selection": LATE}, {"selection": DEAF}])
def test_but_not_where_a_choice_leaves_some_of_them_out(
    folder: Path, choice: dict[str, Any]
) -> None:
    own = folder / "messages.jsonl"
    refused(folder, "not all that it holds would be written: give -o", [own], own, **choice)


def test_nor_where_some_of_them_cannot_be_read(folder: Path) -> None:
    own = folder / "messages.jsonl"
    with own.open("ab") as file:
        file.write(b'{"v": 1, "text": "cu')
    refused(folder, "not all that it holds can be read: give -o another name", [own], own)
