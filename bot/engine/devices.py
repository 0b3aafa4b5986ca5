"""Devices of torch: which one computes, and what a full one means."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from likeness.errors import ModelError


def pick(name: str) -> torch.device:
    """Return a device that computes; `auto` is a GPU where there is one.

    Raises:
        ModelError: There is no such device, or torch does not compute on it.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.ones(1, device=device).add(1).cpu()  # an old card allocates, and does not compute
    except (RuntimeError, AssertionError, ImportError) as error:
        raise ModelError(f"This machine has no device {name!r} for torch: try `auto`.") from error
    return device


@contextmanager
def fitting() -> Iterator[None]:
    """Tell of a GPU whose memory is full as of any other.

    Raises:
        MemoryError: It is full.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise MemoryError("the GPU's memory is full") from error
