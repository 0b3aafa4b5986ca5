"""What sigtop writes of Signal Desktop: a text or a JSON a chat, named after it.

A text names everybody and the owner "You", and tells the zone of each time. JSON is what Signal
Desktop keeps itself: it knows people by number or id alone. "Name (number or id)" is how sigtop
calls a chat, and in a text a person.

Source: `fmt_text.go`, `fmt_json.go` and `signal/recipient.go` of tbvdm/sigtop.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from exporters.entry import Unreadable, as_object, number, part, string
from exporters.ids import MadeIds
from exporters.lines import Lines, first_lines
from exporters.sigtop_text import TextEntry, text_entries
from exporters.sources import Reading, Source
from exporters.streaming import BrokenJSON, JSONReader, beginning, keep_whole
from likeness.messages import Message, Notice, Record, Rejected

_TITLE = "Conversation: "
_KEYS = frozenset({"id", "type", "conversationId", "sent_at"})
_ME = "Me"
_SAID = ("incoming", "outgoing")
_KIND = re.compile(r"[a-z0-9-]{1,40}")
_DETAIL = re.compile(r"(?P<name>.+) \((?P<detail>[^()]+)\)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Sigtop:
    name = "sigtop's text or JSON"

    def recognises(self, source: Source) -> bool:
        lines = first_lines(source)
        if lines and lines[0].startswith(_TITLE):
            return any(line.startswith("Type: ") for line in lines[1:5])
        found = beginning(source.head)
        first = found[0] if isinstance(found, list) and found else None
        return isinstance(first, dict) and first.keys() >= _KEYS

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        in_text = not isinstance(beginning(source.head), list)
        reading.flavour = "text" if in_text else "JSON"
        records = _from_text(source, reading) if in_text else _from_json(source, reading)
        yield from keep_whole(records, source.name)


SIGTOP = _Sigtop()


class _Chat:
    """One chat: its id and name, and the ids made for its messages."""

    def __init__(self, told: str) -> None:
        self.id = told
        self.name, self.detail = _parted(told)
        self.ids = MadeIds()

    def message(
        self, id_: str, speaker: tuple[str, str], moment: datetime, text: str, media: bool
    ) -> Message:
        speaker_id, name = speaker
        return Message(
            platform="signal",
            chat_id=self.id,
            chat=self.name,
            id=id_,
            speaker_id=speaker_id,
            speaker=name,
            outgoing=speaker_id == _ME,
            sent_at=moment,
            text=text,
            kind="text" if text and not media else "media",
        )


def _parted(told: str) -> tuple[str, str]:
    found = _DETAIL.fullmatch(told)
    return (found["name"], found["detail"]) if found else (told, "")


def _notice(type_: str) -> Notice:
    return Notice(f"event {type_}" if _KIND.fullmatch(type_) else "event")


def _from_text(source: Source, reading: Reading) -> Iterator[Record]:
    lines = Lines(source, reading.on_bytes)
    rows = iter(lines)
    chat = _Chat(next(rows, "").removeprefix(_TITLE).strip())
    for entry in text_entries(rows):
        try:
            yield _of_text(entry, chat)
        except Unreadable as error:
            yield Rejected(f"line {entry.line}", str(error))
    if lines.damaged:
        raise BrokenJSON


def _of_text(entry: TextEntry, chat: _Chat) -> Message | Notice:
    type_ = entry.told("Type")
    if type_ not in _SAID:
        return _notice(type_)
    sent = entry.told("Sent") or entry.told("Received")
    try:
        moment = parsedate_to_datetime(sent).astimezone(UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise Unreadable("it has no date that can be read") from error
    who = entry.told("From")
    if type_ == "outgoing":
        speaker = _ME, _ME
    elif who:
        speaker = who, _parted(who)[0]
    else:
        raise Unreadable("it does not say who sent it")
    media = bool(entry.told("Attachment"))
    id_ = chat.ids.of(moment.isoformat(), speaker[0], entry.text)
    return chat.message(id_, speaker, moment, entry.text, media)


def _from_json(source: Source, reading: Reading) -> Iterator[Record]:
    chat = _Chat(source.place.stem)
    with source.open(reading.on_bytes) as file:
        json = JSONReader(file)
        if json.kind() != "array":
            raise BrokenJSON
        for index in json.elements():
            try:
                yield _of_json(as_object(json.value()), chat)
            except Unreadable as error:
                yield Rejected(f"[{index}]", str(error))


def _of_json(entry: dict[str, Any], chat: _Chat) -> Message | Notice:
    type_ = string(entry, "type")
    if type_ not in _SAID:
        return _notice(type_)
    milliseconds = number(entry, "sent_at")
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError as error:
        raise Unreadable("it has no date that can be read") from error
    if type_ == "outgoing":
        speaker = _ME, _ME
    else:
        keys = ("source", "sourceServiceId", "sourceUuid")
        known = [id_ for id_ in (string(entry, key) for key in keys) if id_]
        if not known:
            raise Unreadable("it does not say who sent it")
        speaker = known[0], chat.name if chat.detail in known else known[0]
    text = string(entry, "body") or string(part(entry, "sticker"), "emoji")
    media = bool(entry.get("attachments") or entry.get("sticker"))
    return chat.message(string(entry, "id") or str(milliseconds), speaker, moment, text, media)
