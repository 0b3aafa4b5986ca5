"""Windows of token ids and loss weights, kept compactly, and rectangles of rows of them."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.dialogue import Encoded


@dataclass(frozen=True, slots=True)
class Windows:
    """N windows as three flat arrays: eight bytes a token.

    Attributes:
        ids: All windows' token ids, one after the other.
        weights: The loss weight of each.
        starts: N + 1 places; window `n` is `starts[n]` to `starts[n + 1]`.
    """

    ids: NDArray[np.uint32]
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
    def tokens(self) -> int:
        """How many tokens it has without padding."""
        return int(self.real.sum())


class WindowsBuilder:
    """Collects windows one by one."""

    def __init__(self) -> None:
        self._ids = array("I")
        self._weights = array("f")
        self._starts = array("q", [0])

    def add(self, window: Encoded) -> None:
        """Append a window."""
        self._ids.extend(window.ids)
        self._weights.extend(window.weights)
        self._starts.append(len(self._ids))

    def windows(self) -> Windows:
        """Return what was collected; nothing can be added after that."""
        return Windows(
            np.frombuffer(self._ids, np.uint32),
            np.frombuffer(self._weights, np.float32),
            np.frombuffer(self._starts, np.int64),
        )
