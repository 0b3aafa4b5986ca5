"""The calendars that phones count days in: a date of theirs to one of ours."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

FIRST_YEAR, LAST_YEAR = 2009, 2099
_BUDDHIST = 543
_TAIWAN = 1911
_ERAS: Final[Mapping[str, int]] = {"R": 2018, "令和": 2018, "H": 1988, "平成": 1988}

# 1430 began in 2008 here and begins in 2051 there, so a year tells its calendar.
_JALALI_START, _JALALI_YEARS = date(2009, 3, 21), range(1388, 1430)
_HIJRI_START, _HIJRI_YEARS = date(2008, 12, 29), range(1430, 1501)
# Of each year three digits, of each month a bit, the first the lowest: whether it has 30 days.
# Source: the Umm al-Qura calendar of Saudi Arabia, as ICU 78 has it.
_HIJRI_MONTHS = (
    "aa69562ae56d36ab55aaa94d49d95d2ba5b55aad55a9a92e26e55dada6d46a5b27a4d4ad56db5a754f49e9"
    "2d26a563566b5baab92b2568ba9b55aada5b4da9b52a9a536276575af26d46a95552ad4bd9ba574b69b52a"
    "9552da5d4daad96b2e95e2ac9692eaad56ad65d4a"
)


def year_of(part: str) -> int:
    """Return the year or other number that digits say, with or without the sign of an era.

    A year of three digits counts from the republic's first, as in Taiwan.
    """
    for era, before in _ERAS.items():
        if era in part:
            return before + int(part.replace(era, "").strip())
    number = int(part)
    return number + _TAIWAN if len(part) == 3 else number


def day_of(year: int, month: int, day: int) -> date:
    """Return the date of a day, whose year tells the calendar.

    Raises:
        ValueError: There is no such day, or not in the time of chats.
    """
    year = _full_year(year)
    if year in _JALALI_YEARS:
        return _of_jalali(year, month, day)
    if year in _HIJRI_YEARS:
        return _of_hijri(year, month, day)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError
    return date(year, month, day)


def _full_year(year: int) -> int:
    if year < 100:
        # The Buddhist year 2552 is 2009, when the first of these apps came; 2052 is far away.
        year += 2000 if year < 52 else 2500
    return year - _BUDDHIST if year > 2400 else year


def _of_jalali(year: int, month: int, day: int) -> date:
    """Return the day of the solar calendar of Iran.

    Its leap years repeat every 33 years, as far as chats reach.
    """
    leap = (year * 8 + 29) % 33 < 8
    months = [31] * 6 + [30] * 5 + [30 if leap else 29]
    leaps = sum((one * 8 + 29) % 33 < 8 for one in range(_JALALI_YEARS.start, year))
    days = (year - _JALALI_YEARS.start) * 365 + leaps
    return _JALALI_START + timedelta(days=days + _day_of_year(months, month, day))


def _of_hijri(year: int, month: int, day: int) -> date:
    lengths = [_hijri_months(one) for one in range(_HIJRI_YEARS.start, year + 1)]
    days = sum(map(sum, lengths[:-1])) + _day_of_year(lengths[-1], month, day)
    return _HIJRI_START + timedelta(days=days)


def _hijri_months(year: int) -> list[int]:
    at = 3 * (year - _HIJRI_YEARS.start)
    bits = int(_HIJRI_MONTHS[at : at + 3], 16)
    return [29 + (bits >> month & 1) for month in range(12)]


def _day_of_year(months: list[int], month: int, day: int) -> int:
    if not (1 <= month <= len(months) and 1 <= day <= months[month - 1]):
        raise ValueError
    return sum(months[: month - 1]) + day - 1
