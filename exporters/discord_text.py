"""DiscordChatExporter's plain text: one channel a file, its dates as the user's computer has them.

Source: `PlainTextMessageWriter.cs` of DiscordChatExporter.
"""

from collections.abc import Iterator
from datetime import tzinfo

from exporters.discord_dates import DateReader
from exporters.discord_entries import TextEntry, TextPage, survey_of
from exporters.discord_markdown import Names, rendered
from exporters.discord_place import PLATFORM, Place, place_of
from exporters.discord_sentences import system_kind
from exporters.ids import MadeIds
from exporters.lines import Lines, first_lines
from exporters.sources import Reading, Source
from exporters.streaming import BrokenJSON, keep_whole
from likeness.messages import Kind, Message, Notice, Record, Rejected

_MOST_HEADER = 100
_REMARK = "A text tells neither ids, replies nor bots; DiscordChatExporter's JSON does."


class _DiscordText:
    name = "DiscordChatExporter text"

    def recognises(self, source: Source) -> bool:
        page = TextPage(first_lines(source)[:_MOST_HEADER])
        return {"Guild", "Channel"} <= page.header.keys()

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        reading.flavour = "one channel"
        reading.remarks.append(_REMARK)
        survey, strict = survey_of(TextPage(Lines(source)))
        dates = survey.reader(reading)
        yield from keep_whole(_records(source, reading, dates, strict), source.name)


DISCORD_TEXT = _DiscordText()


def _records(source: Source, reading: Reading, dates: DateReader, strict: bool) -> Iterator[Record]:
    lines = Lines(source, reading.on_bytes)
    page = TextPage(lines)
    place = place_of(source, page.header.get("Guild", ""), page.header.get("Channel", ""))
    chat = _Chat(place, reading.local_zone)
    for entry in page.entries(dates, strict):
        yield entry if isinstance(entry, Rejected) else chat.record(entry)
    if lines.damaged:
        raise BrokenJSON
    if not page.ended:
        reading.remarks.append("The file lacks its last lines: the export was interrupted.")


class _Chat:
    """One channel: what is the same for all of its messages."""

    def __init__(self, place: Place, zone: tzinfo) -> None:
        self._place = place
        self._zone = zone
        self._ids = MadeIds()

    def record(self, entry: TextEntry) -> Message | Notice:
        if kind := system_kind(entry.text):
            return Notice(f"system message {kind}")
        return Message(
            platform=PLATFORM,
            chat_id=self._place.id,
            chat=self._place.name,
            id=self._ids.of(entry.moment.isoformat(), entry.author, entry.text, *entry.blocks),
            speaker_id=entry.author,
            speaker=entry.author,
            outgoing=None,
            sent_at=entry.moment,
            text=rendered(entry.text, Names(), self._zone),
            kind=_kind(entry),
        )


def _kind(entry: TextEntry) -> Kind:
    if entry.forwarded:
        return "forwarded"
    return "text" if entry.text and not entry.media else "media"
