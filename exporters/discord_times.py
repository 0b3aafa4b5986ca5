"""Discord's times without a look at each: `2024-01-02T03:04:05.67+00:00` is made of few parts.

The hour, what has passed of it, and the fraction with the offset from UTC: where each was read
once, they are looked up.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

_MOST_KNOWN = 10_000
_MICRO = 10**6
_OFFSET = len("+00:00")
_HOUR = len("2024-01-02T03")
_SOME_SECOND = "2024-01-02T03:04:05"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_MICRO, _ONE_HOUR = timedelta(microseconds=1), timedelta(hours=1)

Known = tuple[int, bytes]
"""How many microseconds a part of a time means, and how a line has it."""

_CLOCK: dict[str, Known] = {
    f":{second // 60:02}:{second % 60:02}": (
        second * _MICRO,
        f":{second // 60:02}:{second % 60:02}".encode(),
    )
    for second in range(3600)
}


@dataclass(frozen=True, slots=True)
class Zone:
    """What ends a time: the fraction of a second, and the offset from UTC.

    Attributes:
        micros: How many microseconds the fraction means.
        part: How a line has it, up to its text.
        offset: As it is written.
        hours: When hours of this offset began, and how UTC writes them.
    """

    micros: int
    part: bytes
    offset: str
    hours: dict[str, Known] = field(repr=False)


class Times:
    """What is known of the parts of times.

    Attributes:
        zones: By what stands behind the second.
        clock: By the minute and second, with a colon before each.
    """

    def __init__(self) -> None:
        self.zones: dict[str, Zone] = {}
        self.clock = _CLOCK
        self._hours: dict[str, dict[str, Known]] = {}

    def zone(self, ending: str) -> Zone | None:
        """Learn the ending of a time; None if it is none that can be looked up.

        Args:
            ending: What stands behind the second.
        """
        fraction, offset = ending[:-_OFFSET], ending[-_OFFSET:]
        if fraction and not (fraction[0] == "." and fraction[1:].isdecimal()):
            return None
        with suppress(ValueError):
            moment = datetime.fromisoformat(_SOME_SECOND + ending)
            if moment.tzinfo is None or moment.utcoffset() % _ONE_HOUR:  # type: ignore[operator]
                return None
            if len(self.zones) >= _MOST_KNOWN or len(self._hours) >= _MOST_KNOWN:
                self.zones.clear()
                self._hours.clear()
            micros = f".{moment.microsecond:06}" if moment.microsecond else ""
            part = f'{micros}+00:00", "text": '.encode()
            hours = self._hours.setdefault(offset, {})
            self.zones[ending] = Zone(moment.microsecond, part, offset, hours)
            return self.zones[ending]
        return None

    def hour(self, zone: Zone, begun: str) -> Known | None:
        """Learn when an hour began; None if that cannot be read.

        Args:
            zone: What ends the time.
            begun: The date and the hour.
        """
        if len(begun) != _HOUR:
            return None
        with suppress(ValueError, OverflowError):
            moment = datetime.fromisoformat(f"{begun}:00:00{zone.offset}").astimezone(UTC)
            if len(zone.hours) >= _MOST_KNOWN:
                zone.hours.clear()
            micros = (moment - _EPOCH) // _ONE_MICRO
            zone.hours[begun] = micros, moment.isoformat()[:_HOUR].encode()
            return zone.hours[begun]
        return None
