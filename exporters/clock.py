"""Local times of an export to UTC, the repeated hour at the end of summer time included."""

from datetime import UTC, datetime, timedelta, tzinfo

_SWAPPED = timedelta(minutes=5)
_QUARTER, _HOUR = timedelta(minutes=15), timedelta(hours=1)


class LocalClock:
    """Reads the local times of one chat, given in the order in which they were written.

    Where a clock time occurs twice, it is taken as the second once the first would run backwards
    by more than neighbours do that were written in the wrong order.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._last: datetime | None = None
        self._hour = self._next_hour = datetime.min  # noqa: DTZ901
        self._moment: datetime | None = None

    def utc(self, local: datetime) -> datetime:
        """Return the moment of a naive local time.

        Raises:
            OverflowError: It lies outside the years 1 to 9999.
        """
        if not self._hour <= local < self._next_hour:
            self._begin(local.replace(minute=0, second=0, microsecond=0))
        if self._moment is not None:
            self._last = self._moment + (local - self._hour)
            return self._last
        moment = local.replace(tzinfo=self._zone, fold=0).astimezone(UTC)
        later = local.replace(tzinfo=self._zone, fold=1).astimezone(UTC)
        last = self._last
        if moment < later and last is not None and last - moment > _SWAPPED >= last - later:
            moment = later
        self._last = moment
        return moment

    def offset(self, hour: datetime) -> timedelta | None:
        """Return the offset from UTC in a whole hour, None if it changes: at quarters alone.

        Args:
            hour: When it begins, a naive local time.
        """
        quarters = [(hour + place * _QUARTER).replace(tzinfo=self._zone) for place in range(4)]
        offsets = {
            quarter.replace(fold=fold).utcoffset() for quarter in quarters for fold in (0, 1)
        }
        return offsets.pop() if len(offsets) == 1 else None

    def _begin(self, hour: datetime) -> None:
        offset = self.offset(hour)
        self._moment = None if offset is None else (hour - offset).replace(tzinfo=UTC)
        self._hour, self._next_hour = hour, hour + _HOUR
