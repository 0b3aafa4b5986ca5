"""DiscordChatExporter's JSON: one channel, thread or direct chat a file.

Source: `DiscordChatExporter.Core/Exporting/JsonMessageWriter.cs` of Tyrrrz/DiscordChatExporter.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from exporters.blocks import Block, Sender
from exporters.discord_blocks import Blocks
from exporters.discord_markdown import Names, name_of, rendered
from exporters.discord_place import PLATFORM, Place, answered_in, named, place_of
from exporters.entry import Unreadable, as_object, name_or_number, needed, part, string
from exporters.sources import Reading, Source
from exporters.streaming import JSONReader, beginning, keep_whole
from likeness.messages import Kind, Message, Notice, Record, Rejected

_BY_PEOPLE = frozenset({"Default", "Reply", "0", "19"})
_BY_COMMANDS = frozenset({"20", "23"})
_SYSTEM_KIND = re.compile(r"[A-Za-z]{1,40}|\d{1,4}")
_DIRECT_GUILD = "0"
_KEYS = {"id", "type", "timestamp", "content", "author", "isPinned"}
"""What a message has, where a file was cut down to its messages."""
_MOST_EDITS = 10_000

_Edits = dict[str, tuple[datetime, Message]]

_Read = tuple[str, Sender, datetime, str, str | None, Kind]
"""What a message has of its own: id, sender, time, words, the id that it answers, kind."""


class _Discord:
    name = "DiscordChatExporter JSON"

    def recognises(self, source: Source) -> bool:
        found = beginning(source.head)
        if not isinstance(found, dict):
            return False
        places = [found.get("guild"), found.get("channel")]
        if all(isinstance(place, dict) and "id" in place for place in places):
            return True
        messages = found.get("messages")
        first = messages[0] if isinstance(messages, list) and messages else None
        return isinstance(first, dict) and first.keys() >= _KEYS

    def read(self, source: Source, reading: Reading) -> Iterator[Record | Block]:
        with source.open(reading.on_bytes) as file:
            yield from keep_whole(_records(JSONReader(file), reading, source), source.name)


DISCORD = _Discord()


def _records(json: JSONReader, reading: Reading, source: Source) -> Iterator[Record | Block]:
    header: dict[str, Any] = {}
    if json.kind() != "object":
        return
    for key in json.members():
        if key in ("guild", "channel"):
            header[key] = json.value()
        elif key == "messages" and json.kind() == "array":
            place, reading.flavour = _place(header, source)
            channel = _Channel(place, string(part(header, "channel"), "name"))
            guess = partial(reading.guess, place.id)
            blocks = Blocks(place, channel.names, guess, channel.record, channel.edits)
            if reading.blocks:
                yield from json.slices(blocks.typed, blocks.untyped)
            for index, entry in json.values(blocks.done):
                yield channel.record(entry, index)


def _place(header: dict[str, Any], source: Source) -> tuple[Place, str]:
    """Return where the messages stand, and what to call such a place."""
    if not header.get("channel"):
        return place_of(source, "", ""), "messages of a channel"
    guild, channel = part(header, "guild"), part(header, "channel")
    type_, name = string(channel, "type"), string(channel, "name")
    if name_or_number(guild, "id") == _DIRECT_GUILD or type_.startswith("Direct"):
        flavour, names = "a direct chat", [name]
    elif "Thread" in type_:  # there the "category" is the channel above it
        flavour, names = "a thread", [string(guild, "name"), string(channel, "category"), name]
    else:
        flavour, names = "a server's channel", [string(guild, "name"), name]
    id_ = name_or_number(channel, "id")
    return Place(id_, named(*names) or id_), flavour


class _Channel:
    """One channel on its way: what is the same for its messages, and what they told so far.

    Attributes:
        names: The names that they told.
        edits: The messages known to have been edited, by id; the older ones apart.
    """

    def __init__(self, place: Place, name: str) -> None:
        self._place = place
        self.names = Names(channels={place.id: name})
        self.edits: tuple[_Edits, _Edits] = {}, {}

    def record(self, entry: Any, index: int) -> Record:
        """Return what an entry at a place in the file is."""
        read = self._read(entry, index)
        return self._latest(self._message(read), entry) if isinstance(read, tuple) else read

    def _message(self, read: _Read) -> Message:
        id_, (speaker_id, speaker), sent_at, text, reply_to, kind = read
        return Message(
            platform=PLATFORM,
            chat_id=self._place.id,
            chat=self._place.name,
            id=id_,
            speaker_id=speaker_id,
            speaker=speaker,
            outgoing=None,
            sent_at=sent_at,
            text=text,
            reply_to=reply_to,
            kind=kind,
        )

    def _read(self, entry: Any, index: int) -> _Read | Notice | Rejected:
        try:
            return self._told(as_object(entry))
        except Unreadable as error:
            return Rejected(f"messages[{index}]", str(error))

    def _told(self, entry: dict[str, Any]) -> _Read | Notice:
        """Return what an entry tells of a message, or the notice that it is.

        Raises:
            Unreadable: It is not what the app writes.
        """
        type_ = name_or_number(entry, "type")
        if type_ not in _BY_PEOPLE and type_ not in _BY_COMMANDS:
            if not _SYSTEM_KIND.fullmatch(type_):
                raise Unreadable("its type is none that the app writes")
            return Notice(f"system message {type_}")
        author = part(entry, "author")
        self._learn(entry, author)
        sent_at = _moment(entry, "timestamp")
        text, kind = self._said(entry, sent_at)
        if author.get("isBot") is True or type_ in _BY_COMMANDS:
            kind = "automated"
        sender = _id(author), name_of(author) or needed(author, "name")
        moment = sent_at.astimezone(UTC)
        return _id(entry), sender, moment, text, self._reply_to(entry), kind

    def _learn(self, entry: dict[str, Any], author: dict[str, Any]) -> None:
        """Remember the names that an entry tells, for those who are mentioned later."""
        mentions = entry.get("mentions")
        self.names.learn(author, *(mentions if isinstance(mentions, list) else []))
        self.names.learn_roles(author)

    def _said(self, entry: dict[str, Any], sent_at: datetime) -> tuple[str, Kind]:
        """Return the words of an entry, and whose or what they are."""
        forwarded = part(entry, "forwardedMessage")
        content = string(entry, "content")
        if forwarded:
            content = content or string(forwarded, "content")
        text = rendered(content, self.names, sent_at.tzinfo)
        if forwarded:
            return text, "forwarded"
        bare = text and not entry.get("attachments") and not entry.get("stickers")
        return text, "text" if bare else "media"

    def _reply_to(self, entry: dict[str, Any]) -> str | None:
        """Return the id of the answered message, unless that lies in another channel."""
        answered = answered_in(entry, self._place.id)
        return None if entry.get("forwardedMessage") else answered

    def _latest(self, message: Message, entry: dict[str, Any]) -> Message:
        """Return the latest version of a message so far: this one, or one that stood before it.

        Of versions in different files the last one given stays, as with any format.
        """
        edited = None
        with suppress(Unreadable):
            edited = _moment(entry, "timestampEdited")
        edits, older = self.edits
        known = edits.get(message.id) or older.get(message.id)
        if known is not None and (edited is None or edited < known[0]):
            return known[1]
        if edited is not None:
            if len(edits) >= _MOST_EDITS:
                older.clear()
                older.update(edits)
                edits.clear()
            edits[message.id] = edited, message
        return message


def _id(told: dict[str, Any]) -> str:
    return name_or_number(told, "id") or needed(told, "id")


def _moment(entry: dict[str, Any], key: str) -> datetime:
    """Return a time in the zone of the export."""
    try:
        moment = datetime.fromisoformat(string(entry, key))
        if moment.tzinfo is not None:
            moment.astimezone(UTC)
            return moment
    except (ValueError, OverflowError) as error:
        raise Unreadable("it has no date that can be read") from error
    raise Unreadable("its date names no offset from UTC")
