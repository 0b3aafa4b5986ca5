"""Dates that DiscordChatExporter printed as its user's computer writes them, in any culture.

Source: `FormatDate` in its `ExportContext.cs`: today the culture's short date and time; up to 2022
`dd-MMM-yy hh:mm tt` with English months, or what `--dateformat` said; in CSV mostly ISO 8601.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from exporters.clock import LocalClock
from exporters.dates import DateEvidence
from exporters.heads import HeadReader, ShapeFound
from exporters.shapes import Shape, shapes_of
from exporters.sources import Reading

_MOST_SHAPES = 50
_MOST_CHARACTERS = 60
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}\S*")
_SECONDS = re.compile(r"[0-9]{10}(?:[0-9]{3})?")
_WORD = re.compile(r"[A-Za-z]{3}")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_DAY = r"(?P<day>[0-9]{1,2})"
_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})"
_CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?\s*(?P<half>[ap]m)?"
_SPELLED = [
    re.compile(rf"(?:[a-z]{{6,9}}, )?{date},?\s+(?:at )?{_CLOCK}", re.IGNORECASE)
    for date in (rf"{_DAY}[- ]{_MONTH}[- ]{_YEAR}", rf"{_MONTH} {_DAY}, {_YEAR}")
]


class DateSurvey:
    """The dates of a file, gathered to decide how they are to be read."""

    def __init__(self) -> None:
        self._found: dict[Shape, ShapeFound] = {}
        self._last: str | None = None
        self._count = 0
        self._local = False

    def add(self, written: str) -> bool:
        """Take in the next date; False if it is none."""
        if written == self._last:
            return True
        plain = _plain(written)
        known = any(self._take(written)) if plain is None else True
        self._local |= known and (plain is None or plain.tzinfo is None)
        self._last = written if known else self._last
        return known

    def _take(self, written: str) -> Iterator[bool]:
        """Yield whether the date fits a shape, until it does."""
        self._count += 1
        line = f"[{written}]"
        for known in self._found.values():
            if known.add(self._count, line) or known.fits(line):
                yield known.last == self._count
        for shape in shapes_of(line) if len(written) <= _MOST_CHARACTERS else ():
            if shape.end == "]" and shape not in self._found and len(self._found) < _MOST_SHAPES:
                new = ShapeFound(shape, DateEvidence(shape))
                if new.add(self._count, line):
                    self._found[shape] = new
                    yield True

    def reader(self, reading: Reading) -> "DateReader":
        """Return what reads these dates, and say in the account how it does."""
        year = datetime.now(reading.local_zone).year
        heads = []
        for found in sorted(self._found.values(), key=lambda found: -found.count):
            order = found.order(reading.day_first)
            names = {"d": "day", "m": "month", "y": "year"}
            spelled = ", ".join(names[place] for place in order.places)
            reading.remarks.append(f"Dates are read as {spelled}: {order.why}.")
            heads.append(HeadReader(found, order.places, year))
        reading.local_times |= self._local
        return DateReader(heads, LocalClock(reading.local_zone))


class DateReader:
    """Reads the dates of a file that was surveyed."""

    def __init__(self, heads: list[HeadReader], clock: LocalClock) -> None:
        self._heads = heads
        self._clock = clock

    def moment(self, written: str) -> datetime | None:
        """Return the moment of a date, None if it cannot be read."""
        when = _plain(written)
        if when is None and len(written) <= _MOST_CHARACTERS:
            line = f"[{written}]"
            when = next((found[0] for head in self._heads if (found := head.read(line))), None)
        try:
            if when is None or when.tzinfo is not None:
                return when and when.astimezone(UTC)
            return self._clock.utc(when)
        except OverflowError:
            return None


def _plain(written: str) -> datetime | None:
    """Return a date in which day and month cannot be mistaken, None for any other."""
    try:
        if _ISO.fullmatch(written):
            return datetime.fromisoformat(written)
        if _SECONDS.fullmatch(written):
            return datetime.fromtimestamp(int(written) / 10 ** (len(written) - 10), UTC)
        return _spelled(written) if _WORD.search(written) else None
    except (ValueError, OverflowError):
        return None


def _spelled(written: str) -> datetime | None:
    """Return a date whose month is an English word.

    Raises:
        ValueError: There is no such day or time.
    """
    found = next((found for shape in _SPELLED if (found := shape.fullmatch(written))), None)
    if found is None:
        return None
    year, hour = int(found["year"]), int(found["hour"])
    if half := found["half"]:
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    return datetime(  # noqa: DTZ001
        year + 2000 if year < 100 else year,
        _MONTHS.index(found["month"].lower()) + 1,
        int(found["day"]),
        hour,
        int(found["minute"]),
        int(found["second"] or 0),
    )
