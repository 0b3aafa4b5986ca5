"""Chats that are called as their files: a Mac's tools part the umlauts in those names."""

import json
import os
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner

from likeness.cli import main
from tests.exporters.test_samples import SAMPLES, lines_of

EXPORTS = [
    ("whatsapp/android_en_24h.txt", "WhatsApp Chat with Käthe.txt"),
    ("discord/english_months.csv", "Käthe.csv"),
    ("imessage/+4915550001.txt", "Käthe.txt"),
    ("imessage/+4915550002.html", "Käthe.html"),
    ("signal/old_text.txt", "Käthe.txt"),
    ("signal/folders/Quay crew/data.json", "Käthe/data.json"),
    ("signal/sigtop/Jo (+15550199).json", "Käthe.json"),
]


@pytest.mark.parametrize(("sample", "name"), EXPORTS, ids=[sample for sample, _ in EXPORTS])
def test_a_chat_is_one_however_the_umlauts_of_its_files_name_are_written(
    tmp_path: Path, sample: str, name: str
) -> None:
    whole, parted = (
        list(lines_of(copied(sample, tmp_path / form / unicodedata.normalize(form, name))))
        for form in ("NFC", "NFD")
    )
    assert whole == parted
    assert unicodedata.normalize("NFC", "Käthe") in json.loads(whole[0])["chat"]


@pytest.mark.parametrize("name", [b"WhatsApp Chat with J\xfcrgen.txt", b"J\xfcrgen/_chat.txt"])
def test_a_name_that_is_not_utf_8_stops_nothing(tmp_path: Path, name: bytes) -> None:
    path = copied("whatsapp/android_en_24h.txt", tmp_path / os.fsdecode(name))
    output, report = tmp_path / "out", tmp_path / "report"
    arguments = [path if path.name != "_chat.txt" else path.parent, "-o", output]
    arguments += ["--report", report, "--me", "Omar"]
    result = CliRunner().invoke(main, ["export", *map(os.fspath, arguments)])
    assert result.exit_code == 0, result.output
    assert "J\ufffdrgen" in result.stdout
    assert "J\ufffdrgen" in report.read_text("utf-8")


def copied(sample: str, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes((SAMPLES / sample).read_bytes())
    return to
