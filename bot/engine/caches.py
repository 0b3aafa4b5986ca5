"""What was read of each chat, kept from turn to turn as long as there is memory for it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.engine.models import Cache, Model

_WORTH_FINDING = 16
"""Texts that have fewer tokens in common are read anew: that costs no more than one step."""


@dataclass(slots=True, eq=False)
class _Kept:
    ids: NDArray[np.int64]
    cache: Cache
    size: int

    def common(self, ids: NDArray[np.int64]) -> int:
        """Return with how many tokens both begin."""
        length = min(len(ids), len(self.ids))
        differ = self.ids[:length] != ids[:length]
        return int(differ.argmax()) if differ.any() else length


class _Shelf:
    """What is kept, in the order of its last use, and found by how it begins.

    However many chats there are, only those caches are looked at that begin with the same tokens.

    Attributes:
        size: How many bytes all of them hold.
    """

    def __init__(self) -> None:
        self.size = 0
        self._entries: dict[_Kept, None] = {}
        self._alike: dict[bytes, dict[_Kept, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def put(self, entry: _Kept) -> None:
        """Add one as the newest."""
        self._entries[entry] = None
        self._alike.setdefault(_beginning(entry.ids), {})[entry] = None
        self.size += entry.size

    def take(self, entry: _Kept) -> None:
        """Remove one."""
        del self._entries[entry]
        beginning = _beginning(entry.ids)
        del self._alike[beginning][entry]
        if not self._alike[beginning]:
            del self._alike[beginning]
        self.size -= entry.size

    def oldest(self) -> _Kept:
        """Remove and return the one used longest ago."""
        entry = next(iter(self._entries))
        self.take(entry)
        return entry

    def nearest(self, ids: NDArray[np.int64]) -> _Kept | None:
        """Return the one that has most in common with a text, if that is worth it."""
        alike = self._alike.get(_beginning(ids), {})
        return max(alike, key=lambda entry: entry.common(ids), default=None)


def _beginning(ids: NDArray[np.int64]) -> bytes:
    return ids[:_WORTH_FINDING].tobytes()


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
        self._kept = _Shelf()
        self._in_use: dict[int, Cache] = {}

    @property
    def size(self) -> int:
        """How many bytes all caches hold."""
        return self._kept.size + sum(cache.size for cache in self._in_use.values())

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
        best = self._kept.nearest(text)
        common = best.common(text) if best else 0
        if best is None:
            cache = self._model.cache()
        else:
            self._kept.take(best)
            cache = best.cache
            if 2 * (len(best.ids) - common) > common:  # what is beyond may be wanted again
                cache = cache.fork()
                self._kept.put(best)
            cache.cut(common)
        self._in_use[id(cache)] = cache
        return cache

    def _keep(self, ids: Sequence[int], cache: Cache) -> None:
        """Put a cache to those kept, if it can be found; the ones used longest ago go for it."""
        del self._in_use[id(cache)]
        if cache.length >= _WORTH_FINDING:
            read = np.array(ids[: cache.length], dtype=np.int64)
            self._kept.put(_Kept(read, cache, cache.size))
        else:
            cache.close()
        while self._kept and self.size > self._most_bytes:
            self._kept.oldest().cache.close()

    def close(self) -> None:
        """Give up all of them."""
        while self._kept:
            self._kept.oldest().cache.close()
