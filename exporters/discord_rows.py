"""The rows of a CSV of Discord's world, in constant memory, up to where it is damaged."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from exporters.lines import encoding_of, first_lines
from exporters.sources import Source
from exporters.streaming import BrokenJSON

_DELIMITERS = (",", ";")


def has_columns(source: Source, columns: Sequence[str]) -> bool:
    """Tell whether a file is a CSV of exactly these columns."""
    return _delimiter(source, columns) is not None


def csv_rows(
    source: Source, columns: Sequence[str], on_bytes: Callable[[int], None] | None
) -> Iterator[tuple[str, list[str]]]:
    """Yield each row behind the header with its place; one of another length may be among them.

    Raises:
        BrokenJSON: The rest is damaged.
        DamagedSource: The rest cannot be read.
    """
    with source.open(on_bytes) as file:
        encoding = encoding_of(source.head)  # a spreadsheet saves it in another than it was
        text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
        reader = csv.reader(text, delimiter=_delimiter(source, columns) or ",", strict=True)
        try:
            next(reader, None)
            for row in reader:
                if row:
                    yield f"line {reader.line_num}", row
        except csv.Error as error:
            raise BrokenJSON from error


def _delimiter(source: Source, columns: Sequence[str]) -> str | None:
    header = first_lines(source)[:1]
    for delimiter in _DELIMITERS:
        plain = [name.strip('"') for line in header for name in line.split(delimiter)]
        if plain == list(columns):
            return delimiter
    return None
