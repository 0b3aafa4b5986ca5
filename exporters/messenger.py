"""Messenger's and Instagram's JSON: a part of one chat a file, its newest message first.

Both come in two forms. The account's download writes `messages/inbox/THREAD/message_1.json`, in
snake case, its UTF-8 escaped as if it were Latin-1; the download of end-to-end encrypted chats
writes `NAME_7.json`, in camel case and in order. A file is read twice: what follows the messages
names the chat.

A chat's id is the last part of its `thread_path`, which stays when the chat is archived. There are
no ids of people, so a speaker is his name, and none of messages, so they are made.

Source: both forms as published samples hold them; Facebook's help pages for what is offered.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from exporters.entry import Unreadable, as_object, number, string
from exporters.ids import MadeIds
from exporters.messenger_sentences import Sentences, without_edit_mark
from exporters.sources import Reading, Source
from exporters.streaming import BrokenJSON, JSONReader, beginning, keep_whole
from likeness.errors import DamagedSource, SourceError
from likeness.messages import Kind, Message, Notice, Record, Rejected

_MEDIA = (
    "photos", "videos", "audio_files", "files", "gifs", "sticker", "media", "poll", "share",
)  # fmt: skip
_FILES = _MEDIA[:-1]
_NOTICES = {
    "Call": "call",
    "Subscribe": "people joined or left",
    "Unsubscribe": "people joined or left",
    "Payment": "payment",
}
"""What the account's download called its entries up to 2023, where people wrote nothing."""

