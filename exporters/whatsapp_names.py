"""Who wrote an entry, and what the chat is called."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import PurePath

from exporters.names import composed
from exporters.shapes import MARKS

_MOST_NAMES = 50_000
_MOST_LONGER = 64
_LONGEST_NAME = 100
_OFTEN = 3
_EDGES = re.compile(rf"^[\s{MARKS}]+|[\s{MARKS}]+$")
_ODD_BLANKS = re.compile(r"[\u00a0\u2009\u202f]")
_OPENING_QUOTES = "“„«「『"
_CLOSING_QUOTES = "”“»」』"
_SUBJECTS = re.compile(
    r"WhatsApp[- ]?(?:Chatt?|samtale) (?:with|mit|- |met|med)\s*(?P<a>.+)"
    r"|(?:Chats?|Conversa|Conversación|Discussion|Conversazione|Czat|Obrolan)"
    r"(?: de| do| no| d[’'])? ?WhatsApp (?:con|com|avec|amb|dengan|z|s uživatelem) (?P<b>.+)"
    r"|Чат WhatsApp с(?: контактом| группой)? (?P<c>.+)"
    r"|[^-]*WhatsApp\S*[^-]* - (?P<d>.+)"
    r"|(?P<e>.+) ile WhatsApp Sohbeti"
    r"|与(?P<f>.+)的 ?WhatsApp ?聊天"
    r"|(?P<g>.+)との ?WhatsApp ?(?:チャット|トーク)"
    r"|دردشة واتساب (?:مع|-) ?(?P<h>.+)",
    re.IGNORECASE,
)
_NAMELESS = "_chat"
"""What every text is called on iOS, where its zip or the folder around it tells."""
_PAIR = 2
"""Of more people none is who the chat is with, though a group may be called after one."""
_FEWEST_WORDS = 3
"""What WhatsApp calls a file has more words than `WhatsApp Chat`, in any language."""
_ENDING = re.compile(r"\.[A-Za-z]{1,5}$")
_COPY = re.compile(r"(?: - (?:Copy|Kopie|Copie|Copia|Cópia|Kopia|Копия))?(?: ?\(\d+\))?$")
_MAYBE_COPY = re.compile(r"(?: |-)(?:\d{1,2}|(?:copy|Kopie|copie|copia)(?: \d{1,2})?)$")


def clean(name: str) -> str:
    """Return a name without the marks and blanks at its edges, odd blanks within made plain."""
    return _ODD_BLANKS.sub(" ", _EDGES.sub("", name))


def spoken(name: str) -> str:
    """Return what people see of a clean name: without the tilde of those not in the contacts."""
    return clean(name[1:]) if name.startswith("~") and len(name) > 1 else name


class Names:
    """The names of a file, by how often they stand before a colon."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._longer: dict[str, Counter[str] | None] = {}
        self._plain: set[str] = set()

    def add(self, rest: str) -> tuple[str, str] | None:
        """Take in what follows the head of an entry, and return how it parts at first sight."""
        cut = _cut(rest)
        if cut is None:
            return None
        name, text = cut
        if name in self._counts or len(self._counts) < _MOST_NAMES:
            self._counts[name] += 1
            if self._longer.get(name, _UNSEEN) is not None:
                self._count_longer(name, text)
        return cut

    def _count_longer(self, name: str, text: str) -> None:
        more, colon, _ = text.partition(": ")
        longer = self._longer.setdefault(name, Counter())
        if not colon or longer is None or len(longer) >= _MOST_LONGER:
            self._longer[name] = None
        else:
            longer[more] += 1

    def split(self, rest: str) -> tuple[str, str] | None:
        """Part what follows a head into name and text, None if nobody's name stands there."""
        name, colon, text = rest.partition(": ")
        if colon and name in self._plain:
            return name, text
        found = self._split(rest)
        if found == (name, text) and ":" not in name and name in self._counts:
            self._plain.add(name)  # of such a name nothing depends on what follows it
        return found

    def is_plain(self, name: str) -> bool:
        """Tell whether of a name before `: ` it is known that it is one, whatever follows it."""
        return name in self._plain

    def is_known(self, name: str) -> bool:
        """Tell whether a name was taken in, of which there are so many at the most."""
        return name in self._counts

    def is_settled(self, name: str) -> bool:
        """Tell whether taking in a name once more would but count it."""
        return name in self._counts and self._longer.get(name, _UNSEEN) is None

    def count(self, more: Mapping[str, int]) -> None:
        """Count names that are settled."""
        self._counts.update(more)

    def _split(self, rest: str) -> tuple[str, str] | None:
        short, colon, after = rest.partition(":")
        if not colon:
            return None
        cut = _cut(rest)
        if cut is None:
            return (short, after) if short in self._counts or not self._counts else None
        name, text = cut
        if self._counts[short] > self._counts[name]:
            return short, after
        return None if self._is_notice(name) else self._lengthened(name, text)

    def people(self, not_theirs: Mapping[str, int]) -> dict[str, int]:
        """Return who wrote, clean, and how often, given how often it was not they in a name."""
        found: Counter[str] = Counter()
        for name, count in self._counts.items():
            own = count - not_theirs.get(name, 0)
            if own <= 0 or self._is_notice(name):
                continue
            if ":" in name and self._counts[name.partition(":")[0]] > count:
                continue
            longer = self._settled(name)
            if longer:
                found.update({clean(f"{name}: {more}"): times for more, times in longer.items()})
            else:
                found[clean(name)] += own
        return dict(found)

    def _settled(self, name: str) -> Counter[str] | None:
        """Return the longer names that a name is but the beginning of, all of them frequent."""
        longer = self._longer.get(name)
        return longer if longer and min(longer.values()) >= _OFTEN else None

    def _lengthened(self, name: str, text: str) -> tuple[str, str]:
        if self._settled(name):
            more, _, rest = text.partition(": ")
            return f"{name}: {more}", rest
        return name, text

    def _is_notice(self, name: str) -> bool:
        """Tell a notice that quotes something with a colon in it from a name."""
        if len(name) > _LONGEST_NAME or not name:
            return True
        if self._counts[name] > 1:
            return False
        opened = sum(name.count(quote) for quote in _OPENING_QUOTES)
        closed = sum(name.count(quote) for quote in _CLOSING_QUOTES)
        return name.count('"') % 2 == 1 or opened > closed


