"""Whether a text says word for word what others wrote where the model learnt.

A model folder keeps that in `others.bin`: each eight words in a row that others wrote and I never
did, as a number of 64 bits, little-endian, ascending.
"""

import re
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from likeness.files import whole_file

FILE_NAME = "others.bin"
RUN_WORDS = 8
"""So many words in a row are hardly said twice by chance."""
_WORD = re.compile(r"\w+")


class OthersWords:
    """What others wrote, as far as a text can be held against it."""

    def __init__(self, numbers: "array[int]") -> None:
        """Take the numbers of their runs of words, as `runs` tells them, ascending."""
        self._numbers = numbers

    @classmethod
    def load(cls, folder: Path) -> "OthersWords":
        """Open what a model folder keeps; one that was trained without it keeps nothing."""
        numbers = array("Q")
        try:
            numbers.frombytes((folder / FILE_NAME).read_bytes())
        except (OSError, ValueError):
            return NOBODYS_WORDS
        return cls(_little_endian(numbers))

    def save(self, folder: Path) -> None:
        """Keep it in a model folder; only its owner may read the file.

        Raises:
            LikenessError: The disk does not take it.
        """
        with whole_file(folder / FILE_NAME) as file:
            file.buffer.write(_little_endian(self._numbers).tobytes())

    def quoted_in(self, text: str) -> bool:
        """Return whether a text holds eight words in a row that others wrote."""
        return any(self._has(run) for run in runs(text))

    def _has(self, run: int) -> bool:
        place = bisect_left(self._numbers, run)
        return place < len(self._numbers) and self._numbers[place] == run


NOBODYS_WORDS = OthersWords(array("Q"))


def runs(text: str) -> Iterator[int]:
    """Yield a number of 64 bits for each eight words in a row, without regard to case and marks."""
    words = _WORD.findall(text.casefold())
    for start in range(len(words) - RUN_WORDS + 1):
        run = " ".join(words[start : start + RUN_WORDS]).encode(errors="replace")
        yield int.from_bytes(blake2b(run, digest_size=8).digest(), "little")


def _little_endian(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers
