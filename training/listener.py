"""What everybody wrote where a model learns, by which it is known again word for word."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.files import whole_file
from likeness.quotes import FILE_NAME, OthersWords, runs
from training.rows import OnDisk

_AT_ONCE = 1 << 20

Numbers = NDArray[np.uint64]


class Listener:
    """Takes messages, and notes each eight words in a row: on the disk, however many there are."""

    def __init__(self, folder: Path) -> None:
        """Begin with nothing.

        Args:
            folder: Where there is room; what lies there has no name, and is gone with the listener.

        Raises:
            TrainingError: The disk does not take it.
        """
        self._others, self._mine = OnDisk("Q", folder), OnDisk("Q", folder)

    def hear(self, text: str, *, mine: bool) -> None:
        """Take a message.

        Raises:
            TrainingError: The disk does not take it.
        """
        (self._mine if mine else self._others).extend(list(runs(text)))

    def recall(self, folder: Path) -> None:
        """Take what a model folder keeps of others, if any: a model that goes on knows it still.

        Beside a checkpoint, its run keeps that.

        Raises:
            ModelError: What it keeps is damaged.
            TrainingError: The disk does not take it.
        """
        kept = [folder]
        if folder.name.startswith("checkpoint-"):
            kept.append(folder.parent)
        for one in kept:
            self._others.extend(OthersWords.load(one).numbers)

    def keep_others(self, folder: Path) -> None:
        """Write what others wrote and I did not into a model folder, for its owner alone to read.

        Nothing can be heard after that.

        Raises:
            LikenessError: The disk does not take it.
        """
        others, mine = self._others.mapped(writable=True), self._mine.mapped(writable=True)
        others.sort()  # in the file: a map of it needs no memory of its own
        mine.sort()
        with whole_file(folder / FILE_NAME) as file:
            for numbers in _only_in(others, mine):
                file.buffer.write(numbers.astype("<u8", copy=False).tobytes())


def _only_in(others: Numbers, mine: Numbers) -> Iterator[Numbers]:
    """Yield the numbers that are in the first alone, each once, some at a time; both ascend."""
    for start in range(0, len(others), _AT_ONCE):
        some = np.asarray(others[start : start + _AT_ONCE])
        new = np.ones(len(some), bool)
        new[1:] = some[1:] != some[:-1]
        new[0] = start == 0 or some[0] != others[start - 1]
        if len(mine):
            new &= mine[np.minimum(np.searchsorted(mine, some), len(mine) - 1)] != some
        yield some[new]
