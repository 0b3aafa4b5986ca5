"""Rows of token ids and loss weights, kept compactly, and the batches of them."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.dialogue import Encoded

_SORTED_TOGETHER = 50


@dataclass(frozen=True, slots=True)
class Rows:
    """N rows as three flat arrays: eight bytes a token.

    Attributes:
        ids: All rows' token ids, one after the other.
        weights: The loss weight of each.
        starts: N + 1 places; row `n` is `starts[n]` to `starts[n + 1]`.
    """

    ids: NDArray[np.uint32]
    weights: NDArray[np.float32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Each row's length in tokens."""
        return np.diff(self.starts)

    def batch(self, numbers: Sequence[int]) -> "Batch":
        """Return some rows as one rectangle, padded behind."""
        lengths = self.lengths[list(numbers)]
        shape = (len(lengths), int(lengths.max()))
        ids, weights = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
        for place, (number, length) in enumerate(zip(numbers, lengths, strict=True)):
            start = self.starts[number]
            ids[place, :length] = self.ids[start : start + length]
            weights[place, :length] = self.weights[start : start + length]
        # Nothing predicts a row's first token.
        weights[:, 0] = 0
        real = np.arange(shape[1])[None, :] < lengths[:, None]
        return Batch(ids, weights, real)


@dataclass(frozen=True, slots=True)
class Batch:
    """B rows of T tokens.

    Attributes:
        ids: Token ids (B, T); what pads a row is 0.
        weights: Loss weights (B, T); `weights[:, t]` belongs to the prediction of `ids[:, t]`.
        real: Which tokens are no padding (B, T).
    """

    ids: NDArray[np.int64]
    weights: NDArray[np.float32]
    real: NDArray[np.bool_]

    @property
    def weight(self) -> float:
        """The sum of its weights."""
        return float(self.weights.sum(dtype=np.float64))

    @property
    def tokens(self) -> int:
        """How many tokens it has without padding."""
        return int(self.real.sum())


class RowsBuilder:
    """Collects rows one by one."""

    def __init__(self) -> None:
        self._ids = array("I")
        self._weights = array("f")
        self._starts = array("q", [0])

    def add(self, row: Encoded) -> None:
        """Append a row."""
        self._ids.extend(row.ids)
        self._weights.extend(row.weights)
        self._starts.append(len(self._ids))

    def rows(self) -> Rows:
        """Return what was collected; nothing can be added after that."""
        return Rows(
            np.frombuffer(self._ids, np.uint32),
            np.frombuffer(self._weights, np.float32),
            np.frombuffer(self._starts, np.int64),
        )


def epoch_batches(rows: Rows, batch_rows: int, seed: int, epoch: int) -> list[list[int]]:
    """Return the row numbers of one epoch's batches, in an order that seed and epoch decide.

    Rows are shuffled, sorted by length within some batches' worth of them so that little is
    padding, and the batches shuffled again.
    """
    dice = np.random.default_rng([seed, epoch])
    order = dice.permutation(len(rows))
    together = batch_rows * _SORTED_TOGETHER
    batches = [
        batch
        for start in range(0, len(order), together)
        for batch in _by_length(rows, order[start : start + together], batch_rows)
    ]
    return [batches[number] for number in dice.permutation(len(batches))]


def sorted_batches(rows: Rows, batch_rows: int) -> list[list[int]]:
    """Return all row numbers in batches of rows that are about equally long."""
    return list(_by_length(rows, np.arange(len(rows)), batch_rows))


def _by_length(rows: Rows, numbers: NDArray[np.int64], batch_rows: int) -> Iterator[list[int]]:
    ordered = numbers[np.argsort(rows.lengths[numbers], kind="stable")]
    for start in range(0, len(ordered), batch_rows):
        yield [int(number) for number in ordered[start : start + batch_rows]]
