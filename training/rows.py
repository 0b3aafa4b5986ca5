"""Windows of token ids and loss weights, kept on the disk, and rectangles of rows of them."""

import tempfile
import weakref
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from likeness.dialogue import Encoded
from likeness.errors import TrainingError

_WRITTEN_TOGETHER = 1 << 16


@dataclass(frozen=True, slots=True)
class Windows:
    """N windows as three flat arrays, those with an entry a token mapped from the disk.

    Attributes:
        ids: All windows' token ids, one after the other.
        weights: The loss weight of each.
        starts: N + 1 places; window `n` is `starts[n]` to `starts[n + 1]`.
    """

    ids: NDArray[np.uint16] | NDArray[np.uint32]
    weights: NDArray[np.float32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many windows there are."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Each window's length in tokens."""
        return np.diff(self.starts)

    def batch(self, rows: Sequence[Sequence[int]]) -> "Batch":
        """Return rows as one rectangle, padded behind.

        Args:
            rows: The numbers of the windows that stand in each, one after the other.
        """
        shape = (len(rows), max(sum(map(self._length, row)) for row in rows))
        ids, weights = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
        windows, positions = np.full(shape, -1), np.zeros(shape, np.int64)
        for place, row in enumerate(rows):
            begin = 0
            for number, window in enumerate(row):
                start, length = self.starts[window], self._length(window)
                here = place, slice(begin, begin + length)
                ids[here] = self.ids[start : start + length]
                weights[here] = self.weights[start : start + length]
                # Nothing predicts a window's first token.
                weights[place, begin] = 0
                windows[here], positions[here] = number, np.arange(length)
                begin += length
            positions[place, begin:] = np.arange(shape[1] - begin)
        return Batch(ids, weights, windows, positions)

    def idle(self) -> "Batch":
        """Return a small batch that teaches nothing, for a process that has to keep in step."""
        batch = self.batch([[int(self.lengths.argmin())]])
        batch.weights[:] = 0
        return batch

    def _length(self, window: int) -> int:
        return int(self.starts[window + 1] - self.starts[window])


@dataclass(frozen=True, slots=True)
class Batch:
    """B rows of T tokens.

    Attributes:
        ids: Token ids (B, T); what pads a row is 0.
        weights: Loss weights (B, T); `weights[:, t]` belongs to the prediction of `ids[:, t]`.
        windows: Which window of its row each token belongs to (B, T), counted from 0; padding -1.
        positions: How many tokens of its window stand before each (B, T).
    """

    ids: NDArray[np.int64]
    weights: NDArray[np.float32]
    windows: NDArray[np.int64]
    positions: NDArray[np.int64]

    @property
    def real(self) -> NDArray[np.bool_]:
        """Which tokens are no padding (B, T)."""
        return self.windows >= 0

    @property
    def packed(self) -> bool:
        """Whether a row holds more than one window."""
        return bool(self.windows.max() > 0)

    @property
    def weight(self) -> float:
        """The sum of its weights."""
        return float(self.weights.sum(dtype=np.float64))

    @property
    def taught(self) -> int:
        """How many tokens have a weight."""
        return int(np.count_nonzero(self.weights))

    @property
    def targets(self) -> int:
        """How many tokens weigh as much as my words."""
        return int(np.count_nonzero(self.weights >= 1))

    @property
    def tokens(self) -> int:
        """How many tokens it has without padding."""
        return int(self.real.sum())


class WindowsBuilder:
    """Collects windows one by one, their tokens on the disk.

    The files have no name, so that nothing of them is left whatever ends the program.

    Args:
        folder: On whose disk; None for the system's place for temporary files.
        vocabulary: How many different ids there may be.
    """

    def __init__(self, folder: Path | None = None, vocabulary: int = 1 << 32) -> None:
        self._ids = OnDisk("H" if vocabulary <= 1 << 16 else "I", folder)
        self._weights = OnDisk("f", folder)
        self._starts = array("q", [0])

    def add(self, window: Encoded) -> None:
        """Append a window.

        Raises:
            TrainingError: The disk does not take it.
        """
        self._ids.extend(window.ids)
        self._weights.extend(window.weights)
        self._starts.append(self._starts[-1] + len(window.ids))

    def windows(self) -> Windows:
        """Return what was collected; nothing can be added after that.

        Raises:
            TrainingError: The disk does not take it.
        """
        starts = np.frombuffer(self._starts, np.int64)
        return Windows(self._ids.mapped(), self._weights.mapped(), starts)


class OnDisk:
    """Numbers in a file without a name."""

    def __init__(self, code: str, folder: Path | None) -> None:
        """Begin with none.

        Args:
            code: Their type, as `array` names it.
            folder: Where the file is; where the system keeps such files if None.

        Raises:
            TrainingError: The disk does not take it.
        """
        self._waiting: array[Any] = array(code)
        try:
            if folder is not None:
                # The run's, which this is the first to write to: people's words will lie in it.
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed below
        except OSError as error:
            raise _full(error) from error
        # A map of it stays when it is closed.
        weakref.finalize(self, _close, self._file)

    def extend(self, numbers: Sequence[float]) -> None:
        """Append some.

        Raises:
            TrainingError: The disk does not take them.
        """
        self._waiting.extend(numbers)
        if len(self._waiting) >= _WRITTEN_TOGETHER:
            self._write()

    def mapped(self, *, writable: bool = False) -> NDArray[Any]:
        """Return a map of them all; nothing can be added after that.

        Raises:
            TrainingError: The disk does not take them.
        """
        self._write()
        if not self._file.tell():
            return np.frombuffer(self._waiting, self._waiting.typecode)
        mode: Literal["r", "r+"] = "r+" if writable else "r"
        return np.memmap(self._file, self._waiting.typecode, mode=mode)

    def _write(self) -> None:
        try:
            self._file.write(self._waiting)
            self._file.flush()
        except OSError as error:
            raise _full(error) from error
        del self._waiting[:]


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # What a full disk did not take, it does not take now.
        file.close()


def _full(error: OSError) -> TrainingError:
    return TrainingError(f"The messages' tokens cannot be written to the disk: {error.strerror}.")
