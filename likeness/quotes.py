"""Whether a text says word for word what others wrote where the model learnt.

A model folder keeps that in `others.bin`: each eight words in a row that others wrote and I never
did, as a number of 64 bits, little-endian, ascending.
"""

import sys
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from likeness.card import told_of_others
from likeness.errors import BadCard

FILE_NAME = "others.bin"
RUN_WORDS = 8
"""So many words in a row are hardly said twice by chance."""
_LETTERS_A_WORD = 2
"""As many letters say as much as a word where words are not parted by spaces."""
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_APOSTROPHES = "'’"
_UNSEEN = ("Cf", "Me")
"""Joiners, soft hyphens and marks of direction; and what frames the character before."""
_VARIANT = "VARIATION SELECTOR"
"""Stands behind a character, such as most hearts, and says how it is drawn."""
_PRIME = 2**61 - 1
_BASE = 0x1D2D3C5A7B91F


class OthersWords:
    """What others wrote, as far as a text can be held against it."""

    def __init__(self, numbers: Sequence[int]) -> None:
        """Take the numbers of their runs of words, as `runs` tells them, ascending."""
        self._numbers = numbers

    @classmethod
    def load(cls, folder: Path) -> "OthersWords":
        """Open what a model folder keeps; one that was trained without it keeps nothing.

        Raises:
            BadCard: It is damaged or not to be read, or missing though the card tells of it.
        """
        path, numbers, told = folder / FILE_NAME, array("Q"), told_of_others(folder)
        try:
            numbers.frombytes(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError) as error:
            if not told:
                return NOBODYS_WORDS
            raise _unguarded(path, "missing") from error
        except OSError as error:
            raise BadCard(f"{path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise _unguarded(path, "damaged") from error
        if told and len(numbers) != told:
            raise _unguarded(path, "damaged")
        if sys.byteorder == "big":
            numbers.byteswap()
        return cls(numbers)

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers of their runs of words, ascending."""
        return self._numbers

    def quoted_in(self, text: str) -> bool:
        """Return whether a text holds eight words in a row that others wrote."""
        return any(self._has(run) for run in runs(text))

    def _has(self, run: int) -> bool:
        place = bisect_left(self._numbers, run)
        return place < len(self._numbers) and self._numbers[place] == run


NOBODYS_WORDS = OthersWords(())


def _unguarded(path: Path, how: str) -> BadCard:
    return BadCard(
        f"{path} is {how}, and without it others' words would be sent: copy the model's folder "
        "anew, or train again."
    )


def runs(text: str) -> Iterator[int]:
    """Yield a number below 2^61 for each eight words in a row, without regard to case and marks.

    Source: Karp and Rabin, Efficient Randomized Pattern-Matching Algorithms (1987).
    """
    said = words(text)
    sums = [0]  # of the words before each place
    for word in said:
        sums.append((sums[-1] * _BASE + _number(word)) % _PRIME)
    end, weight = 0, 0
    for start, first in enumerate(said):
        while weight < _ENOUGH and end < len(said):
            weight += _weight(said[end])
            end += 1
        if weight < _ENOUGH:
            return
        yield (sums[end] - sums[start] * _POWERS[end - start]) % _PRIME
        weight -= _weight(first)


def words(text: str) -> list[str]:
    """Return a text's words without regard to case and marks; a letter where none parts words."""
    return text.casefold().translate(_PARTED).split()


class _Parted(dict[int, str]):
    """What becomes of each character, so that words, and letters that need none, stand apart."""

    def __missing__(self, code: int) -> str:
        self[code] = made = self._made(chr(code))
        return made

    @staticmethod
    def _made(char: str) -> str:
        category, name = unicodedata.category(char), unicodedata.name(char, "")
        if char in _APOSTROPHES or category in _UNSEEN or name.startswith(_VARIANT):
            return ""
        kind = category[0]
        if _is_unspaced(char):
            return f" {char} " if kind in "LN" else ""
        return char if kind in "LMN" else " "


def _is_unspaced(char: str) -> bool:
    return unicodedata.name(char, "").startswith(_UNSPACED)


@lru_cache(maxsize=1 << 16)
def _number(word: str) -> int:
    digest = blake2b(word.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % _PRIME


@lru_cache(maxsize=1 << 16)
def _weight(word: str) -> int:
    return 1 if len(word) == 1 and _is_unspaced(word) else _LETTERS_A_WORD


_PARTED = _Parted()
_ENOUGH = RUN_WORDS * _LETTERS_A_WORD
_POWERS = [pow(_BASE, power, _PRIME) for power in range(_ENOUGH + 1)]
