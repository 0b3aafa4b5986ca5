r"""JSON that an app wrote wrongly, made legal while it is read.

Source: Telegram Desktop writes characters below 0x20 as `\x0B` (`SerializeString` in its
`export_output_json.cpp`; still so in 2025), and version 4.1.1 wrote the `document_id` of an emoji
without quotes (tdesktop#24961): up to the end of its line, as the app writes one key a line.
"""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from exporters.layout import Readable

_BLOCK_BYTES = 65_536
_LONGEST_ESCAPE = 4
_LONGEST_LINE = 4 * _BLOCK_BYTES
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)
_BARE_ID = re.compile(rb'("document_id": )(?!["\[{\s]|null[,}\s]|-?\d+[,}\s])([^\r\n]+)')
_ID = b'"document_id": '


@dataclass(slots=True)
class Repairs:
    """How much had to be mended.

    Attributes:
        escapes: Escapes that JSON does not know.
        ids: Strings without quotes.
    """

    escapes: int = 0
    ids: int = 0

    def add(self, other: "Repairs") -> None:
        """Count what was mended elsewhere in the same file."""
        self.escapes += other.escapes
        self.ids += other.ids

    def remarks(self) -> Iterator[str]:
        """Yield a sentence for each kind of damage that there was."""
        if self.escapes:
            yield _sentence(self.escapes, "illegal escape")
        if self.ids:
            yield _sentence(self.ids, "id without quotes", "ids without quotes")

    def mended(self, text: bytes) -> bytes:
        """Return a piece of JSON made legal, and count; it must not begin inside an escape."""
        if b"\\" in text and b"\\x" in text:  # one byte alone is found far faster than two
            text = _ESCAPE.sub(self._escape, text)
        return _BARE_ID.sub(self._quoted, text) if _ID in text else text

    def _escape(self, found: re.Match[bytes]) -> bytes:
        if found[1] is None:
            return found[0]
        self.escapes += 1
        return b"\\u00" + found[1]

    def _quoted(self, found: re.Match[bytes]) -> bytes:
        self.ids += 1
        bare = found[2].rstrip(b", ").decode(errors="replace")
        return found[1] + json.dumps(bare).encode() + (b"," if found[2].endswith(b",") else b"")


def repaired(file: Readable, repairs: Repairs) -> io.BufferedReader:
    """Return a file of JSON as it reads when made legal; an undamaged one is passed through.

    Args:
        file: What the app wrote.
        repairs: Where to count.
    """
    return io.BufferedReader(_Repaired(file, repairs), _BLOCK_BYTES)


class _Repaired(io.RawIOBase):
    """Mends up to the end of a line; where a line is very long, up to the last escape."""

    def __init__(self, file: Readable, repairs: Repairs) -> None:
        self._file = file
        self._repairs = repairs
        self._rest = b""
        self._ready = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready and not self._ended:
            self._fill()
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _fill(self) -> None:
        block = self._file.read(_BLOCK_BYTES)
        self._ended = not block
        text = self._rest + block
        cut = _last_border(text) if block else len(text)
        self._rest = text[cut:]
        self._ready = memoryview(self._repairs.mended(text[:cut]))


def _last_border(text: bytes) -> int:
    """Return up to where a text can be mended without what follows it."""
    lines = text.rfind(b"\n") + 1
    if lines or len(text) < _LONGEST_LINE:
        return lines
    backslash = text.rfind(b"\\", len(text) - _LONGEST_ESCAPE)
    run = backslash + 1 - len(text[: backslash + 1].rstrip(b"\\"))
    return backslash if run % 2 else len(text)  # an even run is escaped backslashes


def _sentence(count: int, one: str, many: str = "") -> str:
    return f"1 {one} was repaired." if count == 1 else f"{count} {many or one + 's'} were repaired."
