"""The lines of a text, decoded, in constant memory."""

import codecs
import re
from collections.abc import Callable, Iterator

from exporters.sources import Source
from likeness.errors import DamagedSource

_CHUNK_BYTES = 1 << 20
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


_UTF8_CHARACTER = re.compile(rb"[\xc3-\xf4][\x80-\xbf]")
_LEAST_ASCII = 8


def encoding_of(head: bytes) -> str:
    """Return the encoding of a text by its first bytes: UTF-8, unless they say another.

    UTF-16 without its mark shows by its zero bytes, which stand in every second place alone; a
    text of the old Windows by bytes that are no UTF-8, while no others are but ASCII.
    """
    if head.startswith(_UTF16_MARKS):
        return "utf-16"
    if b"\0" in head:
        first, second = head[::2].count(0), head[1::2].count(0)
        often = max(first, second) * _LEAST_ASCII > len(head) // 2
        if often and not (first and second):
            return "utf-16-be" if first else "utf-16-le"
        return "utf-8-sig"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "utf-8-sig" if _UTF8_CHARACTER.search(head) else "cp1252"
    return "utf-8-sig"


def _by_returns(text: str) -> bool:
    """Tell whether carriage returns end the lines of a text, alone."""
    return text.count("\r") - text.count("\r\n") > text.count("\n")


def first_lines(source: Source) -> list[str]:
    """Return the lines that the head of a source holds whole; none if it holds no text."""
    encoding = encoding_of(source.head)
    if "utf-16" not in encoding and b"\0" in source.head:
        return []
    text = source.head.decode(encoding, errors="replace")
    lines = (text.replace("\r", "\n") if _by_returns(text) else text).split("\n")
    if source.size > len(source.head) and len(lines) > 1:
        lines.pop()
    return [line.rstrip("\r") for line in lines]


class Lines:
    """Reads a source line by line, up to its end or to where it is damaged.

    Only a line feed ends a line, with or without a carriage return before it, or such a return
    in a file without line feeds: the other breaks that Unicode knows occur inside messages.

    Attributes:
        damaged: Whether the reading stopped at damage; the line that it cut is left out.
    """

    def __init__(self, source: Source, on_bytes: Callable[[int], None] | None = None) -> None:
        self._source = source
        self._on_bytes = on_bytes
        self.damaged = False

    def __iter__(self) -> Iterator[str]:
        encoding = encoding_of(self._source.head)
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        by_returns = _by_returns(self._source.head.decode(encoding, errors="replace"))
        begun: list[str] = []
        for text in self._texts(decoder):
            first, *others = (text.replace("\r", "\n") if by_returns else text).split("\n")
            begun.append(first)
            if others:
                yield "".join(begun).rstrip("\r")
                begun = [others.pop()]
                for line in others:
                    yield line.rstrip("\r")
        last = "".join(begun).rstrip("\r")
        if last and not self.damaged:
            yield last

    def _texts(self, decoder: codecs.IncrementalDecoder) -> Iterator[str]:
        try:
            with self._source.open(self._on_bytes) as file:
                while data := file.read(_CHUNK_BYTES):
                    yield decoder.decode(data)
        except DamagedSource:
            self.damaged = True
        yield decoder.decode(b"", final=True)
