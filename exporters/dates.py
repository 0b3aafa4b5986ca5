"""What the numbers of a date are: the order of day, month and year by evidence."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from exporters.calendars import day_of, year_of
from exporters.shapes import Shape

_MOST_KEPT = 1_000_000
_HALF_A_YEAR = 6
_ORDINALS = ("first", "second", "third")

Numbers = tuple[int, ...]


def numbers_of(parts: Sequence[str | None]) -> Numbers:
    """Return the numbers of a date; a year that counts from an era comes as one in full."""
    return tuple(year_of(part) for part in parts if part)


def calendar_date(numbers: Numbers, places: str, year_if_none: int) -> date | None:
    """Return the date that the numbers say, None if there is no such day in the time of chats.

    Args:
        numbers: As they stand.
        places: What each of them is: `dmy`, `mdy`, `ymd`, …
        year_if_none: The year, if none stands there.
    """
    named = dict(zip(places, numbers, strict=True))
    try:
        return day_of(named.get("y", year_if_none), named["m"], named["d"])
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Order:
    """What the numbers of a date are, and how that was found out."""

    places: str
    why: str


class DateEvidence:
    """The dates of one shape as they follow each other, each change kept once."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._kept = array("Q")
        self._unpadded = False
        self._native = False

    def add(self, parts: Sequence[str | None]) -> None:
        """Take in the next date that differs from the one before."""
        if len(self._kept) < _MOST_KEPT:
            packed = 0
            for number in numbers_of(parts):
                packed = packed * 10_000 + number
            self._kept.append(packed)
        self._unpadded |= any(part and len(part) == 1 for part in parts)
        self._native |= any(part and part.isdecimal() and not part.isascii() for part in parts)

    def order(self, day_first: bool | None, upper_case_half: bool | None) -> Order:
        """Decide what the numbers are.

        Args:
            day_first: What the user says, None if nothing. It does not count where numbers above 12
                say otherwise: whatever has such a date would begin no message.
            upper_case_half: Whether the word for the half of the day, if there is one, is in
                capitals.
        """
        dates = [_unpacked(packed, len(self._shape.widths)) for packed in self._kept]
        year = self._year_place(dates)
        by_size = _by_size(dates, year)
        if day_first is not None and year != 0:
            if by_size is None or by_size[0] == day_first:
                return Order(_places(year, day_first), "as you said")
            return Order(_places(year, not day_first), f"{by_size[1]}, though you said otherwise")
        day_known, why = (
            by_size
            or _by_running_back(dates, year)
            or _by_change(dates, year)
            or self._by_look(year, upper_case_half)
        )
        return Order(_places(year, day_known), why)

    def new_years(self, places: str) -> int:
        """Return how many years later the last of dates without a year lies than the first."""
        dates = [_unpacked(packed, len(self._shape.widths)) for packed in self._kept]
        months = [numbers[places.index("m")] for numbers in dates]
        return sum(map(years_between, months, months[1:]))

    def _year_place(self, dates: list[Numbers]) -> int | None:
        if len(self._shape.widths) == 2:
            return None
        if (place := self._shape.year_place) is not None:
            return place
        # Without a year in full: it is the slower one of the first and the last.
        first, _, last = _changes(dates)
        year_first = last > first and all(numbers[1] <= 12 for numbers in dates)
        return 0 if year_first else 2

    def _by_look(self, year: int | None, upper_case_half: bool | None) -> tuple[bool, str]:
        """Decide by the look of the head.

        Source: counted over 383 exports in which a number above 12 decides: this rule was right
        in 376 of them. No country with digits of its own puts the month first.
        """
        if year == 0:
            return False, "the year stands first"
        if self._shape.separators[0] != "/":
            return True, "by its look: not parted by slashes, nothing in the file contradicts"
        if self._native:
            return True, "by its look: digits of their own, nothing in the file contradicts"
        if upper_case_half is False:
            return True, "by its look: am and pm in small letters, nothing in the file contradicts"
        if not self._unpadded:
            return True, "by its look: numbers filled up with zeros, nothing contradicts"
        return False, "by its look: slashes and numbers without zeros, nothing contradicts"


def years_between(month: int, next_month: int) -> int:
    """Return by how much the year changes between two dates without one: by as little as can be."""
    return (month - next_month > _HALF_A_YEAR) - (next_month - month > _HALF_A_YEAR)


def _unpacked(packed: int, count: int) -> Numbers:
    return tuple(packed // 10_000**place % 10_000 for place in reversed(range(count)))


def _places(year: int | None, day_first: bool) -> str:
    places = "dm" if day_first else "md"
    return places if year is None else places[:year] + "y" + places[year:]


def _others(year: int | None) -> tuple[int, int]:
    first, second = [place for place in range(3) if place != year][:2]
    return first, second


def _by_size(dates: list[Numbers], year: int | None) -> tuple[bool, str] | None:
    first, second = _others(year)
    large_first = sum(numbers[first] > 12 for numbers in dates)
    large_second = sum(numbers[second] > 12 for numbers in dates)
    if large_first == large_second:
        return None
    count = max(large_first, large_second)
    where = _ORDINALS[first if large_first > large_second else second]
    times = "once" if count == 1 else f"{count} times"
    return large_first > large_second, f"the {where} number is above 12 {times}"


def _by_running_back(dates: list[Numbers], year: int | None) -> tuple[bool, str] | None:
    back_if_day_first = _steps_back(dates, _places(year, True))
    back_if_month_first = _steps_back(dates, _places(year, False))
    if back_if_day_first == back_if_month_first:
        return None
    fewer, more = sorted((back_if_day_first, back_if_month_first))
    return (
        back_if_day_first < back_if_month_first,
        f"steps back in time: {fewer} this way, {more} the other way",
    )


def _steps_back(dates: list[Numbers], places: str) -> int:
    ranks = [
        tuple(numbers[places.index(place)] for place in "ymd" if place in places)
        for numbers in dates
    ]
    return sum(later < earlier for earlier, later in pairwise(ranks))


def _by_change(dates: list[Numbers], year: int | None) -> tuple[bool, str] | None:
    first, second = _others(year)
    changes = _changes(dates)
    # Dates that run backwards whatever the order are no calendar to judge by.
    back = _steps_back(dates, _places(year, True))
    if changes[first] == changes[second] or back * 4 > len(dates):
        return None
    day_first = changes[first] > changes[second]
    return day_first, f"the {_ORDINALS[first if day_first else second]} number changes more often"


def _changes(dates: list[Numbers]) -> tuple[int, ...]:
    if not dates:
        return (0, 0, 0)
    return tuple(
        sum(column[index] != column[index - 1] for index in range(1, len(column)))
        for column in zip(*dates, strict=True)
    )
