"""The HTML that imessage-exporter writes of the Messages app: one chat a file, named after it.

A message is a `div.message`; answers stand once more inside what they answer, and are read where
they stand by themselves. Times are the computer's. Ids are made as for its text, so that the two
are one chat.

Source: `imessage-exporter/src/exporters/html.rs` and `resources/example.html` of ReagentX/
imessage-exporter.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from exporters.clock import LocalClock
from exporters.ids import MadeIds
from exporters.markup import Element, element
from exporters.sources import Reading, Source
from exporters.streaming import BrokenJSON, keep_whole
from likeness.messages import Kind, Message, Notice, Record, Rejected

_DIV = re.compile(rb"<(/?)div\b[^<>]{0,300}>")
_MESSAGE = re.compile(rb'<div class ?="(?:message|announcement)">')
_STAMPED = b'<span class="timestamp">'
_TIME = re.compile(r"([A-Z][a-z]{2} \d\d, \d{4}) {1,2}(\d{1,2}:\d\d:\d\d [AP]M)", re.ASCII)
_TIME_FORM = "%b %d, %Y %I:%M:%S %p"
_BLOCK_BYTES = 65_536
_LONGEST = 16 * _BLOCK_BYTES
_ME = "Me"


class _IMessageHTML:
    name = "imessage-exporter HTML"

    def recognises(self, source: Source) -> bool:
        found = _MESSAGE.search(source.head)
        return found is not None and _STAMPED in source.head[found.start() :]

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        reading.flavour = "a page of one chat"
        reading.local_times = True
        yield from keep_whole(_records(source, reading), source.name)


IMESSAGE_HTML = _IMessageHTML()


def _records(source: Source, reading: Reading) -> Iterator[Record]:
    chat = _Chat(source.place.stem, LocalClock(reading.local_zone), MadeIds())
    with source.open(reading.on_bytes) as file:
        for number, piece in enumerate(_pieces(file), 1):
            top = element(piece.decode("utf-8", errors="replace"))
            inner = None if top is None else next(top.children(), None)
            if top is not None and "announcement" in top.classes:
                yield Notice("group or chat event")
            elif inner is None or (message := _message(inner, chat)) is None:
                yield Rejected(f"message {number}", "it has no date or sender that can be read")
            else:
                yield message


@dataclass(frozen=True, slots=True)
class _Chat:
    """One chat: its name, and what its messages get their moments and ids from."""

    name: str
    clock: LocalClock
    ids: MadeIds


def _message(inner: Element, chat: _Chat) -> Message | None:
    found, speaker = _TIME.match(_words(inner, "timestamp")), _words(inner, "sender")
    if found is None or not speaker:
        return None
    try:
        local = datetime.strptime(" ".join(found.groups()), _TIME_FORM)  # noqa: DTZ007
        sent_at = chat.clock.utc(local)
    except (ValueError, OverflowError):
        return None
    text, kind = _said(inner)
    return Message(
        platform="imessage",
        chat_id=chat.name,
        chat=chat.name,
        id=chat.ids.of(f"{local:%Y-%m-%dT%H:%M:%S}", speaker, text or kind),
        speaker_id=speaker,
        speaker=speaker,
        outgoing="sent" in inner.classes or speaker == _ME,
        sent_at=sent_at,
        text=text,
        kind=kind,
    )


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield each message or announcement that stands in no other.

    Raises:
        BrokenJSON: The last one breaks off.
    """
    held, depth, looked = b"", 0, 0
    while block := file.read(_BLOCK_BYTES):
        held += block
        while tag := _DIV.search(held, looked):
            if depth == 0:
                held, looked = held[tag.start() :], tag.end() - tag.start()
                depth = int(_MESSAGE.match(held) is not None)
                continue
            depth += -1 if tag[1] else 1
            looked = tag.end()
            if depth == 0:
                yield held[:looked]
                held, looked = held[looked:], 0
        if depth == 0:
            held, looked = held[-300:], 0
        elif len(held) > _LONGEST:
            break
    if depth:
        raise BrokenJSON


def _words(inner: Element, name: str) -> str:
    found = inner.find(name)
    return found.words() if found else ""


def _said(inner: Element) -> tuple[str, Kind]:
    """Return the words of all parts of a message; a part without a bubble is a file."""
    words: list[str] = []
    files = False
    for part in inner.children("message_part"):
        bubble, edited = part.find("bubble"), part.find("edited")
        if edited is not None:
            words.append(_newest(edited))
        elif bubble is not None:
            words.append(bubble.words())
        else:
            files = True
    text = "\n".join(filter(None, words))
    if not text and inner.find("tombstone"):
        return "", "deleted"
    return text, "media" if files or not text else "text"


def _newest(edited: Element) -> str:
    """Return the last version of an edited part: what follows the last time in it."""
    stamps = [part.words() for part in edited.all() if "timestamp" in part.classes]
    words = edited.words()
    return words.rpartition(stamps[-1])[2].strip() if stamps else words
