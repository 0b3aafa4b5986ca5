"""The times of Telegram's HTML: a clock on the wall, with half the truth about its zone.

Source: `FormatDateTime` in `export_data_types.cpp` of telegramdesktop/tdesktop: local time, since
2022 with the zone's standard offset, in summer too.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone, tzinfo

from exporters.clock import LocalClock
from exporters.entry import Unreadable
from exporters.sources import Reading
from exporters.telegram_chats import clock_remark

_TOLD = re.compile(
    r"(\d\d?)\.(\d\d?)\.(\d{4}) (\d\d?):(\d\d):(\d\d)(?: UTC(?:([+-])(\d\d?):(\d\d))?)?", re.ASCII
)
_WINTER_AND_SUMMER = (1, 7)


class PageClock:
    """Reads the times of one page.

    The clock is right and the offset is not, so a time is read in the zone of the run if that has
    the told standard offset, and summer time is known. In any other zone the offset has to do.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._local = LocalClock(reading.local_zone)
        self._standard = _standard_offset(reading.local_zone)
        self._elsewhere: dict[timedelta, LocalClock] = {}
        self._counts = {"zoneless": 0, "elsewhere": 0}

    def utc(self, told: str) -> datetime:
        """Return the moment of a time as a page tells it.

        Raises:
            Unreadable: It is none.
        """
        found = _TOLD.fullmatch(told)
        if found is None:
            raise Unreadable("it has no date that can be read")
        day, month, year, hour, minute, second = map(int, found.groups()[:6])
        try:
            local = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
            clock = self._clock(found)
            moment = clock.utc(local)
        except (ValueError, OverflowError) as error:
            raise Unreadable("it has no date that can be read") from error
        self._counts["zoneless"] += "UTC" not in told
        self._counts["elsewhere"] += clock is not self._local
        self._reading.local_times |= clock is self._local
        return moment

    def _clock(self, found: re.Match[str]) -> LocalClock:
        if "UTC" not in found[0]:
            return self._local
        offset = timedelta(hours=int(found[8] or 0), minutes=int(found[9] or 0))
        offset = -offset if found[7] == "-" else offset
        if offset == self._standard:
            return self._local
        return self._elsewhere.setdefault(offset, LocalClock(timezone(offset)))

    def remarks(self) -> Iterator[str]:
        """Yield what is to be said of the zones."""
        if self._counts["zoneless"]:
            yield clock_remark(self._counts["zoneless"], self._reading.zone_name)
        if self._counts["elsewhere"]:
            zones = ", ".join(sorted(str(timezone(offset)) for offset in self._elsewhere))
            yield (
                f"{self._counts['elsewhere']} messages tell a clock of {zones} and not whether it "
                f"was summer time; {self._reading.zone_name} is another zone, so in summer they "
                "may be an hour late: name the right zone."
            )


def _standard_offset(zone: tzinfo) -> timedelta:
    """Return how far a zone is from UTC when it is not summer there."""
    moments = (datetime(2025, month, 1, tzinfo=zone) for month in _WINTER_AND_SUMMER)
    return min(moment.utcoffset() or timedelta() for moment in moments)
