"""Instagram's `messages.json` as its download wrote it up to 2020: all chats in one list.

People are their user names, which serve as ids; messages have none, so they are made. The newest
message of a chat stands first.

Source: published readers of that form: `participants`, `conversation`, and in its entries `sender`,
`created_at`, `text`, `heart`, `likes`, and a key for whatever hangs on them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from exporters.entry import Unreadable, as_object, needed, string
from exporters.ids import MadeIds, digest
from exporters.owner import BY_ACCOUNT
from exporters.sources import Reading, Source
from exporters.streaming import BrokenJSON, JSONReader, beginning, keep_whole
from likeness.errors import DamagedSource
from likeness.messages import Kind, Message, Notice, Record, Rejected

_KEYS = {"participants", "conversation"}
_FILES = ("media", "media_url", "voice_media", "animated_media_images")
_EVENTS = {"video_call_action": "call", "action": "made by the app"}


class _InstagramArchive:
    name = "Instagram messages up to 2020"

    def recognises(self, source: Source) -> bool:
        found = beginning(source.head)
        chat = found[0] if isinstance(found, list) and found else None
        return isinstance(chat, dict) and chat.keys() >= _KEYS

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        reading.flavour = "all chats of an account"
        yield from keep_whole(_records(source, reading, _owner(source)), source.name)


INSTAGRAM_ARCHIVE = _InstagramArchive()


def _owner(source: Source) -> str:
    """Return whose download it is, empty if the profile is not beside it."""
    try:
        profile = source.near("profile.json")
    except DamagedSource:
        return ""
    found = beginning(profile.head) if profile else None
    name = found.get("username") if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""


def _records(source: Source, reading: Reading, owner: str) -> Iterator[Record]:
    with source.open(reading.on_bytes) as file:
        json = JSONReader(file)
        if json.kind() != "array":
            raise BrokenJSON
        for index in json.elements():
            if json.kind() != "object":
                yield Rejected(f"[{index}]", "it is not an object")
                continue
            yield from _chat(json, f"[{index}]", reading, owner)


def _chat(json: JSONReader, where: str, reading: Reading, owner: str) -> Iterator[Record]:
    """Yield the entries of one chat; they wait in memory only if its people come after them."""
    chat: _Chat | None = None
    waiting: list[Any] = []
    for key in json.members():
        if key == "participants":
            chat = _Chat(json.value())
            if owner in chat.people:
                reading.owner[chat.id] = owner, BY_ACCOUNT
        elif key == "conversation" and json.kind() == "array":
            if chat is None:
                waiting = json.value()
                continue
            for index, entry in json.values():
                yield _record(entry, chat, f"{where}.conversation[{index}]")
    for index, entry in enumerate(waiting):
        yield _record(entry, chat or _Chat(None), f"{where}.conversation[{index}]")


class _Chat:
    """One chat: who takes part, and the id that is made of that."""

    def __init__(self, people: Any) -> None:
        listed = people if isinstance(people, list) else []
        self.people = [name for name in listed if isinstance(name, str)]
        self.id = digest(*sorted(set(self.people))).hex()
        self.name = ", ".join(self.people) or "Instagram"
        self.ids = MadeIds()


def _record(entry: Any, chat: _Chat, where: str) -> Record:
    try:
        return _message(as_object(entry), chat)
    except Unreadable as error:
        return Rejected(where, str(error))


def _message(entry: dict[str, Any], chat: _Chat) -> Message | Notice:
    text = string(entry, "text") or string(entry, "heart")
    for key, reason in _EVENTS.items():
        if entry.get(key) and not text:
            return Notice(reason)
    speaker, written = needed(entry, "sender"), needed(entry, "created_at")
    kind: Kind = "text" if text and not any(map(entry.get, _FILES)) else "media"
    return Message(
        platform="instagram",
        chat_id=chat.id,
        chat=chat.name,
        id=chat.ids.of(written, speaker, text or kind),
        speaker_id=speaker,
        speaker=speaker,
        outgoing=None,
        sent_at=_moment(written),
        text=text,
        kind=kind,
    )


def _moment(written: str) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable("it has no date that can be read") from error
