"""DiscordChatExporter's CSV: one channel a file, its dates as the user's computer writes them.

It tells no ids of messages, no replies and no bots, and system messages only by their sentence.

Source: `CsvMessageWriter.cs` of DiscordChatExporter.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from exporters.discord_dates import DateReader, DateSurvey
from exporters.discord_markdown import Names, rendered
from exporters.discord_place import PLATFORM, place_of
from exporters.discord_rows import csv_rows, has_columns
from exporters.discord_sentences import system_kind
from exporters.ids import MadeIds
from exporters.sources import Reading, Source
from exporters.streaming import BrokenJSON, keep_whole
from likeness.errors import DamagedSource
from likeness.messages import Message, Notice, Record, Rejected

_COLUMNS = (
    ("AuthorID", "Author", "Date", "Content", "Attachments", "Reactions"),
    ("Author", "Date", "Content", "Attachments", "Reactions", ""),  # up to 2019
    ("Author", "Date", "Content", "Attachments", ""),  # up to 2018
)
_Row = tuple[str, dict[str, str]]
"""Where it stands, and what stands there; empty if it has not the header's columns."""

_REMARK = "A CSV tells neither replies nor bots; DiscordChatExporter's JSON does."


class _DiscordCSV:
    name = "DiscordChatExporter CSV"

    def recognises(self, source: Source) -> bool:
        return _columns(source) is not None

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        reading.flavour = "one channel"
        reading.remarks.append(_REMARK)
        dates = _survey(source).reader(reading)
        yield from keep_whole(_records(source, reading, dates), source.name)


DISCORD_CSV = _DiscordCSV()


def _columns(source: Source) -> tuple[str, ...] | None:
    return next((columns for columns in _COLUMNS if has_columns(source, columns)), None)


def _rows(source: Source, on_bytes: Callable[[int], None] | None) -> Iterator[_Row]:
    columns = _columns(source) or _COLUMNS[0]
    for where, row in csv_rows(source, columns, on_bytes):
        yield where, dict(zip(columns, row, strict=True)) if len(row) == len(columns) else {}


def _survey(source: Source) -> DateSurvey:
    survey = DateSurvey()
    with suppress(BrokenJSON, DamagedSource):
        for _, row in _rows(source, None):
            if row:
                survey.add(row["Date"])
    return survey


def _records(source: Source, reading: Reading, dates: DateReader) -> Iterator[Record]:
    place = place_of(source, "", "")
    names, ids = Names(), MadeIds()
    for where, row in _rows(source, reading.on_bytes):
        if not row:
            yield Rejected(where, "it has not as many columns as the header")
            continue
        author, content, attachments = (
            row["Author"],
            row["Content"].replace("\r\n", "\n"),
            row["Attachments"],
        )
        author_id = row.get("AuthorID") or author
        names.user(author_id, author)
        moment = dates.moment(row["Date"])
        if moment is None:
            yield Rejected(where, "it has no date that can be read")
        elif not author_id:
            yield Rejected(where, "it names no author")
        elif kind := system_kind(content):
            yield Notice(f"system message {kind}")
        else:
            yield Message(
                platform=PLATFORM,
                chat_id=place.id,
                chat=place.name,
                id=ids.of(moment.isoformat(), author_id, content, attachments),
                speaker_id=author_id,
                speaker=author or author_id,
                outgoing=None,
                sent_at=moment,
                text=rendered(content, names, reading.local_zone),
                kind="text" if content and not attachments else "media",
            )
