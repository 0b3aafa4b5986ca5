"""WhatsApp's faster ways give what the careful ones give, whatever the file holds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters import find_exporter
from exporters.cuts import Cuts
from exporters.selection import Selection
from exporters.sources import sources_in
from exporters.whatsapp import WHATSAPP
from exporters.whatsapp_runs import RunLines
from exporters.whatsapp_wordings import (
    CALLS,
    DELETED,
    DELETED_BY,
    ENCRYPTED,
    MEDIA,
    SEEN_ONCE,
    WAITING,
)
from tests.examples import examples
from tests.exporters.test_blocks import told, written
from tests.exporters.test_whatsapp_properties import BEGINNING, SHAPES

pytestmark = pytest.mark.slow

SAMPLES = sorted((Path(__file__).parent / "samples" / "whatsapp").glob("*.txt"))
BODIES = [
    "hello", "", " ", "\u200eimage omitted", "<Media omitted>", "a: b", "two\nlines", "x (y)",
    "This message was deleted", "https://maps.google.com/?q=1,2", "12/03/2024, 10:00 - Bo: pasted",
    "Messages and calls are end-to-end encrypted. Nobody outside reads them. Tap to learn.",
]  # fmt: skip


def told_carefully(path, zone):
    """Read a file with the pattern of its heads alone, message by message."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cuts, "cut", lambda *_: None)
        return told(path, blocks=False, exporter=WHATSAPP, zone=zone)[0]


def agree(path, zone=UTC):
    found, count = told(path, blocks=True, exporter=WHATSAPP, zone=zone)
    careful = told_carefully(path, zone)
    assert found == careful
    assert told(path, blocks=False, exporter=WHATSAPP, zone=zone)[0] == careful
    return count


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_read_as_with_care(path):
    assert agree(path) >= 1


def test_exports_of_others_are_read_as_with_care(shared):
    read = 0
    for path in sorted((shared / "fixtures" / "whatsapp").glob("*.txt")):
        (source,) = sources_in(path, path.name)
        if find_exporter(source) is WHATSAPP:
            agree(path)
            read += 1
    assert read > 20


bits = st.sampled_from(
    [" ", "\u200e", "\u202f", "\u00a0", "-", ":", "[", "]", ", ", "7", "AM", "\r"]
)
heads = st.tuples(
    st.integers(0, 400 * 24 * 60 * 60),
    st.sampled_from(["Ann", "Bo: C", "~\u202fCy", "\u200eDo", "1 2"]),
    st.sampled_from(BODIES),
)


@given(st.sampled_from(sorted(SHAPES)), st.lists(heads, min_size=3, max_size=12), st.data())
@settings(max_examples=examples(80), deadline=None)
def test_any_text_is_read_as_with_care(tmp_path_factory, shape, found, data):
    render, _ = SHAPES[shape]
    when = [BEGINNING + timedelta(seconds=seconds) for seconds, *_ in found]
    if data.draw(st.booleans()):
        when.sort()
    text = "".join(
        f"{render(moment)}{name}: {body}\n"
        for moment, (_, name, body) in zip(when, found, strict=True)
    )
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(bits) + text[at + data.draw(st.integers(0, 2)) :]
    path = tmp_path_factory.mktemp("text") / "_chat.txt"
    path.write_text(text, encoding="utf-8", newline="")
    agree(path)


def text_of(lines):
    return "".join(f"{line}\n" for line in lines)


def test_every_wording_is_read_as_with_care(tmp_path):
    path = tmp_path / "_chat.txt"
    said = ["hello"] * 8
    tables = (DELETED, DELETED_BY, CALLS, MEDIA, SEEN_ONCE, WAITING, ENCRYPTED, ["you and me"])
    for wording in sorted({wording for table in tables for wording in table}):
        said += [
            wording,
            wording.upper(),
            f" {wording}",
            f"{wording}.",
            f"{wording} or so",
            "hello",
        ]
    path.write_text(
        text_of(
            f"12/03/2024, 10:{number % 60:02} - {'Ann' if number % 3 else 'Bo'}: {text}"
            for number, text in enumerate(said)
        ),
        encoding="utf-8",
    )
    agree(path)


ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"]


@pytest.mark.parametrize("zone", ZONES)
def test_times_in_every_zone_are_read_as_with_care(tmp_path, zone):
    path = tmp_path / "_chat.txt"
    begun = datetime(2023, 10, 27)  # noqa: DTZ001  # what a phone writes has no zone
    moments = [begun + timedelta(minutes=23 * number) for number in range(600)]
    moments += [begun + timedelta(days=160, minutes=7 * number) for number in range(600)]
    path.write_text(
        text_of(
            f"[{moment:%d/%m/%Y, %H:%M:%S}] {'Ann' if number % 2 else 'Bo'}: hello {number % 7}"
            for number, moment in enumerate(moments)
        ),
        encoding="utf-8",
    )
    agree(path, ZoneInfo(zone))


def test_a_far_jump_back_and_the_way_on_are_read_as_with_care(tmp_path):
    path = tmp_path / "_chat.txt"
    days = [1, 1, 2, 2, 3, 20, 20, 5, 5, 20, 20, 21, 4, 4, 4, 22, 22, 1, 1, 1, 2, 3]
    path.write_text(
        text_of(f"{day:02}/03/2024, 10:00 - Ann: {day}" for day in days * 5), encoding="utf-8"
    )
    agree(path)


def test_nearly_all_of_a_long_chat_is_taken_in_runs(tmp_path, monkeypatch):
    path = tmp_path / "_chat.txt"
    path.write_text(
        text_of(
            f"12/03/2024, 10:{number // 36:02} - {'Ann' if number % 2 else 'Bo'}: hello {number}"
            for number in range(1440)
        ),
        encoding="utf-8",
    )
    taken = []
    add = RunLines.add
    monkeypatch.setattr(RunLines, "add", lambda *told: taken.extend(told[1]) or add(*told))
    agree(path)
    assert len(taken) > 1300


SAID = ["hello", "two\nlines", "<Media omitted>", "https://example.org", 'a "quoted" \\ word', "🦊"]


@given(st.lists(st.tuples(st.sampled_from(["Ann", "Bo", "Cy"]), st.sampled_from(SAID))), st.data())
@settings(max_examples=examples(40), deadline=None)
def test_the_whole_export_is_the_same_one_by_one(tmp_path_factory, found, data):
    folder = tmp_path_factory.mktemp("whole")
    (folder / "in").mkdir()
    said = [("Ann", "hello"), ("Bo", "hello"), ("Ann", "hello"), *found]
    lines = [f"12/03/2024, 10:{at % 60:02} - {who}: {text}" for at, (who, text) in enumerate(said)]
    (folder / "in" / "_chat.txt").write_text(text_of(lines), encoding="utf-8")
    me = (data.draw(st.sampled_from(["Ann", "Bo", "bo"])),)
    ever = Selection(since=datetime(1, 1, 1, tzinfo=UTC))
    assert written(folder, me) == written(folder, me, selection=ever)
