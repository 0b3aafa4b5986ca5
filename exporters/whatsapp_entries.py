"""The second pass over a WhatsApp text: lines to entries, pasted heads told from true ones."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from exporters.heads import HeadReader
from exporters.whatsapp_names import Names
from exporters.whatsapp_runs import Runs, Told, time_of
from likeness.messages import Rejected

_FAR_BACK = timedelta(days=1)
_MOST_PASTED = 64


@dataclass(slots=True)
class Entry:
    """One head and what belongs to it.

    Attributes:
        when: The local time that the head says.
        announced: Whether the app's mark stands before the head.
        name: Who wrote it, as it stands; None in a notice.
        head: The whole first line.
        lines: The text: what follows the head and the name, then the further lines.
    """

    when: datetime
    announced: bool
    name: str | None
    head: str
    lines: list[str]


@dataclass(slots=True)
class Run:
    """Entries that are one line of words each, one after the other.

    Attributes:
        told: What they say.
    """

    told: list[Told]

    def entries(self) -> Iterator[Entry]:
        """Yield them one by one."""
        for when, name, text, line in self.told:
            yield Entry(time_of(when), False, name, line, [text])


@dataclass(slots=True)
class EntryReader:
    """Cuts lines into entries.

    Attributes:
        runs: What takes many of them at once; None if each is wanted by itself.
        heads: What reads the heads, the most frequent shape first.
        names: The names of the file.
        pasted: How many heads were found to be pasted into a message, for the account.
    """

    heads: list[HeadReader]
    names: Names
    runs: Runs | None = None
    pasted: int = 0

    def read(self, lines: Iterable[str]) -> Iterator[Entry | Run | Rejected]:
        """Yield the entries in the order of the file, and what stands before the first of them."""
        entries = self._entries(iter(lines))
        before = next(entries, None)
        if isinstance(before, list):
            if any(line.strip() for line in before):
                yield Rejected("line 1", "text before the first message")
            yield from self._without_pasted(
                entry for entry in entries if not isinstance(entry, list)
            )

    def _entries(self, lines: Iterator[str]) -> Iterator[Entry | Run | list[str]]:
        """Yield the lines before the first head, then every entry."""
        before: list[str] = []
        tail = before
        entry: Entry | None = None
        again: list[str] = []
        while (line := again.pop() if again else next(lines, None)) is not None:
            for head in self.heads:
                if found := head.read(line):
                    break
            else:
                tail.append(line)
                continue
            yield before if entry is None else entry
            entry = self._entry(line, *found)
            if self.runs is not None:
                told = self.runs.take(lines, entry.when, again)
                if told:
                    yield entry
                    yield Run(told[:-1])
                    (entry,) = Run(told[-1:]).entries()
            tail = entry.lines
        yield before if entry is None else entry

    def _entry(self, line: str, when: datetime, rest: str, announced: bool) -> Entry:
        cut = self.names.split(rest)
        if cut is None:
            return Entry(when, announced, None, line, [])
        return Entry(when, announced, cut[0], line, [cut[1]])

    def _without_pasted(self, entries: Iterator[Entry | Run]) -> Iterator[Entry | Run]:
        """Give heads back to the message they were pasted into.

        Pasted are those that lie far back in time, if soon after them the time goes on where the
        message left it. Notices hold nothing pasted, and the first entry is often younger than
        the ones after it.
        """
        last = next(entries, None)
        if not isinstance(last, Entry):
            return
        first = True
        held: list[Entry] = []
        while (entry := next(entries, None)) is not None:
            if isinstance(entry, Run):
                if held:
                    entries = chain(entry.entries(), entries)
                elif entry.told:
                    yield last
                    first = False
                    yield Run(entry.told[:-1])
                    (last,) = Run(entry.told[-1:]).entries()
                continue
            if held and entry.when >= last.when:
                for other in held:
                    last.lines += [other.head, *other.lines[other.name is not None :]]
                self.pasted += len(held)
                held = []
            elif held or (
                not first and last.name is not None and entry.when < last.when - _FAR_BACK
            ):
                held.append(entry)
                if len(held) <= _MOST_PASTED:
                    continue
                yield last
                yield from held[:-1]
                last, held = entry, []
                continue
            yield last
            first = False
            last = entry
        yield last
        yield from held
