"""The text that imessage-exporter writes of the Messages app: one chat a file, named after it.

A message is its time, its sender, its words and an empty line. Answers stand once more, indented,
below what they answer, and are read where they stand by themselves. Times are the computer's.

Source: `imessage-exporter/src/exporters/txt.rs` of ReagentX/imessage-exporter, and its tests.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from exporters.clock import LocalClock
from exporters.entry import Unreadable
from exporters.ids import MadeIds
from exporters.sources import Reading, Source
from exporters.streaming import keep_whole
from likeness.messages import Kind, Message, Notice, Record, Rejected

_TIME = re.compile(
    r"([A-Z][a-z]{2} \d\d, \d{4} {1,2}\d{1,2}:\d\d:\d\d [AP]M)(?: \(Read by [^\n]*\)| (\S.*))?",
    re.ASCII,
)
_TIME_FORM = "%b %d, %Y %I:%M:%S %p"
_ME = "Me"
_DELETED = "This message was deleted from the conversation!"
_UNSENT = re.compile(r".{1,100} (?:deleted|unsent) a message\.")
_EDITED = re.compile(r"Edited [^\n:]{1,80} later: (.*)")
_REPLY = "This message responded to an earlier message."
_REACTIONS = ("Reactions:", "Tapbacks:")
_INDENT = "    "
_FILE = re.compile(r"(?:/|~/|attachments/|[A-Z]:\\)[^\n]*\.[A-Za-z0-9]{1,8}|Sticker from [^\n]*")
_MISSING = "Attachment missing!"


class _IMessageText:
    name = "imessage-exporter text"

    def recognises(self, source: Source) -> bool:
        if b"\0" in source.head:
            return False
        lines = source.head.decode("utf-8-sig", errors="replace").split("\n")
        found = _TIME.fullmatch(lines[0].rstrip("\r"))
        return found is not None and len(lines) > 1 and bool(found[2] or lines[1].strip())

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        reading.flavour = "text"
        reading.local_times = True
        yield from keep_whole(_records(source, reading, source.place.stem), source.name)


IMESSAGE_TEXT = _IMessageText()


def _records(source: Source, reading: Reading, chat: str) -> Iterator[Record]:
    clock, ids = LocalClock(reading.local_zone), MadeIds()
    with source.open(reading.on_bytes) as file:
        for where, time, lines in _entries(file):
            if not lines:
                yield Notice("group or chat event")
                continue
            try:
                local = _local(time)
                sent_at = clock.utc(local)
            except (Unreadable, OverflowError, ValueError):
                yield Rejected(where, "it has no date that can be read")
                continue
            speaker, (text, kind) = lines[0], _said(lines[1:])
            yield Message(
                platform="imessage",
                chat_id=chat,
                chat=chat,
                id=ids.of(f"{local:%Y-%m-%dT%H:%M:%S}", speaker, text or kind),
                speaker_id=speaker,
                speaker=speaker,
                outgoing=speaker == _ME,
                sent_at=sent_at,
                text=text,
                kind=kind,
            )


def _entries(file: Iterable[bytes]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield where each entry begins, its time, and its lines; none are an announcement's."""
    time: str | None = None
    lines: list[str] = []
    where = ""
    for number, data in enumerate(file, 1):
        encoding = "utf-8-sig" if number == 1 else "utf-8"
        line = data.decode(encoding, errors="replace").removesuffix("\n").removesuffix("\r")
        found = _TIME.fullmatch(line)
        if found is None or (lines and lines[-1]):  # what was edited tells its time as well
            lines.append(line)
            continue
        if time is not None:
            yield where, time, lines
        time, lines, where = found[1], [], f"line {number}"
        if found[2]:
            yield where, time, []
            time = None
    if time is not None:
        yield where, time, lines


def _local(time: str) -> datetime:
    try:
        return datetime.strptime(" ".join(time.split()), _TIME_FORM)  # noqa: DTZ007
    except ValueError as error:
        raise Unreadable("it has no date that can be read") from error


def _said(lines: list[str]) -> tuple[str, Kind]:
    """Return the words below a sender, without what the tool tells around them."""
    words: list[str] = []
    files = in_reactions = edited = False
    for line in lines:
        first, later = _TIME.fullmatch(line), _EDITED.fullmatch(line)
        if first is not None and first[2]:
            words, edited = [first[2]], True
        elif edited and later is not None:
            words = [later[1]]
        elif line in _REACTIONS:
            in_reactions = True
        elif in_reactions:
            in_reactions = bool(line)
        elif line == _DELETED:
            return "", "deleted"
        elif line == _MISSING or _FILE.fullmatch(line):
            files = True
        elif line != _REPLY and not line.startswith(_INDENT):
            words.append(line)
    text = "\n".join(words).strip("\n")
    if _UNSENT.fullmatch(text):
        return "", "deleted"
    return text, "media" if files or not text else "text"
