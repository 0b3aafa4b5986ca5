"""Local times become moments, the repeated hour at the end of summer time included."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.clock import LocalClock

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [BERLIN, *map(ZoneInfo, ["Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"]), UTC]


def read(*times):
    """Read times of the day on which Berlin's hour from two to three comes twice."""
    clock = LocalClock(BERLIN)
    found = []
    for time in times:
        hour, minute = map(int, time.split(":"))
        found.append(f"{clock.utc(datetime(2024, 10, 27, hour, minute)):%H:%M}")  # noqa: DTZ001
    return found


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        (["01:50", "02:10", "02:50", "03:10"], ["23:50", "00:10", "00:50", "02:10"]),
        (["02:10", "02:50", "02:05", "02:55"], ["00:10", "00:50", "01:05", "01:55"]),
        (["02:31", "02:30", "02:32"], ["00:31", "00:30", "00:32"]),
        (["02:50", "02:10", "02:09", "02:11"], ["00:50", "01:10", "01:09", "01:11"]),
        (["03:01", "02:59"], ["02:01", "01:59"]),
        (["02:40"], ["00:40"]),
    ],
    ids=["in order", "twice", "swapped", "swapped in the second", "swapped at the end", "alone"],
)  # fmt: skip
def test_the_repeated_hour_is_told_by_the_order_with_neighbours_swapped(local, utc):
    assert read(*local) == utc


@given(st.lists(st.integers(0, 10_000), min_size=1))
def test_where_no_hour_repeats_every_time_is_that_of_the_zone(minutes):
    clock = LocalClock(BERLIN)
    for minute in minutes:
        local = datetime.fromtimestamp(1_700_000_000 + 60 * minute, BERLIN)
        assert clock.utc(local.replace(tzinfo=None)) == local.astimezone(UTC)


@given(st.sampled_from(ZONES), st.integers(1_230_000_000, 2_000_000_000), st.booleans())
def test_a_time_alone_in_its_chat_is_the_first_of_that_clock_time(zone, seconds, near):
    moment = datetime.fromtimestamp(seconds, zone)
    before = LocalClock(zone)
    local = moment.replace(tzinfo=None, fold=0)
    if near:  # another time of the same hour does not change it, unless the hour repeats
        other = local.replace(minute=0)
        if other.replace(tzinfo=zone).utcoffset() == other.replace(tzinfo=zone, fold=1).utcoffset():
            before.utc(other)
    assert before.utc(local) == local.replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"])
def test_every_minute_of_a_year_is_read_as_the_zone_says(zone):
    zone = ZoneInfo(zone)
    clock = LocalClock(zone)
    for minute in range(0, 366 * 24 * 60, 15):
        moment = datetime.fromtimestamp(1_704_067_200 + 60 * minute, zone)
        assert clock.utc(moment.replace(tzinfo=None, fold=0)) == moment.astimezone(UTC)
