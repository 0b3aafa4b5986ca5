"""The halves of the day: which words beside the time mean before noon and which after."""

import re
from collections import Counter
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from itertools import product

from exporters.shapes import MARKS

_MOST_LEARNED = 6
_MOST_WORDS = 200
_EVENING = 6


class Half(Enum):
    """What a word beside the time says."""

    MORNING = "before noon"
    AFTERNOON = "after noon"
    NOON = "around noon"
    NIGHT = "evening and night, up to the morning"
    NEITHER = "nothing"


# Spelled without dots and blanks, in small letters.
# fmt: off
_KNOWN = dict.fromkeys(
    (
        "am", "ص", "قظ", "上午", "午前", "오전", "凌晨", "清晨", "早上", "πμ", "öö", "sa", "fm",
        "delamañana", "pg", "eparadites", "पूर्वाह्न", "मपू", "ก่อนเที่ยง", "بن", "vorm",
        "prijepodne", "priešpiet",
    ),
    Half.MORNING,
) | dict.fromkeys(
    (
        "pm", "م", "بظ", "下午", "午後", "오후", "傍晚", "μμ", "ös", "ch", "em",
        "delatarde", "ptg", "epasdites", "अपराह्न", "मउ", "หลังเที่ยง", "دن", "nachm",
        "poslijepodne", "popiet",
    ),
    Half.AFTERNOON,
) | dict.fromkeys(("晚上", "半夜", "深夜", "午夜"), Half.NIGHT) | {"中午": Half.NOON}
# fmt: on


_LATE = (Half.AFTERNOON, Half.NOON, Half.NIGHT)


@lru_cache(maxsize=1024)
def plain_word(word: str) -> str:
    """Return a word as it is compared: small, without dots, blanks and marks.

    Of several words, such as the day of the week before the half of the day, the known one.
    """
    plain = _joined(word)
    if plain in _KNOWN:
        return plain
    parts = [_joined(part) for part in re.split(r"[\s\xa0]+", word)]
    known = [part for part in parts if part in _KNOWN]
    known += [plain[-2:]] if plain[-2:] in _KNOWN and not plain[-2:].isascii() else []
    return known[-1] if known else plain


def is_known(word: str) -> bool:
    """Tell whether a word beside the time is known for a half of the day."""
    return plain_word(word) in _KNOWN


def _joined(word: str) -> str:
    return re.sub(rf"[.\s_{MARKS}]", "", word).casefold()


def hour_of_day(hour: int, half: Half) -> int:
    """Return the hour from 0 to 23; an hour that only a clock of 24 has stays as it is."""
    if half is Half.NEITHER or hour > 12:
        return hour
    hour %= 12
    late = hour >= _EVENING if half is Half.NIGHT else hour < _EVENING
    return hour + 12 * (late if half in (Half.NIGHT, Half.NOON) else half is Half.AFTERNOON)


class HalfEvidence:
    """How the words follow each other within a day.

    Learned is what makes the times of a day run backwards least; words that a clock of 24 hours
    goes with, such as the Finnish `klo`, mean nothing.
    """

    def __init__(self) -> None:
        self._steps: Counter[tuple[str, str, int]] = Counter()
        self._counts: Counter[str] = Counter()
        self._full_clock: set[str] = set()
        self._last: tuple[str, str, int] = ("", "", 0)

    def add(self, date: str, word: str, hour: int, minute: int) -> None:
        """Take in the next time."""
        if word not in self._counts and len(self._counts) >= _MOST_WORDS:
            return
        self._counts[word] += 1
        if hour > 12:
            self._full_clock.add(word)
        last_date, last_word, last_time = self._last
        time = hour * 60 + minute
        if date == last_date and (word != last_word or time != last_time):
            low, high = last_time % 720, time % 720
            self._steps[last_word, word, (high > low) - (high < low)] += 1
        self._last = (date, word, time)

    def halves(self) -> Mapping[str, Half]:
        """Return what each word means."""
        fixed = {
            word: _KNOWN.get(word, Half.NEITHER)
            for word in self._counts
            if word in _KNOWN or word in self._full_clock
        }
        open_words = [word for word, _ in self._counts.most_common() if word not in fixed]
        learned = open_words[:_MOST_LEARNED]
        fixed |= dict.fromkeys(open_words[_MOST_LEARNED:], Half.NEITHER)
        guesses = [fixed | dict.fromkeys(learned, Half.NEITHER)]
        if len(learned) + len(fixed) > 1:
            guesses += [
                fixed | dict(zip(learned, halves, strict=True))
                for halves in product((Half.MORNING, Half.AFTERNOON), repeat=len(learned))
            ]
        return min(guesses, key=self._steps_back)

    def _steps_back(self, halves: Mapping[str, Half]) -> int:
        back = 0
        for (earlier, later, step), count in self._steps.items():
            rise = (halves[later] in _LATE) - (halves[earlier] in _LATE)
            back += count * (rise < 0 or (rise == 0 and step < 0))
        return back
