"""What was read of each chat, kept from turn to turn as long as there is memory for it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.engine.models import Cache, Model

_WORTH_A_COPY = 16
"""So many equal tokens are copied rather than read again."""


@dataclass(slots=True, eq=False)
class _Kept:
    ids: NDArray[np.int64]
    cache: Cache

    def common(self, ids: NDArray[np.int64]) -> int:
        """Return with how many tokens both begin."""
        length = min(len(ids), len(self.ids))
        differ = self.ids[:length] != ids[:length]
        return int(differ.argmax()) if differ.any() else length


class Caches:
    """Caches that nobody uses at the moment, found by the text that they hold.

    A chat's next prompt begins as its last one did and holds the last reply, so what is new in it
    is all that must be read. No chat is named: what two texts share is the same for both, and a
    cache is never used for more than it has in common with the text that is asked for.

    One thread uses it, the model's.
    """

    def __init__(self, model: Model, most_bytes: int) -> None:
        """Keep up to `most_bytes`, those in use included; these alone may exceed it."""
        self._model = model
        self._most_bytes = most_bytes
        self._kept: list[_Kept] = []
        self._in_use: dict[int, Cache] = {}

    @property
    def size(self) -> int:
        """How many bytes all caches hold."""
        kept = (entry.cache for entry in self._kept)
        return sum(cache.size for cache in (*kept, *self._in_use.values()))

    @contextmanager
    def use(self, ids: Sequence[int]) -> Iterator[Cache]:
        """Give a cache of a beginning of a text that leaves at least one token to be read.

        Afterwards it is kept for later, unless something failed.

        Args:
            ids: The text. It may grow meanwhile; the cache must hold a beginning of it in the end.
        """
        cache = self._take(ids)
        try:
            yield cache
        except Exception:
            del self._in_use[id(cache)]
            cache.close()
            raise
        except GeneratorExit:
            self._keep(ids, cache)
            raise
        self._keep(ids, cache)

    def _take(self, ids: Sequence[int]) -> Cache:
        text = np.array(ids[:-1], dtype=np.int64)
        best = max(self._kept, key=lambda entry: entry.common(text), default=None)
        common = best.common(text) if best else 0
        if best and 2 * (len(best.ids) - common) <= common:
            self._kept.remove(best)
            cache = best.cache
            cache.cut(common)
        elif best and common >= _WORTH_A_COPY:
            self._kept.remove(best)
            self._kept.append(best)
            cache = best.cache.fork()
            cache.cut(common)
        else:
            cache = self._model.cache()
        self._in_use[id(cache)] = cache
        return cache

    def _keep(self, ids: Sequence[int], cache: Cache) -> None:
        """Put a cache to those kept; the ones used longest ago go for it."""
        del self._in_use[id(cache)]
        if cache.length:
            self._kept.append(_Kept(np.array(ids[: cache.length], dtype=np.int64), cache))
        else:
            cache.close()
        excess = self.size - self._most_bytes
        while excess > 0 and self._kept:
            oldest = self._kept.pop(0)
            excess -= oldest.cache.size
            oldest.cache.close()

    def close(self) -> None:
        """Give up all of them."""
        for entry in self._kept:
            entry.cache.close()
        self._kept.clear()
