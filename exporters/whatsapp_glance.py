"""Lines of a WhatsApp text that tell the first pass nothing new, passed over at a glance.

Those are heads of a date and a time that were each read before, parted as before, with a name that
need only be counted and words that the first pass does not look for.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from exporters.heads import Clock, ShapeFound, Written
from exporters.shapes import Shape
from exporters.whatsapp_bodies import ENCRYPTED_BEGINS, says_encrypted
from exporters.whatsapp_names import Names

_MOST_KNOWN = 100_000
_MARKS = frozenset(("\u200e", "\u200f", "\ufeff"))


class Glance:
    """Passes over such lines.

    Attributes:
        said: How often each name stood in them, by the shape of their heads.
    """

    def __init__(self, names: Names, note_sentence: Callable[[str], None]) -> None:
        """Begin.

        Args:
            names: The names of the file.
            note_sentence: Is told of the words of each line that is passed over.
        """
        self.said: defaultdict[Shape, Counter[str]] = defaultdict(Counter)
        self._names = names
        self._note_sentence = note_sentence
        self._found: ShapeFound | None = None
        self._form = "", ""
        self._dates: dict[str, Written] = {}
        self._times: dict[str, Clock] = {}

    def pass_over(
        self, lines: Iterator[tuple[int, str]], found: ShapeFound | None
    ) -> tuple[int, str] | None:
        """Return the next line to be looked at, and its number; None at the end.

        Args:
            lines: All lines from here on, numbered.
            found: The shape that their heads are most likely to have; it is told of those passed.
        """
        if found is None:
            return next(lines, None)
        if (found, found.cuts.form) != (self._found, self._form):
            self._found, self._form = found, found.cuts.form
            self._dates, self._times = {}, {}
        joint, closing = self._form
        if not joint:
            return next(lines, None)
        dates, times, time_first = self._dates, self._times, found.cuts.time_first
        said, note_sentence = self.said[found.shape], self._note_sentence
        date: Written | None = None
        passed = last = 0
        for number, line in lines:
            begun, _, other = line.partition(joint)
            ended, _, rest = other.partition(closing)
            name, _, text = rest.partition(": ")
            if time_first:
                begun, ended = ended, begun
            if (
                (name not in said and not self._is_said(name, said))
                or line[-1:] == ">"
                or text[:1] in _MARKS
                or (text[:2].casefold() in ENCRYPTED_BEGINS and says_encrypted(text))
                or ((begun not in dates or ended not in times) and not self._learn(line))
            ):
                found.count_more(passed, last)
                return number, line
            said[name] += 1
            note_sentence(text)
            written, clock = dates[begun], times[ended]
            if written is date and not clock[0]:
                passed += 1
                last = number
            else:
                found.count_one(number, written, clock)
                date = written
        found.count_more(passed, last)
        return None

    def _is_said(self, name: str, said: Counter[str]) -> bool:
        if name[:1].isalnum() and self._names.is_settled(name):
            said[name] = 0
            return True
        return False

    def _learn(self, line: str) -> bool:
        """Learn the date and the time of a line; False if its head is not known."""
        cuts = self._found.cuts if self._found is not None else None
        cut = cuts.cut(line) if cuts is not None else None
        if cuts is None or cut is None:
            return False
        written, clock, _, announced, _ = cut
        if announced:
            return False
        joint, closing = self._form
        begun, _, other = line.partition(joint)
        ended, _, _ = other.partition(closing)
        if cuts.time_first:
            begun, ended = ended, begun
        if len(self._dates) + len(self._times) >= _MOST_KNOWN:
            self._dates.clear()
            self._times.clear()
        self._dates[begun], self._times[ended] = written, clock
        return True
