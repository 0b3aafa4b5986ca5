"""The head of an entry in a text: its shape, learned from a line, and the pattern of that shape.

No list of languages: the order of the parts, the punctuation, the width of the year and whether
words stand beside the time are what tells one shape from another. Digits may be of any script.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MARKS = "\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_BLANK = rf"[\s_{MARKS}]"
_GAP = rf"{_BLANK}{{0,6}}"
_WORD = r"[^\W\d_](?:[^\d\[\](){}<>:;,،、/|\"=\-–—]{0,22}[^\d\[\](){}<>:;,،、/|\"=\-–—\s_])?"
_LATIN_HALF = rf"(?:[AaPp]\.?{_GAP}[Mm]\.?)"
_IN_ERA = rf"(?:(?:[RH]|令和|平成){_GAP}\d{{1,2}}|\d{{1,2}}{_GAP}[RH]\b)"
_ERA_AFTER = rf"(?:{_GAP}(?:(?:BE|AD|CE|AP|AH)\b|г\.|هـ|ه\u200d\.ش\.))?"
_NUMBER = rf"(?:{_IN_ERA}|\d{{1,4}})"
_COMMA = r"[,،、，፣]?"
_DAY_WORD = r"[^\W\d_](?:[^\d\[\](){}<>:;,،、/|\"=\-–—]{0,14}[^\d\[\](){}<>:;,،、/|\"=\-–—\s_])?"
_BEFORE_TIME = rf"{_GAP}{_COMMA}{_GAP}[(（]?"
_UNIT = rf"{_GAP}[^\W\d_]{{1,7}}\.?{_GAP}"
_ANY_SEPARATOR = rf"(?:{_GAP}[./\-年月년월]{_GAP}|{_BLANK}{{1,2}})"
_ANY_JOIN = r"[,،、，၊\-]?"
_PROMISING = re.compile(rf"{_GAP}\[?{_GAP}(?:{_DAY_WORD}{_GAP}{_COMMA}{_GAP})?[(（]?\d")
_FOUR_NUMBERS = re.compile(r"(?:\D{0,48}\d{1,4}){4}")
_YEAR_AND_MONTH = (("年", "月"), ("년", "월"))
_ENDS = ("]", "-", ":", ",", "")


@dataclass(frozen=True, slots=True)
class Shape:
    """What all heads of one export have in common.

    Attributes:
        end: What parts the head from the rest: `]`, a dash, a colon, a comma, or a mere blank.
        time_first: Whether the time stands before the date.
        widths: The digits of each number of the date: 4 for a year in full, 0 for a year that
            counts from an era, else 2 for one or two digits.
        separators: What stands between the numbers of the date.
        join: The punctuation between date and time.
        clock: What stands between hours and minutes and, if the time has them, seconds.
        day_word: Whether a word, the day of the week, stands before the date.
        word_before: Whether a word stands before the time.
        word_after: Whether a word stands after the time.
    """

    end: str
    time_first: bool
    widths: tuple[int, ...]
    separators: tuple[str, ...]
    join: str
    clock: tuple[str, ...]
    day_word: bool
    word_before: bool
    word_after: bool

    @property
    def seconds(self) -> bool:
        """Whether the time has seconds."""
        return len(self.clock) > 1

    @property
    def year_place(self) -> int | None:
        """Where the year stands, if the widths alone tell."""
        places = [place for place, width in enumerate(self.widths) if width != 2]
        return places[0] if places else None

    def look(self, places: str) -> str:
        """Return the head as people would write it down, given what the numbers of a date are."""
        names = {"d": "day", "m": "month", "y": "year"}
        parts = [names[place] for place in places]
        date = parts[0] + "".join(
            separator + part for separator, part in zip(self.separators, parts[1:], strict=True)
        )
        time = "hour" + "".join(map(str.__add__, self.clock, ("minute", "second")))
        date = "word " * self.day_word + date
        time = "word " * self.word_before + time + " word" * self.word_after
        first, second = (time, date) if self.time_first else (date, time)
        head = f"{first}{self.join} {second}"
        return f"[{head}] name: text" if self.end == "]" else f"{head} {self.end} name: text"


def _pattern(shape: Shape) -> str:
    widths = {4: r"\d{4}", 3: r"\d{3}", 0: _IN_ERA}
    date = _date_pattern(
        [widths.get(width, r"\d{1,2}") for width in shape.widths],
        [_separator_pattern(separator) for separator in shape.separators],
    )
    day = rf"(?P<day>{_DAY_WORD}){_GAP}{_COMMA}{_GAP}" if shape.day_word else "(?P<day>)"
    time = r"(?P<hour>\d{1,2})"
    for unit, name in zip(shape.clock, ("minute", "second"), strict=False):
        time += rf"{_unit_pattern(unit)}(?P<{name}>\d{{1,2}})(?!\d)"
    before = rf"(?P<before>{_WORD}){_BEFORE_TIME}" if shape.word_before else "(?P<before>)[(（]?"
    after = rf"{_GAP}(?P<after>{_word_after(shape.end)})" if shape.word_after else "(?P<after>)"
    time = before + time + after + "[)）]?"
    return _whole(day + date, re.escape(shape.join), time, shape.time_first, shape.end)


def _loose_pattern(end: str, time_first: bool) -> str:
    date = _date_pattern([_NUMBER] * 3, [_ANY_SEPARATOR, _ANY_SEPARATOR], least=2)
    day = rf"(?:(?P<day>{_DAY_WORD}){_GAP}{_COMMA}{_GAP})??"
    time = (
        rf"(?:(?P<before>{_WORD}){_BEFORE_TIME}|[(（])?"
        rf"(?P<hour>\d{{1,2}})(?P<c1>(?P<colon>[:.])|{_UNIT})(?P<minute>\d{{1,2}})(?!\d)"
        rf"(?:(?P<c2>(?(colon)(?P=colon)|{_UNIT}))(?P<second>\d{{1,2}})(?!\d))?"
        rf"(?:{_GAP}(?P<after>{_word_after(end)}))?[)）]?"
    )
    return _whole(day + date, f"(?P<join>{_ANY_JOIN})", time, time_first, end)


def _date_pattern(numbers: list[str], separators: list[str], least: int = 3) -> str:
    parts = [f"(?P<n0>{numbers[0]})"]
    for place, (separator, number) in enumerate(zip(separators, numbers[1:], strict=True), 1):
        part = f"(?P<s{place}>{separator})(?P<n{place}>{number})"
        parts.append(f"(?:{part})?" if place >= least else part)
    parts.append(rf"(?!\d)[.日일]?{_ERA_AFTER}(?:{_GAP}[(（]{_WORD}[)）])?")
    return f"(?P<date>{''.join(parts)})"


def _unit_pattern(unit: str) -> str:
    return re.escape(unit) if unit in ":." else rf"{_GAP}{re.escape(unit)}{_GAP}"


def _separator_pattern(separator: str) -> str:
    return rf"{_BLANK}{{1,2}}" if separator == " " else rf"{_GAP}{re.escape(separator)}{_GAP}"


def _word_after(end: str) -> str:
    if end == "":
        return _LATIN_HALF
    return _WORD if end in ("]", "-") else rf"(?![A-Za-z]{{4}}){_WORD}"  # no level of a log


def _whole(date: str, join: str, time: str, time_first: bool, end: str) -> str:
    day_behind = rf"(?:{_GAP}{_COMMA}{_GAP}{_WORD})??"
    first, second = (time, date + day_behind) if time_first else (date, time)
    opening = rf"(?P<lead>{_GAP})" + (rf"\[{_GAP}" if end == "]" else "")
    closing = {
        "]": rf"{_GAP}{_COMMA}{_GAP}\][,:]?",
        "-": rf"{_COMMA}{_BLANK}{{1,4}}[-–—](?={_BLANK}|$)",
        ":": rf"{_GAP}[:;](?={_BLANK})",
        ",": rf"{_GAP}[,،](?={_BLANK})",
        "": rf"(?={_BLANK})",
    }[end]
    return rf"{opening}{first}{_GAP}{join}{_GAP}{second}{closing}{_GAP}(?P<rest>[^\n]*)"


@lru_cache(maxsize=64)
def pattern_of(shape: Shape) -> re.Pattern[str]:
    """Return the pattern that matches the heads of this shape alone.

    Groups: `lead`, `day`, `date`, `n0` to `n2`, `hour`, `minute`, perhaps `second`, `before`,
    `after`, `rest`. Every repetition in it is bounded, so that it takes linear time on any line.
    """
    return re.compile(_pattern(shape))


@lru_cache(maxsize=1)
def _loose_patterns() -> list[tuple[str, bool, re.Pattern[str]]]:
    return [
        (end, time_first, re.compile(_loose_pattern(end, time_first)))
        for end in _ENDS
        for time_first in (False, True)
    ]


def shapes_of(line: str) -> Iterator[Shape]:
    """Yield the shapes under which a line could be the first of an entry, likeliest first."""
    if not (_PROMISING.match(line) and _FOUR_NUMBERS.match(line)):
        return
    for end, time_first, pattern in _loose_patterns():
        found = pattern.match(line)
        if found and (shape := _shape(found, end, time_first)):
            yield shape


def _shape(found: re.Match[str], end: str, time_first: bool) -> Shape | None:
    numbers = [number for number in found.group("n0", "n1", "n2") if number]
    separators = tuple(_plain(found[f"s{place}"]) for place in range(1, len(numbers)))
    widths = tuple(_width(number) for number in numbers)
    if (
        None in widths
        or sum(width != 2 for width in widths) > 1
        or (len(set(separators)) > 1 and separators not in _YEAR_AND_MONTH)
        or (end in (":", ",", "") and ":" not in found["rest"])
        or (end == "" and (separators[0] not in (".", "/") or widths[0] != 2))
    ):
        return None
    return Shape(
        end=end,
        time_first=time_first,
        widths=tuple(width for width in widths if width is not None),
        separators=separators,
        join=found["join"],
        clock=tuple(_plain(unit) for unit in found.group("c1", "c2") if unit),
        day_word=found["day"] is not None,
        word_before=found["before"] is not None,
        word_after=found["after"] is not None,
    )


def _width(number: str) -> int | None:
    return {1: 2, 2: 2, 3: 3, 4: 4}.get(len(number)) if number.isdecimal() else 0


def _plain(separator: str) -> str:
    return re.sub(rf"{_BLANK}+", "", separator) or " "
