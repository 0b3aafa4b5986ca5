"""A JSON file read value by value in constant memory, up to where it is damaged."""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any, TypeVar

import ijson  # type: ignore[import-untyped]
import msgspec

from exporters.blocks import Block
from exporters.layout import Feed, Readable
from likeness.errors import DamagedSource
from likeness.messages import Record, Rejected

T = TypeVar("T")
R = TypeVar("R", bound=Record | Block)

_decode = msgspec.json.Decoder(list[Any], float_hook=Decimal).decode
_FAULTS = (ijson.JSONError, UnicodeDecodeError, ArithmeticError)
_MOST_DIGITS = 200_000
# Beyond Python's limit of 4,300 digits ijson 3.6.0's C backend takes the interpreter down with it.
sys.set_int_max_str_digits(2 * _MOST_DIGITS)
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

    def __init__(
        self, file: Readable, through: Callable[[Readable], io.BufferedReader] | None = None
    ) -> None:
        """Begin at the start of a file, behind its byte order mark if it has one.

        Args:
            file: The JSON.
            through: Makes legal what the parser is to read, whole lines as they come.
        """
        self._feed = Feed(file)
        legal = self._feed if through is None else _AsItComes(through(self._feed))
        self._events: Iterator[tuple[str, Any]] = iter(ijson.basic_parse(_WithoutGiants(legal)))
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

    def slices(self, decode: Callable[[bytes], T], otherwise: Callable[[bytes], T]) -> Iterator[T]:
        """Yield what is made of the array that comes next, a run of whole elements at a time.

        Only for an array under the key `messages` of a file laid out as apps do; what is left at
        the end, often nothing, `elements` yields.

        Args:
            decode: Makes something of an array of some elements, or raises ValueError.
            otherwise: Does so where `decode` cannot.
        """
        if self._peek()[0] == "start_array":
            yield from self._feed.slices(decode, otherwise)

    def elements(self, first: int = 0) -> Iterator[int]:
        """Yield each index of the array that comes next; an element left alone is skipped.

        Args:
            first: The index of the first of them, where slices were taken before.
        """
        self._next()
        index = first
        while self._peek()[0] != "end_array":
            self._untouched = True
            yield index
            self._skip_untouched()
            index += 1
        self._next()

    def runs(self) -> Iterator[list[Any]]:
        """Yield runs of elements of the array that comes next, as far as it comes in slices.

        Those that are left `values` yields.
        """
        return self.slices(_decode, _decode)

    def values(self, first: int = 0) -> Iterator[tuple[int, Any]]:
        """Yield index and value of each element of the array that comes next, in slices or not.

        Args:
            first: The index of the first of them, where runs were taken before.
        """
        index = first
        for run in self.runs():
            yield from enumerate(run, index)
            index += len(run)
        for rest in self.elements(index):
            yield rest, self.value()

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


class _AsItComes:
    """Passes on what one reading of a file gives: waiting for more would pass by a slice."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        return self._file.read1(size)


class _WithoutGiants:
    """Passes bytes on until a number has more digits than any app writes: that is damage."""

    def __init__(self, file: "Feed | _AsItComes") -> None:
        self._file = file
        self._digits = 0

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._digits = self._digits + len(data) if data.isdigit() else 0
        if self._digits > _MOST_DIGITS:
            raise ijson.JSONError("a number without an end")
        return data


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


def keep_whole(records: Iterator[R], name: str) -> Iterator[R | Rejected]:
    """Yield what is whole before the damage, then one Rejected for the rest.

    Raises:
        DamagedSource: Nothing was whole.
    """
    count = 0
    try:
        for record in records:
            yield record
            count += record.records if isinstance(record, Block) else 1
    except (BrokenJSON, DamagedSource) as error:
        if count == 0:
            raise DamagedSource(
                f"{name} breaks off or is damaged before its first message: export it again."
            ) from error
        yield Rejected(f"after record {count}", "the file breaks off or is damaged here")
