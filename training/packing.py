"""Windows to rows of the model's length, nothing cut, and the batches of them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Row = list[int]
"""The numbers of the windows that stand in a row, one after the other."""

_SORTED_TOGETHER = 50


def pack(lengths: NDArray[np.int64], room: int | None, order: NDArray[np.int64]) -> list[Row]:
    """Put windows into as few rows as best-fit does: each where it leaves the least room.

    The longest come first. How many rows there are follows from the lengths alone; the order only
    decides which of equally long windows stand together.

    Source: best-fit decreasing; "Fewer Truncations Improve Language Modeling" (Ding et al., 2024).

    Args:
        lengths: Of all windows, in tokens.
        room: Tokens of a row, no fewer than the longest window; None gives each window its own row.
        order: The windows to pack.
    """
    if room is None:
        return [[int(number)] for number in order]
    rows: list[Row] = []
    by_room: defaultdict[int, list[Row]] = defaultdict(list)
    rooms = 0  # bit n stands where some row has room for n tokens more
    for number in order[np.argsort(-lengths[order], kind="stable")]:
        length = int(lengths[number])
        fitting = rooms >> length
        if fitting:
            left = length + (fitting & -fitting).bit_length() - 1
            row = by_room[left].pop()
            if not by_room[left]:
                rooms &= ~(1 << left)
        else:
            left, row = room, []
            rows.append(row)
        row.append(int(number))
        by_room[left - length].append(row)
        rooms |= 1 << (left - length)
    return rows


def epoch_batches(
    lengths: NDArray[np.int64], room: int | None, batch_rows: int, seed: int, epoch: int
) -> list[list[Row]]:
    """Return the batches of one epoch, in an order that seed and epoch decide.

    Rows are packed, shuffled, sorted by length within some batches' worth of them so that little is
    padding, and the batches shuffled again.
    """
    dice = np.random.default_rng([seed, epoch])
    rows = pack(lengths, room, dice.permutation(len(lengths)))
    order = dice.permutation(len(rows))
    together = batch_rows * _SORTED_TOGETHER
    batches = [
        batch
        for start in range(0, len(order), together)
        for batch in _by_length(
            [rows[number] for number in order[start : start + together]], lengths, batch_rows
        )
    ]
    return [batches[number] for number in dice.permutation(len(batches))]


def sorted_batches(
    lengths: NDArray[np.int64], room: int | None, batch_rows: int
) -> list[list[Row]]:
    """Return all windows in batches of rows that are about equally long, always the same."""
    rows = pack(lengths, room, np.arange(len(lengths)))
    return list(_by_length(rows, lengths, batch_rows))


def cut(batches: Iterable[Sequence[Row]], rows_at_once: int) -> Iterator[Sequence[Row]]:
    """Yield the rows of batches, at most so many at once, and none with those of another batch."""
    for rows in batches:
        for start in range(0, len(rows), rows_at_once):
            yield rows[start : start + rows_at_once]


def _by_length(
    rows: Sequence[Row], lengths: NDArray[np.int64], batch_rows: int
) -> Iterator[list[Row]]:
    ordered = sorted(rows, key=lambda row: int(lengths[row].sum()))
    for start in range(0, len(ordered), batch_rows):
        yield ordered[start : start + batch_rows]
