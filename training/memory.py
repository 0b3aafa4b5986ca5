"""Memory kept for the next step, and work that does not fit into it done again in halves."""

import ctypes
import gc
import logging
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray

try:
    import resource
except ImportError:  # Windows has none.
    resource = None  # type: ignore[assignment]

from likeness.errors import TrainingError

Done = TypeVar("Done")

log = logging.getLogger(__name__)

_SAID = ("out of memory", "can't allocate memory", "not enough memory")


_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # as malloc.h names them
_NEVER = 2**31 - 1


def keep_memory() -> None:
    """Have the process keep what a step frees, for the next one, where the C library is glibc.

    By default it gives every large tensor back at once, and the system then zeroes each page of
    the next one, which takes a processor a share of each step.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_MAX, 0)
        library.mallopt(_TRIM_THRESHOLD, _NEVER)


def moved(numbers: NDArray[Any], device: torch.device) -> torch.Tensor:
    """Return numbers on a device, without waiting for what it is busy with."""
    tensor = torch.from_numpy(numbers)
    if device.type == "cuda":
        # From other memory a GPU copies only when all before is done.
        tensor = tensor.pin_memory()
    # Elsewhere what is not waited for may not have arrived when it is read.
    return tensor.to(device, non_blocking=device.type == "cuda")


def peak_bytes(device: torch.device) -> int:
    """Return the most memory so far, of a GPU or else of this process; 0 where nobody knows."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if resource is None:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def fewer_rows(work: Callable[[int], Done], rows: int, least: int = 1) -> tuple[Done, int]:
    """Do some work on so many rows at once; on half as many as often as memory gives out.

    Args:
        work: Takes how many rows to put through at once; begins anew each time it is called.
        rows: How many at first.
        least: How many at the least.

    Returns:
        What came of it, and how many rows fitted.

    Raises:
        TrainingError: Not even the fewest rows fit.
    """
    while True:
        try:
            return work(rows), rows
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if rows <= least:
                held = "one row" if rows == 1 else f"{rows} rows"
                less = "context_tokens" if rows == 1 else "batch_rows or context_tokens"
                raise TrainingError(
                    f"The memory does not hold {held}: lower {less}, or take a smaller base or "
                    "another device."
                ) from error
        rows = max(least, rows // 2)
        # Outside of `except`, whose error holds on to all that the attempt had made.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        log.warning("out of memory: going on with %d rows at once, to the same end", rows)


@contextmanager
def fitting(device: torch.device) -> Iterator[None]:
    """Put a model, and what learning keeps beside it, into a device's memory.

    Raises:
        TrainingError: It does not fit.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"The memory of {device} does not hold the model and what learning keeps beside it: "
            "take a smaller base, set method=lora, or take another device."
        ) from error


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether an error, of torch's too, means that memory gave out, on whatever device."""
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or any(said in str(error) for said in _SAID)