_KEYS = ({"sender_name", "timestamp_ms"}, {"senderName", "timestamp"})
_GONE = "placeholder"
_SAME_SENTENCES, _MOST_SENTENCES = 3, 10_000
_LONGEST_SENTENCE = 100
_FOLDERS_AROUND = 6
_HTML = re.compile(rb"\s*(?:<!doctype html>\s*)?<html", re.IGNORECASE)
_HTML_MARK = b"uiBoxWhite"
_NUMBER_AT_END = re.compile(r"_\d+$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Messenger:
    name = "Messenger and Instagram JSON"

    def recognises(self, source: Source) -> bool:
        if _is_html(source):
            return True
        found = beginning(source.head)
        messages = found.get("messages") if isinstance(found, dict) else None
        people = found.get("participants") if isinstance(found, dict) else None
        if not isinstance(messages, list) or not isinstance(people, list):
            return False
        return any(isinstance(entry, dict) and _is_entry(entry) for entry in messages)

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        if _is_html(source):
            raise SourceError(
                f"{source.name} is of an HTML download, which Likeness does not read: "
                "ask for your messages again and choose JSON as the format."
            )
        chat = _survey(source)
        reading.flavour = f"{chat.platform}, {'encrypted chats' if chat.encrypted else 'account'}"
        chat.tell_owner(reading)
        with source.open(reading.on_bytes) as file:
            yield from keep_whole(_records(JSONReader(file), chat), source.name)
        if chat.repaired:
            reading.remarks.append(
                f"{chat.repaired} texts and names were UTF-8 written as Latin-1: repaired."
            )


MESSENGER = _Messenger()


@dataclass(slots=True)
class _Chat:
    """A chat whose entries are being read."""

    platform: str
    id: str
    name: str
    people: list[str]
    encrypted: bool
    sentences: Sentences
    ids: MadeIds = field(default_factory=MadeIds)
    repaired: int = 0

    def mended(self, text: str) -> str:
        """Return a text as it was written, and count it if that is a repair."""
        whole = _mended(text)
        self.repaired += whole != text
        return whole

    def tell_owner(self, reading: Reading) -> None:
        owner = _owner(self.name, self.people)
        if owner:
            why = "the chat is named after the other one of the two"
            reading.owner[self.id] = owner, why


def _owner(chat: str, people: list[str]) -> str:
    """Return whom of two people the chat is not named after, empty if that is nobody."""
    others = [person for person in people if person != chat]
    return others[0] if len(people) == 2 and len(others) == 1 else ""


def _is_entry(entry: dict[str, Any]) -> bool:
    return any(keys <= entry.keys() for keys in _KEYS)


def _is_html(source: Source) -> bool:
    return bool(_HTML.match(source.head)) and _HTML_MARK in source.head


def _survey(source: Source) -> _Chat:
    """Read the whole file for what tells of the chat, up to where it is damaged."""
    header: dict[str, Any] = {}
    sentences: Counter[str] = Counter()
    with source.open() as file, suppress(BrokenJSON, DamagedSource):
        json = JSONReader(file)
        if json.kind() == "object":
            for key in json.members():
                if key == "messages" and json.kind() == "array":
                    for _ in json.elements():
                        if len(sentences) < _MOST_SENTENCES:
                            sentences.update(_sentence(json.value()))
                elif key in ("participants", "title", "thread_path", "threadName"):
                    header[key] = json.value()
    people = [_mended(name) for name in _names(header.get("participants"))]
    title, thread = (_text_of(header, key) for key in ("title", "threadName"))
    name = _mended(title) or _NUMBER_AT_END.sub("", thread)
    often = frozenset(text for text, count in sentences.items() if count >= _SAME_SENTENCES)
    path = posixpath.basename(_mended(_text_of(header, "thread_path")).rstrip("/"))
    return _Chat(
        platform=_platform(source),
        id=path or thread or _folder(source) or name or source.name,
        name=name or ", ".join(people) or source.name,
        people=people,
        encrypted=bool(thread),
        sentences=Sentences(people, often, _owner(name, people)),
    )


def _sentence(entry: Any) -> list[str]:
    """Return what stands by an attachment, which in the app's words is always the same."""
    if not isinstance(entry, dict) or not any(map(entry.get, _MEDIA)):
        return []
    text = _text_of(entry, "content")
    return [_mended(text)] if len(text) <= _LONGEST_SENTENCE else []


def _names(people: Any) -> list[str]:
    """Return the names of those who take part: bare ones, or each in an object."""
    listed = people if isinstance(people, list) else []
    names = [person.get("name") if isinstance(person, dict) else person for person in listed]
    return [name for name in names if isinstance(name, str)]


def _text_of(header: dict[str, Any], key: str) -> str:
    value = header.get(key)
    return value if isinstance(value, str) else ""


def _platform(source: Source) -> str:
    """Tell the two apart by the folders around a file: what it holds is alike."""
    around = (*source.path.parts[-_FOLDERS_AROUND:], source.member or "")
    return "instagram" if "instagram" in "/".join(around).casefold() else "messenger"


def _folder(source: Source) -> str:
    """Return the folder of a part of a chat, which bears the thread's name."""
    is_part = source.place.name.startswith("message_")
    return source.place.parent.name if is_part else ""


def _mended(text: str) -> str:
    """Return a text whose UTF-8 was read as Latin-1 as it was, any other unchanged."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _records(json: JSONReader, chat: _Chat) -> Iterator[Record]:
    if json.kind() != "object":
        return
    for key in json.members():
        if key == "messages" and json.kind() == "array":
            for index, entry in json.values():
                try:
                    yield _record(as_object(entry), chat)
                except Unreadable as error:
                    yield Rejected(f"messages[{index}]", str(error))


def _record(entry: dict[str, Any], chat: _Chat) -> Message | Notice:
    type_ = string(entry, "type")
    if type_ in _NOTICES or entry.get("call_duration") is not None:
        return Notice(_NOTICES.get(type_, "call"))
    speaker = chat.mended(string(entry, "sender_name") or string(entry, "senderName"))
    speaker = speaker.strip() or "Deleted Account"
    said = _said(entry, speaker, chat)
    if isinstance(said, Notice):
        return said
    text, kind = said
    moment = number(entry, "timestamp" if "senderName" in entry else "timestamp_ms")
    return Message(
        platform=chat.platform,
        chat_id=chat.id,
        chat=chat.name,
        id=chat.ids.of(str(moment), speaker, text or kind),
        speaker_id=speaker,
        speaker=speaker,
        outgoing=None,
        sent_at=_moment(moment),
        text=text,
        kind=kind,
    )


def _said(entry: dict[str, Any], speaker: str, chat: _Chat) -> tuple[str, Kind] | Notice:
    """Return the words of an entry and what they are; the app's own are no one's."""
    if entry.get("is_unsent") or entry.get("isUnsent") or entry.get("type") == _GONE:
        return "", "deleted"
    text = chat.mended(string(entry, "content") or string(entry, "text"))
    if any(map(entry.get, _MEDIA)):
        text = "" if chat.sentences.by_attachment(text, speaker) else text
        return text, "media" if not text or any(map(entry.get, _FILES)) else "text"
    reason = chat.sentences.announced(text, speaker)
    if reason:
        return Notice(reason)
    return without_edit_mark(text), "text" if text else "media"


def _moment(milliseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError as error:
        raise Unreadable("it has no date that can be read") from error
