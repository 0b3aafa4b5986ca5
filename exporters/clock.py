"""Local times of an export to UTC, the repeated hour at the end of summer time included."""

from datetime import UTC, datetime, timedelta, tzinfo

_SWAPPED = timedelta(minutes=5)


class LocalClock:
    """Reads the local times of one chat, given in the order in which they were written.

    Where a clock time occurs twice, it is taken as the second once the first would run backwards
    by more than neighbours do that were written in the wrong order.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._last: datetime | None = None

    def utc(self, local: datetime) -> datetime:
        """Return the moment of a naive local time.

        Raises:
            OverflowError: It lies outside the years 1 to 9999.
        """
        moment = local.replace(tzinfo=self._zone, fold=0).astimezone(UTC)
        later = local.replace(tzinfo=self._zone, fold=1).astimezone(UTC)
        last = self._last
        if moment < later and last is not None and last - moment > _SWAPPED >= last - later:
            moment = later
        self._last = moment
        return moment
