"""A JSON file read value by value in constant memory, up to where it is damaged."""

import io
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

import ijson  # type: ignore[import-untyped]

from likeness.errors import DamagedSource
from likeness.messages import Record, Rejected

_FAULTS = (ijson.JSONError, UnicodeDecodeError, ArithmeticError)
_OPENING = {"start_map": "object", "start_array": "array"}
_BOM = b"\xef\xbb\xbf"


class BrokenJSON(Exception):
    """The file ends or goes wrong here; what was given out before is whole."""


class JSONReader:
    """Walks through one JSON value: the caller goes into what it knows and leaves out the rest.

    Numbers with a fraction come as Decimal. Every method may raise BrokenJSON.

    Source: ijson's `basic_parse`; its C backend gives all events before a fault, then the fault
    (checked with 3.6.0 by cutting files at each byte).
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Begin at the start of a file, behind its byte order mark if it has one."""
        start = file.read(len(_BOM))
        rest = _Joined(b"" if start == _BOM else start, file)
        self._events: Iterator[tuple[str, Any]] = iter(ijson.basic_parse(rest))
        self._ahead: tuple[str, Any] | None = None
        self._untouched = False

    def kind(self) -> str:
        """Tell what comes next: "object", "array" or "scalar"."""
        return _OPENING.get(self._peek()[0], "scalar")

    def members(self) -> Iterator[str]:
        """Yield each key of the object that comes next; a value the caller leaves is skipped."""
        self._next()
        while (event := self._next())[0] != "end_map":
            self._untouched = True
            yield event[1]
            self._skip_untouched()

    def elements(self) -> Iterator[int]:
        """Yield each index of the array that comes next; an element left alone is skipped."""
        self._next()
        index = 0
        while self._peek()[0] != "end_array":
            self._untouched = True
            yield index
            self._skip_untouched()
            index += 1
        self._next()

    def value(self) -> Any:
        """Return the whole value that comes next."""
        event, value = self._next()
        if event not in _OPENING:
            return value
        whole = _container(event)
        try:
            _fill(whole, self._events)
        except _FAULTS as error:
            raise BrokenJSON from error
        return whole

    def _skip_untouched(self) -> None:
        if not self._untouched:
            return
        depth = 0
        while True:
            event, _ = self._next()
            depth += (event in _OPENING) - (event in ("end_map", "end_array"))
            if depth == 0:
                return

    def _peek(self) -> tuple[str, Any]:
        if self._ahead is None:
            self._ahead = self._advance()
        return self._ahead

    def _next(self) -> tuple[str, Any]:
        self._untouched = False
        event, self._ahead = self._ahead, None
        return event or self._advance()

    def _advance(self) -> tuple[str, Any]:
        try:
            return next(self._events)
        except (*_FAULTS, StopIteration) as error:
            raise BrokenJSON from error


class _Joined:
    """A few bytes, then a file."""

    def __init__(self, first: bytes, file: IO[bytes]) -> None:
        self._first = first
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if self._first and size:
            first, self._first = self._first, b""
            return first
        return self._file.read(size)


def beginning(head: bytes) -> Any:
    """Return what the first bytes of a JSON file say, as far as they go; None if not JSON."""
    events = iter(ijson.basic_parse(io.BytesIO(head.removeprefix(_BOM))))
    whole: Any = None
    with suppress(*_FAULTS):
        event, whole = next(events)
        if event in _OPENING:
            whole = _container(event)
            _fill(whole, events)
    return whole


def _container(event: str) -> dict[str, Any] | list[Any]:
    return {} if event == "start_map" else []


def _fill(whole: dict[str, Any] | list[Any], events: Iterator[tuple[str, Any]]) -> None:
    """Put into an object or array what comes up to its end; a fault leaves it partly filled."""
    holder: Any = whole
    key = ""
    outer: list[tuple[Any, str]] = []
    for event, value in events:
        if event == "map_key":
            key = value
        elif event in ("end_map", "end_array"):
            if not outer:
                return
            holder, key = outer.pop()
        else:
            inner = _container(event) if event in _OPENING else value
            if isinstance(holder, dict):
                holder[key] = inner
            else:
                holder.append(inner)
            if event in _OPENING:
                outer.append((holder, key))
                holder = inner


def keep_whole(records: Iterator[Record], name: str) -> Iterator[Record]:
    """Yield what is whole before the damage, then one Rejected for the rest.

    Raises:
        DamagedSource: Nothing was whole.
    """
    count = 0
    try:
        for record in records:
            yield record
            count += 1
    except (BrokenJSON, DamagedSource) as error:
        if count == 0:
            raise DamagedSource(
                f"{name} breaks off or is damaged before its first message: export it again."
            ) from error
        yield Rejected(f"after record {count}", "the file breaks off or is damaged here")
