"""GPT-2 on the processor with weights of 8 bits: a `bot.engine.models.Model` over the kernel."""

import ctypes
import os
import weakref
from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from bot.engine.models import Reading, check
from bot.engine.native.packed import Packed

_MOST_THREADS = 8


class _Sizes(ctypes.Structure):
    """`likeness::Sizes` of `model.h`."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("layers", "heads", "embedding", "inner")),
        *((name, ctypes.c_int32) for name in ("positions", "vocabulary", "planes", "threads")),
        ("epsilon", ctypes.c_float),
    )


class NativeCache:
    """Keys and values of one text; a `bot.engine.models.Cache`."""

    def __init__(self, library: ctypes.CDLL, handle: int) -> None:
        """Own a handle of the kernel."""
        self._library = library
        self.handle = handle
        self._drop = weakref.finalize(self, library.likeness_drop, ctypes.c_void_p(handle))
        self._drop.atexit = False  # a thread that is left behind may be reading
        self.length = 0

    @property
    def size(self) -> int:
        """How many bytes it holds, those that it shares with forks included."""
        return int(self._library.likeness_bytes(ctypes.c_void_p(self.handle)))

    def cut(self, length: int) -> None:
        """Forget all after the first `length` tokens."""
        if length <= self.length:
            # A step that memory failed in the middle leaves the kernel with more than we know of.
            self._library.likeness_cut(ctypes.c_void_p(self.handle), length)
            self.length = length

    def fork(self) -> "NativeCache":
        """Return a second one that begins with the same text and goes its own way."""
        handle = self._library.likeness_fork(ctypes.c_void_p(self.handle))
        twin = NativeCache(self._library, _there(handle))
        twin.length = self.length
        return twin

    def close(self) -> None:
        """Give its memory back; it is not used again."""
        self._drop()

    @property
    def closed(self) -> bool:
        """Whether that happened."""
        return not self._drop.alive


class NativeModel:
    """A GPT-2 that the kernel computes; a `bot.engine.models.Model`.

    Attributes:
        positions: How many tokens a cache takes at the most.
        vocabulary: How many tokens it knows, V.
    """

    def __init__(
        self, library: ctypes.CDLL, packed: Packed, *, planes: int = 1, threads: int | None = None
    ) -> None:
        """Take packed weights, and start the threads.

        Args:
            library: The compiled kernel.
            packed: The weights; they stay where they are.
            planes: How exactly activations are rounded: 1 for 8 bits, 2 for 15.
            threads: How many compute; None for one for each processor that this process may use.
        """
        shape = packed.shape
        self.positions = shape.positions
        self.vocabulary = shape.vocabulary
        self._library = _declare(library)
        self._packed = packed
        start = packed.memory.ctypes.data
        tensors = (ctypes.c_void_p * len(packed.places))(*(start + at for at in packed.places))
        sizes = _Sizes(
            shape.layers,
            shape.heads,
            shape.embedding,
            shape.inner,
            shape.positions,
            shape.vocabulary,
            planes,
            threads or min(_processors(), _MOST_THREADS),
            shape.epsilon,
        )
        self._handle = _there(library.likeness_open(ctypes.byref(sizes), tensors))
        self._close = weakref.finalize(self, library.likeness_close, ctypes.c_void_p(self._handle))
        self._close.atexit = False

    def cache(self) -> NativeCache:
        """Return an empty cache."""
        handle = self._library.likeness_cache(ctypes.c_void_p(self._handle))
        return NativeCache(self._library, _there(handle))

    def read(self, readings: Sequence[Reading]) -> list[NDArray[np.float32]]:
        """Read tokens of several texts, all in one step.

        Returns:
            For each reading the logits `(wanted, V)` of what may follow its last tokens.

        Raises:
            ValueError: A text has no room, a token does not exist, or a reading makes no sense.
            MemoryError: There is not enough of it; nothing was read.
        """
        caches = [_own(reading.cache) for reading in readings]
        if not self._close.alive or any(cache.closed for cache in caches):
            raise ValueError("the model or a cache is closed")
        check(readings, self.positions, self.vocabulary)
        ids = np.fromiter(chain.from_iterable(reading.ids for reading in readings), np.int32)
        counts = np.array([len(reading.ids) for reading in readings], np.int32)
        wanted = np.array([reading.wanted for reading in readings], np.int32)
        logits = np.empty((int(wanted.sum()), self.vocabulary), np.float32)
        handles = (ctypes.c_void_p * len(caches))(*(cache.handle for cache in caches))
        failed = self._library.likeness_read(
            self._handle,
            len(caches),
            handles,
            ids.ctypes.data,
            counts.ctypes.data,
            wanted.ctypes.data,
            logits.ctypes.data,
        )
        if failed:
            for cache in caches:
                cache.cut(cache.length)
            raise MemoryError
        for cache, count in zip(caches, counts.tolist(), strict=True):
            cache.length += count
        return np.split(logits, np.cumsum(wanted)[:-1])

    def close(self) -> None:
        """Give all memory back."""
        self._close()


def _processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _own(cache: object) -> NativeCache:
    if not isinstance(cache, NativeCache):
        raise TypeError("the cache is another model's")
    return cache


def _there(handle: int | None) -> int:
    if handle is None:
        raise MemoryError
    return handle


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    """Tell ctypes what the functions of `kernel.cpp` take and return."""
    pointer, number = ctypes.c_void_p, ctypes.c_int32
    library.likeness_open.argtypes = (pointer, pointer)
    library.likeness_read.argtypes = (pointer, number, *5 * (pointer,))
    library.likeness_read.restype = number
    library.likeness_cut.argtypes = (pointer, number)
    library.likeness_bytes.argtypes = (pointer,)
    library.likeness_bytes.restype = ctypes.c_int64
    for name in ("likeness_open", "likeness_cache", "likeness_fork"):
        getattr(library, name).restype = pointer
    for name in ("likeness_cache", "likeness_fork", "likeness_drop", "likeness_close"):
        getattr(library, name).argtypes = (pointer,)
    return library
