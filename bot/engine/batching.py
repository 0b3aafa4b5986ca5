"""What the model reads in its next step: all that is short, and pieces of what is long."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.engine.models import Reading

_SHORT = 8
"""So few tokens are read at once: a reply's next one, a few drafted ones, a short message."""
_ALONE = 256
_BESIDE = 64
"""How many tokens of long texts a step reads, alone and beside replies that wait for it."""


@dataclass(slots=True)
class Want:
    """A reading that some work asked for.

    Attributes:
        reading: What is to be read.
        left: How many of its tokens are not read yet.
        logits: `(wanted, V)`, what came of it.
    """

    reading: Reading
    left: int
    logits: NDArray[np.float32] | None = None

    def take(self, piece: Reading, logits: NDArray[np.float32]) -> None:
        """Note that a piece was read."""
        self.left -= len(piece.ids)
        self.logits = logits

    def piece(self, size: int) -> Reading:
        """Return its next tokens, `size` of them."""
        ids = self.reading.ids
        begin = len(ids) - self.left
        wanted = self.reading.wanted if size == self.left else 1
        return replace(self.reading, ids=ids[begin : begin + size], wanted=wanted)


def plan(wants: Sequence[Want]) -> list[tuple[Want, Reading]]:
    """Return what the model reads next, and what for.

    Of long texts the first come first. A last piece holds all tokens after which logits are wanted.
    """
    batch = [(want, want.piece(want.left)) for want in wants if want.left <= _SHORT]
    room = _BESIDE if batch else _ALONE
    for want in wants:
        if want.left > _SHORT and room > 0:
            last = want.reading.wanted
            size = want.left if want.left <= max(room, last) else min(room, want.left - last)
            batch.append((want, want.piece(size)))
            room -= size
    return batch
