"""The first pass over a WhatsApp text: its shape, its dates, its names, its habits."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from exporters.dates import DateEvidence
from exporters.heads import ShapeFound
from exporters.shapes import Shape, shapes_of
from exporters.whatsapp_bodies import (
    announces_file,
    says_encrypted,
    speaks_of_deletion,
    speaks_of_message,
    tag_of,
)
from exporters.whatsapp_glance import Glance
from exporters.whatsapp_names import Names

_MOST_SHAPES = 200
_MOST_TAGS = 1000
_MOST_SENTENCES = 20_000
_SHORTEST, _LONGEST = 6, 60
"""How many characters a sentence has that an app may have put for a message."""
_TAKES_OVER = 20
_RECURS = 3


class Survey:
    """What the first pass finds out.

    Attributes:
        names: The names before colons.
        app_made: How often a text in a name begins with the app's mark, no file announced.
        encrypted: How often a text in a name is the notice that nobody can read along.
        announced: How many heads have the app's mark before them.
        unannounced_files: How many attached files came without that mark.
        tags: How often a text ends with a certain `<…>`.
        sentences: How often a short text stands alone.
        heads: How many lines have one of the shapes.
        named: How many of them go on with a name and a colon.
    """

    def __init__(self) -> None:
        self.names = Names()
        self.app_made: Counter[str] = Counter()
        self.encrypted: Counter[str] = Counter()
        self.announced = 0
        self.unannounced_files = 0
        self.tags: Counter[str] = Counter()
        self.sentences: dict[str, int] = {}
        self.heads = 0
        self.named = 0
        self._found: dict[Shape, ShapeFound] = {}
        self._current: ShapeFound | None = None
        self._said: defaultdict[Shape, Counter[str]] = defaultdict(Counter)

    def read(self, lines: Iterable[str]) -> "Survey":
        """Take in all lines, and return itself."""
        numbered = enumerate(lines, 1)
        glance = Glance(self.names, self._note_sentence)
        while (told := glance.pass_over(numbered, self._current)) is not None:
            number, line = told
            head = self._head(number, line)
            if head is not None:
                self._add(*head)
            if (
                line.endswith(">")
                and (tag := tag_of(line))
                and (tag in self.tags or len(self.tags) < _MOST_TAGS)
            ):
                self.tags[tag] += 1
        for shape, said in glance.said.items():
            self.names.count(said)
            self._said[shape].update(said)
            self.heads += said.total()
            self.named += said.total()
        return self

    def _head(self, number: int, line: str) -> tuple[Shape, str, bool] | None:
        """Return the shape of a line's head, what follows it, and whether the app's mark leads."""
        if self._current is not None:
            found = self._current.add(number, line)
            if found is not None:
                return self._current.shape, *found
            if self._current.fits(line):
                return None
        for shape in shapes_of(line):
            known = self._found.get(shape)
            if known is None:
                if len(self._found) >= _MOST_SHAPES:
                    return None
                known = ShapeFound(shape, DateEvidence(shape))
            found = known.add(number, line)
            if found is not None:
                self._found[shape] = known
                if self._current is None or known.count > self._current.count:
                    self._current = known
                return shape, *found
        return None

    def _add(self, shape: Shape, rest: str, announced: bool) -> None:
        self.heads += 1
        cut = self.names.add(rest)
        if cut is None:
            return
        self.named += 1
        name, text = cut
        if self.names.is_known(name):
            self._said[shape][name] += 1
        self._note_sentence(text)
        if says_encrypted(text):
            self.encrypted[name] += 1
        elif announced:
            self.announced += 1
        elif text.startswith(("\u200e", "\u200f")):
            self.app_made[name] += 1
            self.unannounced_files += announces_file(text)

    def _note_sentence(self, text: str) -> None:
        if _SHORTEST <= len(text) <= _LONGEST:
            known = self.sentences.get(text, 0)
            if known or len(self.sentences) < _MOST_SENTENCES:
                self.sentences[text] = known + 1

    @property
    def shapes(self) -> list[ShapeFound]:
        """The shapes that are in force, most frequent first.

        Besides the most frequent one, a shape counts that takes over for good, as after an update
        of the app; heads of any other shape are pasted text.
        """
        in_force: list[ShapeFound] = []
        for found in sorted(self._found.values(), key=lambda found: (-found.count, found.first)):
            apart = all(found.first > other.last or found.last < other.first for other in in_force)
            if not in_force or (apart and found.count >= _TAKES_OVER):
                in_force.append(found)
        return in_force

    @property
    def marks_tell(self) -> bool:
        """Whether a text that begins with U+200E or U+200F was made by the app.

        On iOS it was, unless the file has attachments that the mark does not announce: then it
        was not written by the app, or marks stand anywhere.
        """
        ios = bool(self._found) and self.shapes[0].shape.end == "]"
        return ios and (self.announced > 0 or self.unannounced_files == 0)

    @property
    def edited_tags(self) -> list[str]:
        """The tags that recur at the ends of texts and speak of a message."""
        return [
            tag.casefold()
            for tag, count in self.tags.items()
            if count >= _RECURS and speaks_of_message(tag)
        ]

    @property
    def deletions(self) -> list[str]:
        """The sentences that recur and speak of a deleted message."""
        return [
            text
            for text, count in self.sentences.items()
            if count >= _RECURS and speaks_of_deletion(text)
        ]

    def people(self) -> dict[str, int]:
        """Return who writes, and how often; whose name stands in pasted text alone, does not."""
        made = self.app_made + self.encrypted if self.marks_tell else self.encrypted
        in_force = {found.shape for found in self.shapes}
        pasted = (said for shape, said in self._said.items() if shape not in in_force)
        return self.names.people(sum(pasted, start=made))
