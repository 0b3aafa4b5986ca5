"""The files that rows come in: JSON by rows, by columns or by lines, and CSV."""

import codecs
import csv
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest
from typing import Any, BinaryIO

from exporters.entry import Unreadable
from exporters.lines import encoding_of
from exporters.sources import Reading, Source
from exporters.streaming import BrokenJSON, JSONReader, beginning

NEEDED = frozenset({
    "timestamp", "conversationId", "conversationWithName", "senderName", "outgoing", "text",
})  # fmt: skip
_COLUMNS = NEEDED | {"language", "platform"}
_DELIMITERS = ",;\t"

Row = tuple[str, Any]
"""Where it stands, and what stands there; an Unreadable if that is no row."""


def form_of(head: bytes) -> str | None:
    """Return what a file of rows looks like by its beginning, None if it holds no rows."""
    found = beginning(head)
    if isinstance(found, list):
        return "JSON by rows" if found and _is_row(found[0]) else None
    if not isinstance(found, dict):
        return None if _delimiter(head) is None else "CSV"
    if _is_row(found):
        return "JSON by lines"
    names = found.keys() & _COLUMNS
    whole = names == found.keys() and bool(names)
    return "JSON by columns" if whole and all(map(_is_column, found.values())) else None


def rows_in(source: Source, reading: Reading) -> Iterator[Row]:
    """Yield every row of a source with its place.

    Raises:
        BrokenJSON: The rest is damaged.
        DamagedSource: The rest cannot be read.
    """
    form = form_of(source.head)
    if form == "JSON by columns":
        yield from _by_columns(source, reading)
        return
    with source.open(reading.on_bytes) as file:
        if form == "CSV":
            yield from _csv(file, _delimiter(source.head) or ",", encoding_of(source.head))
        elif form == "JSON by lines":
            yield from _by_lines(file)
        else:
            yield from _by_rows(JSONReader(file))


def _is_row(found: Any) -> bool:
    if not isinstance(found, dict) or not found.keys() >= NEEDED:
        return False
    return not any(isinstance(value, dict | list) for value in found.values())


def _is_column(found: Any) -> bool:
    if isinstance(found, dict):
        return all(index.isdecimal() for index in found)
    return isinstance(found, list)


def _by_rows(json_: JSONReader) -> Iterator[Row]:
    if json_.kind() == "array":
        for index in json_.elements():
            yield f"[{index}]", json_.value()


def _by_lines(file: BinaryIO) -> Iterator[Row]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield f"line {number}", json.loads(line)
            except (ValueError, RecursionError):
                yield f"line {number}", Unreadable("it is not JSON")


def _by_columns(source: Source, reading: Reading) -> Iterator[Row]:
    """Read a file whose columns follow each other with one reader in each of them.

    Source: pandas' `to_json` without an `orient`, as the workshop wrote its movie data.
    """
    names = _columns(source)
    if not names.keys() >= NEEDED:
        raise BrokenJSON
    last = next(reversed(names))
    columns = [_column(source, name, reading if name == last else None) for name in names]
    for cells in zip_longest(*columns, fillvalue=("", None)):
        index = cells[0][0]
        if any(other != index for other, _ in cells):
            raise BrokenJSON
        yield f"[{index}]", dict(zip(names, (value for _, value in cells), strict=True))


def _columns(source: Source) -> dict[str, None]:
    names: dict[str, None] = {}
    with source.open() as file, suppress(BrokenJSON):
        for name in JSONReader(file).members():
            if name in _COLUMNS:
                names[name] = None
    return names


def _column(source: Source, name: str, reading: Reading | None) -> Iterator[tuple[str, Any]]:
    """Yield the cells of one column; the last one tells of the bytes, up to the file's end."""
    with source.open(reading.on_bytes if reading else None) as file:
        json_ = JSONReader(file)
        if json_.kind() != "object":
            raise BrokenJSON
        for key in json_.members():
            if key == name:
                yield from _cells(json_)
                if reading is None:
                    return


def _cells(json_: JSONReader) -> Iterator[tuple[str, Any]]:
    kind = json_.kind()
    if kind == "object":
        for index in json_.members():
            yield index, json_.value()
    elif kind == "array":
        for number in json_.elements():
            yield str(number), json_.value()


def _csv(file: BinaryIO, delimiter: str, encoding: str) -> Iterator[Row]:
    lines = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    reader = csv.reader(lines, delimiter=delimiter)
    names = next(reader)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            yield f"line {reader.line_num}", Unreadable("it is no line of CSV")
            continue
        if cells and len(cells) != len(names):
            yield f"line {reader.line_num}", Unreadable("it has not as many cells as the head")
        elif cells:
            yield f"line {reader.line_num}", dict(zip(names, cells, strict=True))
    lines.detach()


def _delimiter(head: bytes) -> str | None:
    """Return what parts the cells of a file that begins with the names of our columns."""
    first = head.split(b"\n", 1)[0].removeprefix(codecs.BOM_UTF8).decode(errors="replace")
    for delimiter in _DELIMITERS:
        try:
            names = next(csv.reader([first.rstrip("\r")], delimiter=delimiter), [])
        except csv.Error:
            continue
        if frozenset(names) >= NEEDED:
            return delimiter
    return None
