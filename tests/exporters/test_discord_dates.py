"""Dates as the computers of DiscordChatExporter's users write them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from exporters.discord_dates import DateSurvey
from exporters.sources import Reading


def moments(*dates: str, zone=UTC, **told: bool):
    survey, reading = DateSurvey(), Reading(zone, **told)
    known = [survey.add(date) for date in dates]
    reader = survey.reader(reading)
    found = [reader.moment(date) for date in dates]
    assert known == [moment is not None for moment in found]
    return found, reading


NOON = datetime(2024, 1, 15, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "15-Jan-24 03:30 PM",
        "Jan 15, 2024 03:30 PM",
        "Monday, January 15, 2024 3:30 PM",
        "2024-01-15T15:30:00.0000000+00:00",
        "2024-01-15 15:30",
        "1705332600",
        "1705332600000",
        "1/15/2024 3:30 PM",
        "1/15/2024 3:30\u202fPM",
        "15/01/2024 15:30",
        "15.01.2024 15:30",
        "15.1.2024 15.30",
        "15-01-2024 15:30",
        "2024/01/15 15:30",
        "2024. 01. 15. 오후 3:30",
        "15. 1. 2024 15:30",
        "15.1.2024 г. 15:30",
        "15/1/2024 3:30 p. m.",
        "2024-01-15 3:30 p.m.",
        "15\u200f/1\u200f/2024 3:30 م",
        "15/1/2567 15:30",
    ],
)
def test_a_date_of_any_culture_is_read(written):
    (moment,), _ = moments(written)
    assert moment == NOON


@pytest.mark.parametrize(
    ("dates", "first"),
    [
        (["10/6/2023 12:37 AM", "10/13/2023 1:00 AM"], datetime(2023, 10, 6, 0, 37, tzinfo=UTC)),
        (["10/6/2023 00:37", "13/6/2023 01:00"], datetime(2023, 6, 10, 0, 37, tzinfo=UTC)),
    ],
)
def test_another_date_tells_the_order_of_day_and_month(dates, first):
    found, reading = moments(*dates)
    assert found[0] == first
    assert "is above 12 once" in reading.remarks[0]


def test_the_user_decides_the_order_where_nothing_tells():
    (moment,), reading = moments("10/6/2023 12:37 AM", day_first=True)
    assert moment == datetime(2023, 6, 10, 0, 37, tzinfo=UTC)
    assert reading.remarks == ["Dates are read as day, month, year: as you said."]


def test_the_user_does_not_decide_against_a_day_that_is_no_month():
    found, _ = moments("13/6/2023 01:00", "10/6/2023 00:37", day_first=False)
    assert [moment.day for moment in found] == [13, 10]


def test_a_date_with_an_offset_needs_no_zone():
    berlin = ZoneInfo("Europe/Berlin")
    found, reading = moments("2024-07-01T10:00:00.1234567-04:00", zone=berlin)
    assert found == [datetime(2024, 7, 1, 10, 0, 0, 123456, timezone(timedelta(hours=-4)))]
    assert not reading.local_times


def test_a_date_without_one_is_of_the_given_zone():
    found, reading = moments("01-Jul-24 10:00 AM", zone=ZoneInfo("Europe/Berlin"))
    assert found == [datetime(2024, 7, 1, 8, 0, tzinfo=UTC)]
    assert reading.local_times


@pytest.mark.parametrize(
    "written", ["", "noon", "31-Feb-24 01:00 AM", "9999-12-31T23:59:59-05:00x", "[x] y", "5" * 3000]
)
def test_what_is_no_date_is_none(written):
    found, _ = moments(written)
    assert found == [None]


def test_a_date_beyond_all_years_is_none():
    survey = DateSurvey()
    assert survey.reader(Reading(UTC)).moment("9999-12-31T23:59:59-05:00") is None
