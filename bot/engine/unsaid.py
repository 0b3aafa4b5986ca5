"""What the model must never say, as its owner lists it: words and sentences, one a line."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from likeness.errors import BadSettings
from likeness.quotes import words

_REMARK = "#"
_ANY_ENDING = "*"
_PARTED_BY_APOSTROPHES = str.maketrans("'’", "  ")


class Unsaid:
    """Words that no message may hold, whatever their case and the marks between them.

    A word counts where it stands by itself: `art` is not in `party`. One that ends with `*` stands
    for all that begin so. Where a script parts no words by spaces, each letter is one.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        """Take words or sentences; what holds neither letters nor digits says nothing."""
        found = {pattern for phrase in phrases for pattern in _patterns(phrase.strip()) if pattern}
        self._said = re.compile(rf"(?<!\S)(?:{'|'.join(sorted(found))})(?!\S)") if found else None

    @classmethod
    def read(cls, path: Path) -> "Unsaid":
        """Read a list: one word or sentence a line, and remarks behind `#` at a line's beginning.

        Raises:
            BadSettings: It cannot be read.
        """
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except OSError as error:
            raise BadSettings(
                f"{path}, which holds what is never said, cannot be read: {error.strerror}."
            ) from error
        except ValueError as error:
            raise BadSettings(
                f"{path}, which holds what is never said, is not UTF-8: save it as that."
            ) from error
        return cls(line for line in lines if not line.lstrip().startswith(_REMARK))

    def said_in(self, text: str) -> bool:
        """Return whether a text holds any of them."""
        if self._said is None:
            return False
        return any(map(self._said.search, _forms(text)))


NOTHING_UNSAID = Unsaid(())


def _plain(text: str) -> str:
    """Return the words of a text, an accent being a part of its letter however it is written."""
    return " ".join(words(unicodedata.normalize("NFC", text)))


def _forms(text: str) -> set[str]:
    """Return the words of a text, and those that apostrophes part: the name in `Gerald's`, too."""
    return {_plain(text), _plain(text.translate(_PARTED_BY_APOSTROPHES))}


def _patterns(phrase: str) -> set[str]:
    """Return what a phrase looks like in one of a text's forms: `O'Neil` stands in `O'Neil's`."""
    if phrase.endswith(_ANY_ENDING):
        found = re.escape(_plain(phrase))
        return {found + r"\S*" if found else ""}
    return set(map(re.escape, _forms(phrase)))
