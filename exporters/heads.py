"""The heads of entries in a text: their shape learned from all of them, then each one read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from exporters.dates import DateEvidence, Order, calendar_date, numbers_of
from exporters.halves import HalfEvidence, hour_of_day, plain_word
from exporters.shapes import Shape

_LEAP_YEAR = 2024
_MOST_DAYS = 31
_ORDERS: Mapping[int, tuple[str, ...]] = {
    2: ("dm", "md"),
    3: ("dmy", "mdy", "ymd", "ydm", "dym", "myd"),
}


@dataclass(slots=True)
class ShapeFound:
    """One shape of head, and what the lines that have it say.

    Attributes:
        shape: The shape.
        pattern: What matches it.
        dates: The evidence for the order of its dates.
        halves: The evidence for the words beside its times.
        count: How many lines have it.
        first: The number of the first of them.
        last: The number of the last of them.
        upper_case: Whether the first word after a time is in capitals, None if there is none.
    """

    shape: Shape
    pattern: re.Pattern[str]
    dates: DateEvidence
    halves: HalfEvidence = field(default_factory=HalfEvidence)
    count: int = 0
    first: int = 0
    last: int = 0
    upper_case: bool | None = None
    _last_date: str = ""

    def add(self, number: int, found: re.Match[str]) -> bool:
        """Take in a line; False if its date or time is impossible."""
        if found["date"] != self._last_date:
            if not _possible(found):
                return False
            self._last_date = found["date"]
            self.dates.add(date_parts(found))
        if int(found["hour"]) > 23 or int(found["minute"]) > 59:
            return False
        if word := found["after"] or found["before"]:
            if self.upper_case is None:
                self.upper_case = word[0].isupper()
            self.halves.add(
                found["date"], plain_word(word), int(found["hour"]), int(found["minute"])
            )
        self.first = self.first or number
        self.last = number
        self.count += 1
        return True

    def order(self, day_first: bool | None) -> Order:
        """Decide what the numbers of its dates are."""
        return self.dates.order(day_first, self.upper_case)


def date_parts(found: re.Match[str]) -> Sequence[str | None]:
    """Return the numbers of the date of a head, as they are written."""
    return [found[name] for name in ("n0", "n1", "n2") if name in found.re.groupindex]


def _possible(found: re.Match[str]) -> bool:
    numbers = numbers_of(date_parts(found))
    return any(
        calendar_date(numbers, places, _LEAP_YEAR) is not None
        for places in _ORDERS[len(numbers)]
        if places[0] != "y" or numbers[0] > _MOST_DAYS
    )


class HeadReader:
    """Reads the heads of one shape, its order of dates and its halves of the day decided."""

    def __init__(self, found: ShapeFound, places: str, year_if_none: int) -> None:
        self._match = found.pattern.match
        self._places = places
        self._year_if_none = year_if_none
        self._halves = found.halves.halves()
        self._seconds = found.shape.seconds
        self._written = ""
        self._date: date | None = None

    def read(self, line: str) -> tuple[re.Match[str], datetime] | None:
        """Return the head of a line and its time, None if it has none that is possible."""
        found = self._match(line)
        if found is None:
            return None
        written = found["date"]
        if written != self._written:
            self._written = written
            numbers = numbers_of(date_parts(found))
            self._date = calendar_date(numbers, self._places, self._year_if_none)
        if self._date is None:
            return None
        hour = int(found["hour"])
        if word := found["after"] or found["before"]:
            half = self._halves.get(plain_word(word))
            if half is None:
                return None
            hour = hour_of_day(hour, half)
        minute, second = int(found["minute"]), int(found["second"]) if self._seconds else 0
        if hour > 23 or minute > 59:
            return None
        return found, datetime.combine(self._date, time(hour, minute, min(second, 59)))
