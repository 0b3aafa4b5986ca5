"""The text of sigtop, cut into its messages.

Each has fields, `From: Ann (+15550100)`, then after a blank line a quote, every line of it behind
`>`, and after another the words. An edited one has its versions instead, every line behind `|`,
the newest first.

Source: `fmt_text.go` of tbvdm/sigtop.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

_FIELD = re.compile(r"(From|Type|Sent|Received|Attachment|Reaction|Edited): (.*)")
_BEGINS = re.compile(r"(?:From|Type): ")
_FOLLOWS = re.compile(r"(?:Type|Sent|Received): ")
_VERSION = "| Version: "


@dataclass(slots=True)
class TextEntry:
    """One message as it stands there.

    Attributes:
        line: Where it begins.
        fields: What its fields say; of several of one name the first.
        rest: The lines behind them.
    """

    line: int
    fields: dict[str, str] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)

    def told(self, name: str) -> str:
        """Return what a field says, empty if it is not there."""
        return self.fields.get(name, "")

    @property
    def text(self) -> str:
        """The words, of an edited message the newest."""
        lines = _newest(self.rest) if "Edited" in self.fields else self.rest
        return "\n".join(_without_quote(lines))


def text_entries(lines: Iterable[str]) -> Iterator[TextEntry]:
    """Yield the messages below the first line, which names the chat."""
    entry: TextEntry | None = None
    before, held = "", ""
    for number, line in enumerate(chain(lines, [""]), 2):
        # A line is looked at once the next one is known.
        if number > 2:
            entry = yield from _take(entry, before, held, line, number - 1)
            before = held
        held = line
    if entry is not None:
        yield entry


def _take(
    entry: TextEntry | None, before: str, line: str, following: str, number: int
) -> Generator[TextEntry, None, TextEntry | None]:
    if not before and _BEGINS.match(line) and _FOLLOWS.match(following):
        if entry is not None:
            yield entry
        entry = TextEntry(number)
    if entry is None:
        return None
    found = None if entry.rest else _FIELD.fullmatch(line)
    if found:
        entry.fields.setdefault(found[1], found[2])
    else:
        entry.rest.append(line)
    return entry


def _newest(lines: list[str]) -> list[str]:
    """Return the lines behind the fields of the first version."""
    starts = [at for at, line in enumerate(lines) if line.startswith(_VERSION)]
    if not starts:
        return lines
    end = starts[1] - 1 if len(starts) > 1 else len(lines)
    version = [line[2:] if line.startswith("| ") else "" for line in lines[starts[0] : end]]
    blank = version.index("") if "" in version else len(version)
    return version[blank:]


def _without_quote(lines: list[str]) -> list[str]:
    """Return the words: without the blank line before them, the one behind, and the quote."""
    start = 1 if lines and not lines[0] else 0
    if lines[start : start + 1] and lines[start].startswith("> From: "):
        while start < len(lines) and lines[start].startswith(">"):
            start += 1
        start += 1
    return lines[start : -1 if lines and not lines[-1] else None]
