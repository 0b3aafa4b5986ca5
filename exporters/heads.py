"""The heads of entries in a text: their shape learned from all of them, then each one read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from exporters.cuts import Cuts
from exporters.dates import DateEvidence, Order, calendar_date, numbers_of, years_between
from exporters.halves import HalfEvidence, hour_of_day, is_known, plain_word
from exporters.shapes import Shape, pattern_of

Head = tuple[datetime, str, bool]
"""The local time that a head says, what follows it, and whether the app's mark stands before it."""

Written = tuple[str, Sequence[str | None]]
"""A date as it is written, whole and number by number."""

Clock = tuple[str, int, int]
"""The word beside a time, as it is compared, the hour and the minute as they are written."""

_LEAP_YEAR = 2024
_MOST_DAYS = 31
_DAYS = 7
_MARKS = ("\u200e", "\u200f")
_ORDERS: Mapping[int, tuple[str, ...]] = {
    2: ("dm", "md"),
    3: ("dmy", "mdy", "ymd", "ydm", "dym", "myd"),
}


@dataclass(slots=True)
class ShapeFound:
    """One shape of head, and what the lines that have it say.

    Attributes:
        shape: The shape.
        dates: The evidence for the order of its dates.
        halves: The evidence for the words beside its times.
        count: How many lines have it.
        first: The number of the first of them.
        last: The number of the last of them.
        upper_case: Whether the first word after a time is in capitals, None if there is none.
        days: Which words stand before its dates.
        of_days: Whether these can be the days of the week: seven, and on a date but one.
    """

    shape: Shape
    dates: DateEvidence
    halves: HalfEvidence = field(default_factory=HalfEvidence)
    count: int = 0
    first: int = 0
    last: int = 0
    upper_case: bool | None = None
    days: set[str] = field(default_factory=set)
    of_days: bool = True
    _last_date: str = ""
    _last_day: tuple[str, str] = ("", "")
    _cuts: Cuts[Written, Clock] = field(init=False)

    def __post_init__(self) -> None:
        self._cuts = Cuts(self.shape)

    def add(self, number: int, line: str) -> tuple[str, bool] | None:
        """Take in a line and return what follows its head, and whether the app's mark precedes it.

        None if it has no head of this shape, or one whose date or time is impossible.
        """
        cut = self._cuts.cut(line)
        if cut is not None:
            written, clock, _, announced, rest = cut
            self.count_one(number, written, clock)
            return rest, announced
        found = pattern_of(self.shape).match(line)
        if found is None or not _possible(found):
            return None
        word = half_word(found)
        if word and self.upper_case is None:
            self.upper_case = word[0].isupper()
        if self.of_days and found["day"]:
            self._see_day(found["date"], found["day"])
        written = found["date"], date_parts(found)
        clock = plain_word(word), int(found["hour"]), int(found["minute"])
        announced = is_marked(found["lead"])
        self.count_one(number, written, clock)
        self._cuts.learn(found, written, clock, announced=announced)
        return found["rest"], announced

    def _see_day(self, date: str, word: str) -> None:
        self.days.add(word)
        last_date, last_word = self._last_day
        self.of_days = len(self.days) <= _DAYS and (date != last_date or word == last_word)
        self._last_day = date, word

    @property
    def cuts(self) -> Cuts[Written, Clock]:
        """What is known of its heads already."""
        return self._cuts

    def fits(self, line: str) -> bool:
        """Tell whether a line has a head of this shape, possible or not."""
        return pattern_of(self.shape).match(line) is not None

    def count_one(self, number: int, written: Written, clock: Clock) -> None:
        """Take in a head that is known.

        Args:
            number: Of its line.
            written: Its date.
            clock: Its time.
        """
        date, parts = written
        if date != self._last_date:
            self._last_date = date
            self.dates.add(parts)
        if clock[0]:
            self.halves.add(date, *clock)
        self.first = self.first or number
        self.last = number
        self.count += 1

    def count_more(self, count: int, last: int) -> None:
        """Take in so many further heads of the same date, the last of them on this line."""
        self.count += count
        self.last = max(self.last, last)

    def order(self, day_first: bool | None) -> Order:
        """Decide what the numbers of its dates are."""
        return self.dates.order(day_first, self.upper_case)


def date_parts(found: re.Match[str]) -> Sequence[str | None]:
    """Return the numbers of the date of a head, as they are written."""
    return [found[name] for name in ("n0", "n1", "n2") if name in found.re.groupindex]


def half_word(found: re.Match[str]) -> str:
    """Return the word beside the time of a head: of two the one that is known for a half."""
    after, before = found["after"], found["before"]
    return (
        before if before and after and not is_known(after) and is_known(before) else after or before
    )


def is_marked(text: str) -> bool:
    """Tell whether the mark stands in a text with which the app begins what it writes itself."""
    return text != "" and any(mark in text for mark in _MARKS)


def _possible(found: re.Match[str]) -> bool:
    if int(found["hour"]) > 23 or int(found["minute"]) > 59:
        return False
    numbers = numbers_of(date_parts(found))
    return any(
        calendar_date(numbers, places, _LEAP_YEAR) is not None
        for places in _ORDERS[len(numbers)]
        if places[0] != "y" or numbers[0] > _MOST_DAYS
    )


class HeadReader:
    """Reads the heads of one shape, its order of dates and its halves of the day decided.

    Attributes:
        cuts: What is known of them already.
    """

    def __init__(self, found: ShapeFound, places: str, last_year: int) -> None:
        """Take in a shape, the order of its dates, and the year of the last if they tell none."""
        self._match = pattern_of(found.shape).match
        self._places = places
        self._without_year = "y" not in places
        self._year = last_year - (found.dates.new_years(places) if self._without_year else 0)
        self._month: int | None = None
        self._halves = found.halves.halves()
        self._seconds = found.shape.seconds
        self.cuts = Cuts[datetime, timedelta](found.shape)

    def read(self, line: str) -> Head | None:
        """Return the head of a line, None if it has none that is possible."""
        cut = self.cuts.cut(line)
        if cut is not None:
            midnight, time_of_day, seconds, announced, rest = cut
            return midnight + time_of_day + seconds, rest, announced
        found = self._match(line)
        return None if found is None else self._read(found)

    def _read(self, found: re.Match[str]) -> Head | None:
        numbers = numbers_of(date_parts(found))
        if self._without_year:
            self._follow(numbers[self._places.index("m")])
        date = calendar_date(numbers, self._places, self._year)
        hour, minute = int(found["hour"]), int(found["minute"])
        if word := half_word(found):
            half = self._halves.get(plain_word(word))
            if half is None:
                return None
            hour = hour_of_day(hour, half)
        if date is None or hour > 23 or minute > 59:
            return None
        midnight, time_of_day = (
            datetime.combine(date, time()),
            timedelta(hours=hour, minutes=minute),
        )
        seconds = min(int(found["second"]), 59) if self._seconds else 0
        announced = is_marked(found["lead"])
        if not self._without_year:
            self.cuts.learn(found, midnight, time_of_day, announced=announced)
        return midnight + time_of_day + timedelta(seconds=seconds), found["rest"], announced

    def _follow(self, month: int) -> None:
        """Go on to the year of the next date."""
        if self._month is not None:
            self._year += years_between(self._month, month)
        self._month = month
