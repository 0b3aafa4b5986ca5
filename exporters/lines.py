"""The lines of a text, decoded, in constant memory."""

import codecs
from collections.abc import Callable, Iterator

from exporters.sources import Source
from likeness.errors import DamagedSource

_CHUNK_BYTES = 1 << 20
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def encoding_of(head: bytes) -> str:
    """Return the encoding of a text by its first bytes: UTF-8, unless a mark says UTF-16."""
    return "utf-16" if head.startswith(_UTF16_MARKS) else "utf-8-sig"


def first_lines(source: Source) -> list[str]:
    """Return the lines that the head of a source holds whole; none if it holds no text."""
    encoding = encoding_of(source.head)
    if encoding != "utf-16" and b"\0" in source.head:
        return []
    lines = source.head.decode(encoding, errors="replace").split("\n")
    if source.size > len(source.head) and len(lines) > 1:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


class Lines:
    """Reads a source line by line, up to its end or to where it is damaged.

    Only a line feed ends a line, with or without a carriage return before it: the other breaks
    that Unicode knows occur inside messages.

    Attributes:
        damaged: Whether the reading stopped at damage; the line that it cut is left out.
    """

    def __init__(self, source: Source, on_bytes: Callable[[int], None] | None = None) -> None:
        self._source = source
        self._on_bytes = on_bytes
        self.damaged = False

    def __iter__(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(encoding_of(self._source.head))(errors="replace")
        begun: list[str] = []
        for text in self._texts(decoder):
            first, *others = text.split("\n")
            begun.append(first)
            if others:
                yield "".join(begun).removesuffix("\r")
                begun = [others.pop()]
                for line in others:
                    yield line.removesuffix("\r")
        last = "".join(begun).removesuffix("\r")
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
