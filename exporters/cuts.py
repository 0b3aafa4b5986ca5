"""Heads read without their pattern, which takes several times as long, by what earlier ones taught.

A head is two texts, its date and its time, with the same between and behind them all through a
file. Where the pattern has read one head with this date and one with this time, both set off in
that way, it would read a head with the two of them just so.
"""

import re
from datetime import timedelta
from typing import Generic, TypeVar

from exporters.shapes import MARKS, Shape

D = TypeVar("D")
T = TypeVar("T")

_MOST_KNOWN = 100_000
_NONE = timedelta(0)
_SECONDS = {f"{second:02}": timedelta(seconds=second) for second in range(60)}
_GAP = re.compile(rf"[\s_{MARKS}]")


class Cuts(Generic[D, T]):
    """Cuts the heads of one shape; D is what is known of a date, T of an hour and a minute."""

    def __init__(self, shape: Shape) -> None:
        self._time_first = shape.time_first
        self._time_begins = "before" if shape.word_before else "hour"
        clock_ends = "second" if shape.seconds else "minute"
        self._time_ends = "after" if shape.word_after else clock_ends
        self._seconds = shape.seconds
        self._form = "", "", 0
        self._dates: dict[str, D] = {}
        self._times: dict[str, T] = {}
        self._announced: dict[str, bool] = {}

    @property
    def form(self) -> tuple[str, str]:
        """What stands between the two texts of a head and behind them; empty if not yet known."""
        return self._form[:2]

    @property
    def time_first(self) -> bool:
        """Whether the first of the two is the time."""
        return self._time_first

    def learn(self, found: re.Match[str], date: D, time: T, *, announced: bool) -> None:
        """Take in a head that the pattern read, and what its date, hour and minute are."""
        line, rest = found.string, found.start("rest")
        time_ends = found.end(self._time_ends)
        spans = found.span("date"), (found.start(self._time_begins), time_ends)
        (_, first_ends), (second_begins, second_ends) = sorted(spans)
        behind_minute = time_ends - found.start("second") if self._seconds else 0
        form = line[first_ends:second_begins], line[second_ends:rest], behind_minute
        known = len(self._dates) + len(self._times)
        if form != self._form or known > _MOST_KNOWN:
            self._form = form
            self._dates, self._times, self._announced = {}, {}, {}
        first, second = line[:first_ends], line[second_begins:second_ends]
        written, clock = (second, first) if self._time_first else (first, second)
        self._announced[first] = announced
        self._dates[written] = date
        self._times[self._without_seconds(clock)[0]] = time

    def cut(self, line: str) -> tuple[D, T, timedelta, bool, str] | None:
        """Return what is known of the date and the time of a head, and what follows it.

        That is the date, the hour and minute, the seconds, whether the app's mark stands before the
        head, and the rest of the line. None if this head is for the pattern.
        """
        joint, closing, _ = self._form
        if not joint:
            return None
        first, _, other = line.partition(joint)
        second, closed, rest = other.partition(closing)
        announced = self._announced.get(first)
        if announced is None or not closed or not (rest[:1].isalnum() or not _GAP.match(rest)):
            return None
        written, clock = (second, first) if self._time_first else (first, second)
        clock, seconds = self._without_seconds(clock)
        date, time = self._dates.get(written), self._times.get(clock)
        if date is None or time is None or seconds is None:
            return None
        return date, time, seconds, announced, rest

    def _without_seconds(self, clock: str) -> tuple[str, timedelta | None]:
        """Return what a time is apart from its seconds, and these, None if they are no digits."""
        _, _, behind_minute = self._form
        if not behind_minute:
            return clock, _NONE
        at = len(clock) - behind_minute
        return clock[:at] + clock[at + 2 :], _SECONDS.get(clock[at : at + 2])
