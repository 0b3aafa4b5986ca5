"""What an engine computes with: a model that reads tokens of many chats at once, and remembers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Cache(Protocol):
    """What a model has read of one text: its keys and values, so that it reads nothing twice."""

    @property
    def length(self) -> int:
        """How many tokens were read."""

    @property
    def size(self) -> int:
        """How many bytes it holds."""

    def cut(self, length: int) -> None:
        """Forget all after the first `length` tokens."""

    def fork(self) -> "Cache":
        """Return a second one that begins with the same text and goes its own way."""

    def close(self) -> None:
        """Give its memory back; it is not used again."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Tokens that a model shall read in one step.

    Attributes:
        cache: Of the text that they continue; grows by them.
        ids: At least one.
        wanted: For how many of them, from the end, to return what may follow; at least one.
    """

    cache: Cache
    ids: Sequence[int]
    wanted: int = 1


class Model(Protocol):
    """A causal language model.

    Not safe for several threads at once: one thread owns it.

    Attributes:
        positions: How many tokens a cache takes at the most.
        vocabulary: How many tokens it knows, V.
    """

    positions: int
    vocabulary: int

    def cache(self) -> Cache:
        """Return an empty cache."""

    def read(self, readings: Sequence[Reading]) -> list[NDArray[np.float32]]:
        """Read tokens of several texts, all in one step.

        What comes back for one of them does not depend on which others are read with it.

        Returns:
            For each reading the logits `(wanted, V)` of what may follow its last tokens; they hold
            until the next step.
        """

    def close(self) -> None:
        """Give all memory back."""


def check(readings: Sequence[Reading], positions: int, vocabulary: int) -> None:
    """Hold off what those who compute would take for granted.

    Raises:
        ValueError: A text has no room, a token does not exist, or a reading makes no sense.
    """
    if len({id(reading.cache) for reading in readings}) < len(readings):
        raise ValueError("two readings go on from the same cache")
    if any(not 1 <= reading.wanted <= len(reading.ids) for reading in readings):
        raise ValueError("a reading wants logits of tokens that it does not hold")
    if any(reading.cache.length + len(reading.ids) > positions for reading in readings):
        raise ValueError(f"a text is longer than the model's {positions} positions")
    if any(min(reading.ids) < 0 or max(reading.ids) >= vocabulary for reading in readings):
        raise ValueError(f"a token is none of the model's {vocabulary}")