_UNSEEN: Counter[str] = Counter()


def _cut(rest: str) -> tuple[str, str] | None:
    name, colon, text = rest.partition(": ")
    if colon:
        return name, text
    return (rest[:-1], "") if rest.endswith(":") else None


def chat_name(files: Collection[str], people: Mapping[str, int]) -> str:
    """Return what a chat is called.

    Args:
        files: The names under which the text lies there, the nearest first.
        people: Who writes in it, and how often.
    """
    stems = [stem(file) for file in files]
    people = {composed(person): count for person, count in people.items()}
    for told in stems:
        if found := _SUBJECTS.fullmatch(told):
            return _without_copy_mark(clean(next(name for name in found.groups() if name)), people)
    for told in stems:
        beside = [spoken(person) for person in people if spoken(person) in told]
        if beside and len(people) <= _PAIR and "whatsapp" in told.casefold():
            return max(beside, key=len)
    told = next((told for told in stems if told != _NAMELESS), "")
    words = sum(any(map(str.isalpha, word)) for word in told.split())
    if "WhatsApp" in told and words >= _FEWEST_WORDS:
        return told
    shown = sorted(people, key=lambda person: (-people[person], person))
    return ", ".join(sorted(spoken(person) for person in shown[:3])) or "WhatsApp"


def stem(file: str) -> str:
    """Return the name of a file without its ending and the number of a copy."""
    return clean(_COPY.sub("", _ENDING.sub("", composed(PurePath(file).name))))


def _without_copy_mark(name: str, people: Collection[str]) -> str:
    """Return a chat's name without what marks a copy, as in `Ann 2`, `Ann-1` or `Ann copy`.

    Somebody may be called so, and a group anything: only where one of two people bears the name
    without the number, and none the whole, is it a mark.
    """
    bare = _MAYBE_COPY.sub("", name)
    called = set(map(spoken, people))
    return bare if len(people) <= 2 and bare in called and name not in called else name
