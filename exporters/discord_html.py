"""DiscordChatExporter's HTML: one channel a file, with the real ids of messages and people.

A date on the page has no zone and the user's own look, but Discord's ids hold the moment, so the
dates are read only where the ids are not Discord's.

Source: discord.com/developers/docs/reference#snowflakes: milliseconds since the beginning of 2015
in all but the last 22 bits. Checked against the dates of two published pages.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from exporters.discord_dates import DateReader, DateSurvey
from exporters.discord_markdown import Names, rendered
from exporters.discord_markup import parts_of
from exporters.discord_page import Page, PageEntry
from exporters.discord_place import PLATFORM, Place, place_of
from exporters.discord_sentences import system_kind
from exporters.entry import whole_number
from exporters.sources import Reading, Source
from exporters.streaming import BrokenJSON, keep_whole
from likeness.errors import DamagedSource
from likeness.messages import Kind, Message, Notice, Record, Rejected

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_FIRST = datetime(2015, 2, 1, tzinfo=UTC)
_ZONES_APART = timedelta(days=2)
_BOM = b"\xef\xbb\xbf"
_BY_IDS = "The times are those that Discord's ids hold."


class _DiscordHTML:
    name = "DiscordChatExporter HTML"

    def recognises(self, source: Source) -> bool:
        begins = source.head.removeprefix(_BOM).lstrip()[:1] == b"<"
        return begins and b"chatlog__message-group" in source.head

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        reading.flavour = "one channel"
        yield from keep_whole(_records(source, reading), source.name)


DISCORD_HTML = _DiscordHTML()


def _records(source: Source, reading: Reading) -> Iterator[Record]:
    page, names = Page(), Names()
    place: Place | None = None
    moment_of: Callable[[PageEntry], datetime | None] | None = None
    with source.open(reading.on_bytes) as file:
        for number, entry in enumerate(page.entries(parts_of(file)), 1):
            place = place or place_of(source, *(*page.preamble, "", "")[:2])
            moment_of = moment_of or _moments(entry, source, reading)
            names.user(entry.author.id, entry.author.name)
            yield _record(entry, f"message {number}", place, moment_of(entry), names)


def _record(
    entry: PageEntry, where: str, place: Place, moment: datetime | None, names: Names
) -> Record:
    if entry.system is not None:
        said = " ".join(entry.system.split())
        kind = system_kind(said[:1].upper() + said[1:])
        return Notice(f"system message {kind}" if kind else "system message")
    if moment is None:
        return Rejected(where, "it has no date that can be read")
    if not entry.id or not entry.author.id:
        return Rejected(where, "it has no id" if not entry.id else "it names no author")
    return Message(
        platform=PLATFORM,
        chat_id=place.id,
        chat=place.name,
        id=entry.id,
        speaker_id=entry.author.id,
        speaker=entry.author.name or entry.author.id,
        outgoing=None,
        sent_at=moment,
        text=rendered(entry.text, names),
        reply_to=entry.reply_to,
        kind=_kind(entry),
    )


def _kind(entry: PageEntry) -> Kind:
    if entry.author.bot:
        return "automated"
    if entry.forwarded:
        return "forwarded"
    return "text" if entry.text and not entry.media else "media"


def _moments(
    first: PageEntry, source: Source, reading: Reading
) -> Callable[[PageEntry], datetime | None]:
    """Return what tells when a message was sent: its id, or else its date."""
    if _ids_tell(first):
        reading.remarks.append(_BY_IDS)
        return lambda entry: _by_id(entry.id)
    survey = DateSurvey()
    with suppress(BrokenJSON, DamagedSource), source.open() as file:
        for entry in Page().entries(parts_of(file)):
            any(map(survey.add, entry.dates))
    dates = survey.reader(reading)
    return lambda entry: _by_date(entry, dates)


def _by_id(id_: str) -> datetime | None:
    number = whole_number(id_)
    if number is None or number < 0:
        return None
    with suppress(OverflowError):
        moment = _EPOCH + timedelta(milliseconds=number >> 22)
        return moment if moment >= _FIRST else None
    return None


def _by_date(entry: PageEntry, dates: DateReader) -> datetime | None:
    return next((moment for date in entry.dates if (moment := dates.moment(date))), None)


def _ids_tell(entry: PageEntry) -> bool:
    """Tell whether the id of a message is Discord's: its moment is near the date beside it."""
    by_id = _by_id(entry.id)
    survey = DateSurvey()
    if by_id is None or not any(map(survey.add, entry.dates)):
        return by_id is not None
    readers = (survey.reader(Reading(UTC, day_first=day_first)) for day_first in (True, False))
    read = [moment for dates in readers if (moment := _by_date(entry, dates))]
    return any(abs(moment - by_id) < _ZONES_APART for moment in read)
