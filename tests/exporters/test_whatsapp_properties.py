"""What holds for every WhatsApp text: a round trip loses nothing, nothing breaks the reader."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.shapes import shapes_of
from exporters.sources import HEAD_BYTES, Reading, Source
from exporters.whatsapp import WHATSAPP
from exporters.whatsapp_wordings import CALLS, DELETED, ENCRYPTED, MEDIA, WAITING
from likeness.errors import DamagedSource
from likeness.messages import Message, Record
from tests.examples import examples

SAMPLES = sorted((Path(__file__).parent / "samples" / "whatsapp").glob("*.txt"))
SPANISH = ("a.\xa0m.", "p.\xa0m.")
ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@dataclass(frozen=True, slots=True)
class Held(Source):
    """A source that lies in memory."""

    data: bytes

    @contextmanager
    def open(self, _: Callable[[int], None] | None = None) -> Iterator[BinaryIO]:
        yield io.BytesIO(self.data)


def held(data: bytes) -> Held:
    return Held("_chat.txt", Path("_chat.txt"), None, data[:HEAD_BYTES], len(data), data)


def read(data: bytes) -> list[Record]:
    return list(WHATSAPP.read(held(data), Reading(ZoneInfo("UTC"))))


def half(when: datetime, morning: str, afternoon: str) -> str:
    return afternoon if when.hour >= 12 else morning


def twelve(when: datetime) -> int:
    return when.hour % 12 or 12


BEGINNING = datetime(2024, 1, 30, 11, 5, 7, tzinfo=UTC)

Render = Callable[[datetime], str]
# Name of the shape: how a head is written, and whether it says seconds.
SHAPES: dict[str, tuple[Render, bool]] = {
    "android, slashes": (lambda t: f"{t:%d/%m/%Y, %H:%M} - ", False),
    "android, dots, short year": (lambda t: f"{t:%d.%m.%y, %H:%M} - ", False),
    "android, no comma": (lambda t: f"{t:%d-%m-%Y %H:%M} - ", False),
    "android, american": (
        lambda t: f"{t.month}/{t.day}/{t:%y}, {twelve(t)}:{t:%M}\u202f{half(t, 'AM', 'PM')} - ",
        False,
    ),
    "android, indian": (
        lambda t: f"{t:%d/%m/%y}, {twelve(t)}:{t:%M} {half(t, 'am', 'pm')} - ",
        False,
    ),
    "android, spanish": (
        lambda t: f"{t.day}/{t.month}/{t:%Y} {twelve(t)}:{t:%M} {half(t, *SPANISH)} - ",
        False,
    ),
    "android, arabic": (
        lambda t: (
            f"{t.day}\u200f/{t.month}\u200f/{t.year}، {twelve(t)}:{t:%M} {half(t, 'ص', 'م')} - "
        ).translate(ARABIC_DIGITS),
        False,
    ),
    "android, word first": (
        lambda t: f"{t.year}/{t.month}/{t.day} {half(t, '上午', '下午')}{twelve(t)}:{t:%M} - ",
        False,
    ),
    "android, iso": (lambda t: f"{t:%Y-%m-%d, %H:%M} - ", False),
    "android, finnish": (lambda t: f"{t.day}.{t.month}.{t.year} klo {t.hour}.{t:%M} - ", False),
    "android, en dash": (lambda t: f"{t:%d/%m/%Y, %H:%M:%S} – ", True),
    "ios, dots": (lambda t: f"[{t:%d.%m.%y, %H:%M:%S}] ", True),
    "ios, american": (
        lambda t: f"[{t.month}/{t.day}/{t:%y}, {twelve(t)}:{t:%M:%S}\u202f{half(t, 'AM', 'PM')}] ",
        True,
    ),
    "ios, indonesian": (lambda t: f"[{t:%d/%m/%y %H.%M.%S}] ", True),
    "ios, time first": (lambda t: f"[{t:%H:%M:%S}, {t.month}/{t.day}/{t:%y}] ", True),
    "ios, buddhist": (lambda t: f"[{t.day}/{t.month}/{t.year + 543} BE, {t:%H:%M:%S}] ", True),
    "ios, reiwa": (lambda t: f"[{t.month}/{t.day}/R{t.year - 2018}, {t:%H:%M:%S}] ", True),
    "ios, marks": (
        lambda t: f"[\u200f{t.day}\u200f/{t.month}\u200f/{t.year}، {t:%H:%M:%S}] ",
        True,
    ),
    "old, colon": (lambda t: f"{t:%d/%m/%Y %H:%M:%S}: ", True),
    "old, croatian": (lambda t: f"{t.day}. {t.month}. {t.year}. {t:%H:%M:%S} ", True),
}
PEOPLE = ["Ann", "Bo-Bo 🤓", "+1 555 010 0199", "José María", "AM"]
NAMES = st.sampled_from(PEOPLE)
# What the app itself writes has shapes; they are left to the examples.
_LINES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"], exclude_characters="<>()"))
APP_MADE = DELETED | CALLS | MEDIA | WAITING


def is_of_a_person(text: str) -> bool:
    """Tell what a person may have written from what the app writes, and from heads."""
    plain = text.strip().casefold()
    return (
        plain.removesuffix(".") not in APP_MADE
        and not plain.startswith(ENCRYPTED)
        and "https" not in plain
        and bool(plain)
        and not text.endswith("\n")
        and not any(True for line in text.split("\n") for _ in shapes_of(line))
    )


TEXTS = st.lists(_LINES, min_size=1, max_size=3).map("\n".join).filter(is_of_a_person)
CHATS = st.lists(
    st.tuples(NAMES, TEXTS, st.timedeltas(timedelta(0), timedelta(days=9))), min_size=1, max_size=12
)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=examples(40), deadline=None)
@given(chat=CHATS, crlf=st.booleans())
def test_a_chat_reads_back_message_for_message(
    shape: str, chat: list[tuple[str, str, timedelta]], crlf: bool
) -> None:
    render, seconds = SHAPES[shape]
    # The first days decide the order of day and month and what the words beside the time mean.
    told = [("Ann", "one", BEGINNING), ("Bo", "two", BEGINNING + timedelta(hours=2))]
    # One message without a colon says that a name ends where it seems to.
    told += [(name, "hello", BEGINNING + timedelta(hours=2)) for name in PEOPLE]
    at = BEGINNING + timedelta(hours=3)
    for name, text, after in chat:
        at += after
        told.append((name, text, at.replace(microsecond=0)))
    end = "\r\n" if crlf else "\n"
    written = "".join(f"{render(when)}{name}: {text}{end}" for name, text, when in told)
    records = read(written.encode())

    assert WHATSAPP.recognises(held(written.encode()))
    assert [
        (record.speaker, record.text, record.sent_at)
        for record in records
        if isinstance(record, Message)
    ] == [(name, text, when if seconds else when.replace(second=0)) for name, text, when in told]
    assert len(records) == len(told)
    assert len({record.id for record in records if isinstance(record, Message)}) == len(told)


def try_to_read(data: bytes) -> None:
    """Read anything: it ends in records that add up, or in one clear error."""
    WHATSAPP.recognises(held(data))
    try:
        records = read(data)
    except DamagedSource:
        return
    assert len(records) <= data.count(b"\n") + 2
    ids = [record.id for record in records if isinstance(record, Message)]
    assert len(ids) == len(set(ids))


@settings(max_examples=examples(200), deadline=None)
@given(data=st.binary(max_size=400))
def test_random_bytes_end_in_records_or_one_error(data: bytes) -> None:
    try_to_read(data)


_PIECES = st.sampled_from(
    [render(BEGINNING) for render, _ in SHAPES.values()]
    + ["\n", "\r\n", "Ann", ": ", ":", "\u200e", "<attached: a.jpg>", "(file attached)", " - ", "["]
    + [
        "31/12/",
        "R",
        "令和",
        "9999",
        "00:61",
        "POLL:",
        "OPTION: a (1 vote)",
        "~",
        '"',
        "\ufeff",
        "م",
    ]
)


@pytest.mark.slow
@settings(max_examples=examples(300), deadline=None)
@given(pieces=st.lists(st.one_of(_PIECES, st.text(max_size=3)), max_size=40))
def test_shuffled_pieces_of_exports_end_in_records_or_one_error(pieces: list[str]) -> None:
    try_to_read("".join(pieces).encode(errors="surrogatepass"))


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_file_cut_anywhere_still_gives_its_whole_messages(sample: Path) -> None:
    data = sample.read_bytes()
    whole = read(data)
    for cut in range(0, len(data), 7):
        try_to_read(data[:cut])
        try_to_read(data[cut:])
    assert len(read(data[: len(data) // 2])) < len(whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 100_000,
        " " * 100_000,
        "1/" * 100_000,
        "1/1/24, 10:00 - " + "a" * 100_000,
        "1/1/24, 10:00 - Ann: " + "<" * 100_000 + ">",
        "1/1/24, 10:00 - Ann: " + "a." * 50_000 + "(x)",
        "1/1/24, 10:00 - Ann: POLL:\n" + "OPTION: (1 " * 20_000,
        "1/1/24, 10:00 - Ann: " + "https://maps.google.com/?q= " * 5_000,
        "1/1/24, 10:00 - Ann: x" + " \u200e<a b>" * 20_000,
        "1/1/24, 10:00 - A: " * 10_000,
        "1/1/24, 10:00 - A: b\n" + "\n" * 200_000,
    ],
    ids=lambda text: text[:24].strip() or "blanks",
)
def test_long_lines_of_one_kind_take_no_long_time(hostile: str) -> None:
    try_to_read(hostile.encode())
    try_to_read(f"{hostile}\n1/1/24, 10:01 - Bob: ho\n".encode())
