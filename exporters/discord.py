"""DiscordChatExporter's JSON: one channel, thread or direct chat a file.

Source: `DiscordChatExporter.Core/Exporting/JsonMessageWriter.cs` of Tyrrrz/DiscordChatExporter.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from exporters.entry import Unreadable, as_object, needed, part, string
from exporters.sources import Reading, Source
from exporters.streaming import JSONReader, beginning, keep_whole
from likeness.messages import Kind, Message, Notice, Record, Rejected

_BY_PEOPLE = frozenset({"Default", "Reply", "0", "19"})
_BY_COMMANDS = frozenset({"20", "23"})
_SYSTEM_KIND = re.compile(r"[A-Za-z]{1,40}|\d{1,4}")
_DIRECT_GUILD = "0"


class _Discord:
    name = "DiscordChatExporter JSON"

    def recognises(self, source: Source) -> bool:
        found = beginning(source.head)
        parts = [found.get(key) for key in ("guild", "channel")] if isinstance(found, dict) else []
        return bool(parts) and all(isinstance(place, dict) and "id" in place for place in parts)

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        with source.open(reading.on_bytes) as file:
            yield from keep_whole(_records(JSONReader(file), reading), source.name)


DISCORD = _Discord()


@dataclass(frozen=True, slots=True)
class _Channel:
    id: str
    name: str


def _records(json: JSONReader, reading: Reading) -> Iterator[Record]:
    header: dict[str, Any] = {}
    if json.kind() != "object":
        return
    for key in json.members():
        if key in ("guild", "channel"):
            header[key] = json.value()
        elif key == "messages" and json.kind() == "array":
            channel, reading.flavour = _channel(header)
            for index in json.elements():
                try:
                    yield _record(json.value(), channel)
                except Unreadable as error:
                    yield Rejected(f"messages[{index}]", str(error))


def _channel(header: dict[str, Any]) -> tuple[_Channel, str]:
    """Return where the messages stand, and what to call such a place."""
    guild, channel = part(header, "guild"), part(header, "channel")
    type_, name = string(channel, "type"), string(channel, "name")
    if string(guild, "id") == _DIRECT_GUILD or type_.startswith("Direct"):
        flavour, names = "a direct chat", [name]
    elif "Thread" in type_:  # there the "category" is the channel above it
        flavour, names = "a thread", [string(guild, "name"), string(channel, "category"), name]
    else:
        flavour, names = "a server's channel", [string(guild, "name"), name]
    id_ = string(channel, "id")
    return _Channel(id_, " / ".join(filter(None, names)) or id_), flavour


def _record(entry: Any, channel: _Channel) -> Message | Notice:
    entry = as_object(entry)
    type_ = string(entry, "type")
    if type_ not in _BY_PEOPLE and type_ not in _BY_COMMANDS:
        if not _SYSTEM_KIND.fullmatch(type_):
            raise Unreadable("its type is none that the app writes")
        return Notice(f"system message {type_}")
    author = part(entry, "author")
    text, kind = _said(entry)
    if author.get("isBot") is True or type_ in _BY_COMMANDS:
        kind = "automated"
    return Message(
        platform="discord",
        chat_id=channel.id,
        chat=channel.name,
        id=needed(entry, "id"),
        speaker_id=needed(author, "id"),
        speaker=string(author, "nickname") or needed(author, "name"),
        outgoing=None,
        sent_at=_moment(entry),
        text=text,
        reply_to=_reply_to(entry, channel),
        kind=kind,
    )


def _said(entry: dict[str, Any]) -> tuple[str, Kind]:
    """Return the words of an entry, and whose or what they are."""
    forwarded = part(entry, "forwardedMessage")
    text = string(entry, "content")
    if forwarded:
        return text or string(forwarded, "content"), "forwarded"
    bare = text and not entry.get("attachments") and not entry.get("stickers")
    return text, "text" if bare else "media"


def _reply_to(entry: dict[str, Any], channel: _Channel) -> str | None:
    """Return the id of the answered message, unless that lies in another channel."""
    reference = part(entry, "reference")
    elsewhere = string(reference, "channelId") not in ("", channel.id)
    if elsewhere or entry.get("forwardedMessage"):
        return None
    return string(reference, "messageId") or None


def _moment(entry: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(string(entry, "timestamp"))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable("it has no date that can be read") from error
    raise Unreadable("its date names no offset from UTC")
