"""What signal-export writes of Signal: `data.json`, `chat.md`, or the older bracketed text.

One folder a chat, named after it, holds both files; `chat.md` is left alone where `data.json`
tells the same better. The owner is called "Me". Times are the exporting computer's.

Source: `sigexport/create.py` and `models.py` of carderne/signal-export, and its README for the
heads of older versions.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from exporters.clock import LocalClock
from exporters.entry import Unreadable, as_object, needed, part, string
from exporters.ids import MadeIds
from exporters.names import composed
from exporters.signal_text import Head, Said, entries, head_of, said
from exporters.sources import Reading, Source
from exporters.streaming import beginning, keep_whole
from likeness.errors import DamagedSource
from likeness.messages import Kind, Message, Notice, Record, Rejected

_ME = "Me"
_NOBODY = "No-Sender"
_MARKDOWN, _JSON = "chat.md", "data.json"
_KEYS = frozenset({"date", "sender", "body", "reactions", "attachments"})
_LOG_LEVELS = frozenset({
    "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL",
})  # fmt: skip


class _Signal:
    name = "signal-export's data.json, chat.md or text"

    def recognises(self, source: Source) -> bool:
        return _is_json(source) or (_is_text(source) and not _told_better(source))

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        in_json = _is_json(source)
        marked = in_json or source.place.name == _MARKDOWN
        chat = _Chat(_chat_name(source), LocalClock(reading.local_zone), marked)
        reading.flavour = _JSON if in_json else "text"
        reading.local_times = True
        records = (
            _from_json(source, reading, chat) if in_json else _from_text(source, reading, chat)
        )
        yield from keep_whole(records, source.name)
        if chat.me_spoke and not marked:
            reading.owner[chat.name] = _ME, 'Signal\'s tool calls the owner "Me"'


SIGNAL = _Signal()


@dataclass(slots=True)
class _Chat:
    """A chat whose entries are being read; `marked` if every one tells whether I wrote it."""

    name: str
    clock: LocalClock
    marked: bool
    ids: MadeIds = field(default_factory=MadeIds)
    me_spoke: bool = False

    def message(self, local: datetime, speaker: str, text: str, kind: Kind) -> Message:
        """Return what was said at a local time, which is the exporting computer's."""
        try:
            sent_at = self.clock.utc(local)
        except (OverflowError, ValueError) as error:
            raise Unreadable("it has no date that can be read") from error
        self.me_spoke |= speaker == _ME
        return Message(
            platform="signal",
            chat_id=self.name,
            chat=self.name,
            id=self.ids.of(f"{local:%Y-%m-%dT%H:%M}", speaker, text or kind),
            speaker_id=speaker,
            speaker=speaker,
            outgoing=speaker == _ME if self.marked else None,
            sent_at=sent_at,
            text=text,
            kind=kind,
        )


def _is_json(source: Source) -> bool:
    first = beginning(source.head)
    return isinstance(first, dict) and first.keys() >= _KEYS and isinstance(first["sender"], str)


def _is_text(source: Source) -> bool:
    """Tell by the heads: without seconds behind a comma, or with someone called "Me"."""
    if b"\0" in source.head:
        return False
    lines = source.head.decode("utf-8-sig", errors="replace").splitlines()
    first = next(filter(str.strip, lines), "")
    if head_of(first) is None:
        return False
    heads = [head for line in lines if (head := head_of(line)) is not None]
    if {head.speaker for head in heads} <= _LOG_LEVELS:
        return False
    if any(head.speaker == _ME for head in heads) or source.place.name == _MARKDOWN:
        return True
    return heads[0].comma and not heads[0].seconds


def _told_better(source: Source) -> bool:
    beside = source.near(_JSON) if source.place.name == _MARKDOWN else None
    return beside is not None and _is_json(beside)


def _chat_name(source: Source) -> str:
    """Return the chat's name: of its folder, or, where one file is all, of the file."""
    if source.place.name in (_MARKDOWN, _JSON):
        return source.place.parent.name or composed(source.path.stem)
    return source.place.stem


def _from_json(source: Source, reading: Reading, chat: _Chat) -> Iterator[Record]:
    with source.open(reading.on_bytes) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield _record(as_object(json.loads(line)), chat)
            except Unreadable as error:
                yield Rejected(f"line {number}", str(error))
            except (ValueError, RecursionError):
                yield Rejected(f"line {number}", "it is not JSON")


def _record(entry: dict[str, Any], chat: _Chat) -> Message | Notice:
    speaker, body = needed(entry, "sender"), string(entry, "body")
    sticker = entry.get("sticker")
    picture = string(part(entry, "sticker"), "emoji") if isinstance(sticker, dict) else sticker
    local = _moment(string(entry, "date"))
    if entry.get("deleted"):
        return chat.message(local, speaker, "", "deleted")
    told = said(body)
    if entry.get("call", told.call):
        return Notice("call")
    text = "\n".join(filter(None, (told.text, picture if isinstance(picture, str) else "")))
    media = bool(sticker or entry.get("attachments"))
    return _said_by(Said(text, media=media), local, speaker, chat)


def _moment(date: str) -> datetime:
    try:
        return datetime.fromisoformat(date).replace(tzinfo=None)
    except ValueError as error:
        raise Unreadable("it has no date that can be read") from error


def _from_text(source: Source, reading: Reading, chat: _Chat) -> Iterator[Record]:
    count = 0
    with source.open(reading.on_bytes) as file:
        for where, head, lines in entries(file):
            count += 1
            try:
                yield _entry(head, lines, chat)
            except Unreadable as error:
                yield Rejected(where, str(error))
    if not count:
        raise DamagedSource("no line begins a message")


def _entry(head: Head, lines: list[str], chat: _Chat) -> Message | Notice:
    told = said("\n".join(lines))
    if told.call:
        return Notice("call")
    if told.deleted:
        return chat.message(head.local(), head.speaker, "", "deleted")
    return _said_by(told, head.local(), head.speaker, chat)


def _said_by(told: Said, local: datetime, speaker: str, chat: _Chat) -> Message | Notice:
    if speaker == _NOBODY or (not told.text and not told.media):
        return Notice("event without words")
    return chat.message(local, speaker, told.text, "media" if told.media else "text")
