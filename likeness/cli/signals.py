"""Signals that end a command: what it does with them while it is at work."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object]

HANG_UP: int | None = getattr(signal, "SIGHUP", None)
"""Of a terminal that closes; Windows has none."""


def heeded(number: int) -> bool:
    """Tell whether a signal is not ignored, as nohup has it."""
    return signal.getsignal(number) is not signal.SIG_IGN


@contextmanager
def handled(handlers: Mapping[int, Handler]) -> Iterator[None]:
    """Let signals do something else meanwhile."""
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
