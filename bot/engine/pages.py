"""Keys and values of many texts on a device of torch, in blocks that forks share."""

from collections.abc import Sequence

import torch

BLOCK = 32
"""Tokens."""
SPARE = 0
"""A block of nobody's, for rows that only fill a batch up."""
_FIRST_BLOCKS = 64


class Pages:
    """The blocks of all texts in one tensor, which grows as they do.

    Attributes:
        keys: `(layers, blocks, BLOCK, heads, width)`.
        values: The same.
        moved: How often they have been given another place in memory.
    """

    def __init__(self, layers: int, heads: int, width: int, like: torch.Tensor) -> None:
        """Allocate the first of them.

        Args:
            layers: Of the model.
            heads: Of each layer.
            width: Of a head.
            like: Says where they are, and of which type.
        """
        shape = (layers, _FIRST_BLOCKS, BLOCK, heads, width)
        self.keys, self.values = like.new_zeros(shape), like.new_zeros(shape)
        self.moved = 0
        self._users = [0] * _FIRST_BLOCKS
        self._free = list(range(_FIRST_BLOCKS - 1, SPARE, -1))

    @property
    def block_bytes(self) -> int:
        """How many bytes a block takes."""
        return 2 * self.keys[:, 0].nbytes

    def take(self) -> int:
        """Return a block that nobody uses.

        Raises:
            MemoryError: There is none, and no memory for more.
        """
        if not self._free:
            self._grow()
        block = self._free.pop()
        self._users[block] = 1
        return block

    def share(self, blocks: Sequence[int]) -> None:
        """Count one more user of some blocks."""
        for block in blocks:
            self._users[block] += 1

    def give(self, blocks: Sequence[int]) -> None:
        """Count one user less of some blocks; those without any are free again."""
        for block in blocks:
            self._users[block] -= 1
            if not self._users[block]:
                self._free.append(block)

    def own(self, block: int) -> int:
        """Return a block with the same content that nobody else uses: itself, if that is so."""
        if self._users[block] == 1:
            return block
        copy = self.take()
        for pages in (self.keys, self.values):
            pages[:, copy] = pages[:, block]
        self.give([block])
        return copy

    def _grow(self) -> None:
        before = len(self._users)
        try:
            keys, values = (
                torch.cat((pages, torch.zeros_like(pages)), dim=1)
                for pages in (self.keys, self.values)
            )
        except RuntimeError as error:  # torch.OutOfMemoryError on a GPU, something else elsewhere
            raise MemoryError from error
        self.keys, self.values = keys, values
        self.moved += 1
        self._users += [0] * before
        self._free += range(2 * before - 1, before - 1, -1)


class PagedCache:
    """What was read of one text; a `bot.engine.models.Cache`.

    Attributes:
        length: How many tokens were read.
        blocks: Where their keys and values lie.
    """

    def __init__(self, pages: Pages) -> None:
        """Begin a text."""
        self._pages = pages
        self.length = 0
        self.blocks: list[int] = []

    @property
    def size(self) -> int:
        """How many bytes it holds, those that it shares with forks included."""
        return len(self.blocks) * self._pages.block_bytes

    def cut(self, length: int) -> None:
        """Forget all after the first `length` tokens."""
        self.length = min(length, self.length)
        kept = -(-self.length // BLOCK)
        self._pages.give(self.blocks[kept:])
        del self.blocks[kept:]

    def fork(self) -> "PagedCache":
        """Return a second one that begins with the same text and goes its own way."""
        twin = PagedCache(self._pages)
        twin.length, twin.blocks = self.length, self.blocks[:]
        self._pages.share(self.blocks)
        return twin

    def prepare(self, more: int) -> None:
        """Make room for more tokens, and what they are written to this cache's own.

        Raises:
            MemoryError: There is none; what was read stays.
        """
        for place in range(self.length // BLOCK, -(-(self.length + more) // BLOCK)):
            if place < len(self.blocks):
                self.blocks[place] = self._pages.own(self.blocks[place])
            else:
                self.blocks.append(self._pages.take())

    def close(self) -> None:
        """Give its memory back."""
        self.cut(0)
