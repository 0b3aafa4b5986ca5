"""The Cornell Movie-Dialogs Corpus: `movie_lines.txt` with `movie_conversations.txt` beside it.

A film is a chat. Its conversations of two characters stand in the order of the film, each on a day
of its own: so they stay apart, and a film is long enough to hold some of it out. The times are made
up. A film belongs to nobody: which character is "me" is for the user to choose.

Source: the corpus' own README; of its lines, 267 are empty, and a few bytes are no UTF-8 but
Windows-1252.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from exporters.entry import Unreadable
from exporters.sources import Reading, Source
from exporters.streaming import keep_whole
from likeness.errors import DamagedSource
from likeness.messages import Message, Record, Rejected

_PARTED = b" +++$+++ "
_HEAD = re.compile(
    rb"(?:\xef\xbb\xbf)?L\d{1,9} \+\+\+\$\+\+\+ u\d{1,9} \+\+\+\$\+\+\+ m\d{1,9} \+\+\+\$\+\+\+ "
)
_LINE_ID = re.compile(rb"L\d{1,9}")
_CONVERSATIONS, _TITLES = "movie_conversations.txt", "movie_titles_metadata.txt"
_FIRST_DAY = datetime(2000, 1, 1, 12, tzinfo=UTC)
_STEP = timedelta(seconds=10)
_NOBODY = "a film belongs to nobody"

Place = tuple[int, int]
"""Which of the film's conversations, and which of its lines."""


class _Cornell:
    name = "Cornell Movie-Dialogs Corpus"

    def recognises(self, source: Source) -> bool:
        return _HEAD.match(source.head) is not None

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        reading.flavour = "movie_lines.txt"
        places = _places(source)
        titles = _titles(source)
        reading.remarks.append("The times are made up: they keep the order of each film.")
        with source.open(reading.on_bytes) as file:
            records = _records(file, places, titles, reading)
            yield from keep_whole(records, source.name)


CORNELL = _Cornell()


def _records(
    lines: BinaryIO, places: dict[bytes, Place], titles: dict[str, str], reading: Reading
) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            message = _message(line, places, titles)
        except Unreadable as error:
            yield Rejected(f"line {number}", str(error))
            continue
        reading.owner[message.chat_id] = "", _NOBODY
        yield message


def _message(line: bytes, places: dict[bytes, Place], titles: dict[str, str]) -> Message:
    fields = _fields(line)
    if len(fields) != 5 or not all(fields[:4]):
        raise Unreadable("it has not the five fields of a line")
    place = places.get(fields[0])
    if place is None:
        raise Unreadable("no conversation holds it")
    id_, character, film, name, text = map(_words, fields)
    return Message(
        platform="cornell",
        chat_id=film,
        chat=titles.get(film, film),
        id=id_,
        speaker_id=character,
        speaker=name,
        outgoing=None,
        sent_at=_moment(*place),
        text=text,
    )


def _moment(conversation: int, position: int) -> datetime:
    try:
        return _FIRST_DAY + timedelta(days=conversation) + position * _STEP
    except OverflowError as error:
        raise Unreadable("its film has too many conversations") from error


def _places(source: Source) -> dict[bytes, Place]:
    """Return where each line stands in its film.

    Raises:
        DamagedSource: Nothing beside the lines tells their conversations.
    """
    beside = source.near(_CONVERSATIONS)
    if beside is None:
        raise DamagedSource(
            f"{source.name} needs {_CONVERSATIONS} beside it, which tells who speaks with whom."
        )
    films: defaultdict[bytes, list[list[bytes]]] = defaultdict(list)
    with beside.open() as file:
        for line in file:
            fields = _fields(line)
            if len(fields) == 4 and (ids := _LINE_ID.findall(fields[3])):
                films[fields[2]].append(ids)
    return {
        id_: (day, position)
        for conversations in films.values()
        for day, ids in enumerate(sorted(conversations, key=lambda ids: int(ids[0][1:])))
        for position, id_ in enumerate(ids)
    }


def _titles(source: Source) -> dict[str, str]:
    beside = source.near(_TITLES)
    if beside is None:
        return {}
    with beside.open() as file:
        named = [fields[:2] for line in file if len(fields := _fields(line)) > 2]
    return {_words(film): _words(title) for film, title in named}


def _fields(line: bytes) -> list[bytes]:
    """Return the fields of a line; the blank behind the last mark may be lost."""
    line = line.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n")
    whole = line + b" " * line.endswith(_PARTED.rstrip())
    return [field.strip() for field in whole.split(_PARTED, 4)]


def _words(field: bytes) -> str:
    """Decode a field; the corpus is of Windows-1252, and some copies were made UTF-8."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return field.decode(encoding)
        except UnicodeDecodeError:
            continue
    return field.decode("latin-1")
