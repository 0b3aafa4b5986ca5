"""JSON laid out line by line, as apps do: its long lists in slices that can be decoded at once."""

import re
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")

_BOM = b"\xef\xbb\xbf"
_FED_BYTES = 65_536
_SLICE_BYTES = 65_536  # what fits a processor's cache is read a quarter faster than larger ones
_MOST_HELD = 16 * 1024 * 1024
_KEY = b'"messages"'
_LIST = re.compile(rb'([ \t]*)"messages": \[(\r?\n)')
_EMPTY = re.compile(rb'[ \t]*"messages": \[\],?\r?\n')
_INDENT = re.compile(rb"[ \t]*(?=\{)")


class Readable(Protocol):
    """A file of bytes, as far as it is needed here."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes, none at the end."""


class Feed:
    """Feeds a parser with a file, and stops it where a list of messages begins.

    Such a list can then be taken out of the parser's way in slices. A raw line feed stands nowhere
    inside a string, so that a line that is nothing but a closing bracket at the list's own indent
    ends an element, whatever the elements hold.
    """

    def __init__(self, file: Readable) -> None:
        """Begin at the start of a file, behind its byte order mark if it has one."""
        start = file.read(len(_BOM))
        self._file = file
        self._held = b"" if start == _BOM else start
        self._list: re.Match[bytes] | None = None
        self._one_a_line = True

    def read(self, size: int = -1) -> bytes:
        """Return the next lines, up to where a list of messages begins if that comes sooner."""
        if len(self._held) < _FED_BYTES:
            self._held += self._file.read(_FED_BYTES)
        data = self._held[:size] if size >= 0 else self._held
        upto = self._stop(data) or data.rfind(b"\n") + 1 or len(data)
        self._held = self._held[upto:]
        return data[:upto]

    def _stop(self, data: bytes) -> int:
        """Return where the first line ends that names the key of a list, 0 if there is none.

        A list that the parser has come to is sure to be the one that stands here only if each such
        key has stood in a line of its own, with its bracket, since the beginning.
        """
        self._list = None
        at = data.find(_KEY)
        if at < 0:
            return 0
        start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at) + 1
        line = data[start:end]
        found = _LIST.fullmatch(line)
        if self._one_a_line and found is not None:
            self._list = found
        elif (end or not start) and not _EMPTY.fullmatch(line):
            self._one_a_line = False
        return end

    def slices(self, decode: Callable[[bytes], T], otherwise: Callable[[bytes], T]) -> Iterator[T]:
        """Yield what is made of the list that begins here, a run of whole elements at a time.

        Ends where both ways raise ValueError, or the list is laid out otherwise: the parser goes
        on with the first element not yielded.

        Args:
            decode: Makes something of an array of elements.
            otherwise: Does so where `decode` raises ValueError.
        """
        if self._list is None:
            return
        outer, newline = self._list.groups()
        self._held = self._held or self._file.read(_FED_BYTES)
        indent = _INDENT.match(self._held)
        if indent is None:
            return
        border = newline + indent[0] + b"},"
        end = newline + outer + b"]"
        while found := self._slice(border, end, decode, otherwise):
            yield found[0]

    def _slice(
        self,
        border: bytes,
        end: bytes,
        decode: Callable[[bytes], T],
        otherwise: Callable[[bytes], T],
    ) -> tuple[T] | None:
        """Return what is made of the next run of elements, None if there is none left."""
        self._fill(border, end)
        held = self._held
        view = memoryview(held)
        cut = held.rfind(border)
        upto = held.find(end) if cut < 0 else cut + len(border) - 1
        found = _decoded(decode, view[:upto]) if upto > 0 else None
        if found is None and upto > 0:
            # The run may reach beyond the end of the list, into lists like it.
            last = held.find(end, 0, upto)
            if last >= 0:
                upto = last
                found = _decoded(decode, view[:upto]) if upto else None
            if found is None and upto:
                found = _decoded(otherwise, view[:upto])
        if found is not None:
            self._held = held[upto + held.startswith(b",", upto) :]
        return found

    def _fill(self, border: bytes, end: bytes) -> None:
        """Hold a slice, and more of a list whose elements are longer."""
        while len(self._held) < _SLICE_BYTES or (
            len(self._held) < _MOST_HELD and border not in self._held and end not in self._held
        ):
            more = self._file.read(_SLICE_BYTES)
            if not more:
                return
            self._held += more


def _decoded(decode: Callable[[bytes], T], elements: memoryview) -> tuple[T] | None:
    try:
        return (decode(b"".join((b"[", elements, b"]"))),)
    except (ValueError, RecursionError):
        return None
