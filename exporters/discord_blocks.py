"""Discord's entries by the slice: what nearly all of them are, decoded with typed structs.

An entry that is not one of those few shapes goes the way of all others, one by one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from json.encoder import encode_basestring as _quoted
from typing import Any

import msgspec
from msgspec import Raw, Struct

from exporters.blocks import Block, Guess, Sender
from exporters.discord_markdown import Names, name_of, rendered
from exporters.discord_place import PLATFORM, Place, answered_in
from exporters.discord_times import Times
from exporters.entry import Unreadable, needed
from likeness.messages import Record, place_part, speaker_part

_BY_PEOPLE = frozenset({"Default", "Reply"})
_MOST_KNOWN = 10_000
_NOTHING = b'""'
_QUOTE, _BACKSLASH, _MARK = b'"\\<'  # as numbers: one byte is found several times as fast so
_TEXT, _MEDIA = (f', "kind": "{kind}"}}\n'.encode() for kind in ("text", "media"))
_NO_REPLY = b', "reply_to": null'
_TEXT_ALONE, _MEDIA_ALONE = _NO_REPLY + _TEXT, _NO_REPLY + _MEDIA
_ABSENT: Any = None


class Entry(Struct, kw_only=True, gc=False):
    """An entry as the app writes it, in its order of keys; whatever else it holds is left out."""

    id: str
    type: str
    timestamp: str
    timestampEdited: str | None = None  # noqa: N815
    content: Raw
    author: Raw
    attachments: list[Raw] | None = None
    stickers: list[Raw] | None = None
    mentions: list[Raw] | None = None
    reference: Raw = _ABSENT
    forwardedMessage: Raw = _ABSENT  # noqa: N815


@dataclass(frozen=True, slots=True)
class _Author:
    """Somebody as an entry tells of them.

    Attributes:
        sender: Their id and name.
        part: What the lines tell of them.
        told: The entry's words for them, from which to learn names.
    """

    sender: Sender
    part: bytes
    told: dict[str, Any]


_typed = msgspec.json.Decoder(list[Entry]).decode
_untyped = msgspec.json.Decoder(list[Any], float_hook=Decimal).decode
_string = msgspec.json.Decoder(str).decode
_any: Callable[[bytes | Raw], Any] = msgspec.json.Decoder(float_hook=Decimal).decode


class Blocks:
    """Makes blocks of one channel's entries, slice by slice.

    Attributes:
        done: How many entries they came to so far.
    """

    def __init__(
        self,
        place: Place,
        names: Names,
        guess: Guess,
        record: Callable[[Any, int], Record],
        edits: tuple[Mapping[str, object], Mapping[str, object]],
    ) -> None:
        """Begin with a channel.

        Args:
            place: Where its messages stand.
            names: What has been told so far.
            guess: Who is me.
            record: Reads one entry at its place in the file.
            edits: Which messages, by id, are known to have been edited.
        """
        self.done = 0
        self._place = place
        self._names = names
        self._guess = guess
        self._record = record
        self._edits, self._older_edits = edits
        self._start = f'{place_part(PLATFORM, place.id, place.name)}"'.encode()
        self._authors: dict[bytes, _Author] = {}
        self._learned: _Author | None = None
        self._times = Times()

    def typed(self, data: bytes) -> Block:
        """Return what entries as the app writes them come to; ValueError if they are not."""
        entries = _typed(data)
        str(data, "utf-8")  # what was left out may not be, and the parser would stop there
        block = self._block()
        self._read(entries, block)
        return self._finished(block, len(entries))

    def untyped(self, data: bytes) -> Block:
        """Return what any entries come to; ValueError if they are not JSON."""
        entries = _untyped(data)
        block = self._block()
        self._learned = None
        for index, entry in enumerate(entries, self.done):
            block.add(self._record(entry, index), self._guess)
        return self._finished(block, len(entries))

    def _block(self) -> Block:
        return Block(PLATFORM, self._place.id, self._place.name)

    def _finished(self, block: Block, entries: int) -> Block:
        self.done += entries
        return block.closed(self._guess)

    def _read(self, entries: list[Entry], block: Block) -> None:
        """Read entries of the usual shapes here, others as if they stood alone.

        A line is put together as `likeness.messages.line_of` does, without a call for each part.
        """
        start, edits, older, authors = self._start, self._edits, self._older_edits, self._authors
        zones, clock, hour_of = self._times.zones, self._times.clock, self._times.hour
        parts, add_id, add_moment = block.parts, block.ids.append, block.moments.append
        add_sender = block.senders.append
        for index, entry in enumerate(entries, self.done):
            id_, stamp, told = entry.id, entry.timestamp, bytes(entry.author)
            author = authors.get(told) or self._meet(told)
            text = bytes(entry.content)
            zone = zones.get(stamp[19:]) or self._times.zone(stamp[19:])
            passed = clock.get(stamp[13:19])
            hour = zone and (zone.hours.get(stamp[:13]) or hour_of(zone, stamp[:13]))
            end: bytes | None = _TEXT_ALONE
            if (
                author is None
                or not hour
                or not zone
                or not passed
                or entry.timestampEdited
                or entry.forwardedMessage
                or entry.type not in _BY_PEOPLE
                or text[0] != _QUOTE
                or id_ in edits
                or id_ in older
                or not id_.isalnum()
            ):
                end = None
            else:
                if author is not self._learned:
                    self._learn(author)
                if entry.mentions or entry.reference:
                    end = self._end(entry, text)
                elif entry.attachments or entry.stickers or text == _NOTHING:
                    end = _MEDIA_ALONE
            if end is None or not hour or not zone or not passed or author is None:
                self._learned = None
                block.add(self._record(_plain(entry), index), self._guess)
                continue
            if _BACKSLASH in text or _MARK in text:
                text = self._rendered(text, stamp)
            micros = hour[0] + passed[0] + zone.micros
            told = id_.encode()
            add_id(told)
            add_moment(micros / 1_000_000)
            add_sender(author.sender)
            parts += start, told, author.part, hour[1], passed[1], zone.part, text, end

    def _meet(self, told: bytes) -> _Author | None:
        """Make the part of the lines that tells of an author; None if not of a person."""
        author = _any(told)
        if not isinstance(author, dict) or author.get("isBot") is True:
            return None
        try:
            sender = needed(author, "id"), name_of(author) or needed(author, "name")
            Names().learn_roles(author)
        except Unreadable:
            return None
        if len(self._authors) >= _MOST_KNOWN:
            self._authors.clear()
        begun = speaker_part(*sender, self._guess(*sender))
        self._authors[told] = _Author(sender, f'"{begun}'.encode(), author)
        return self._authors[told]

    def _learn(self, author: _Author) -> None:
        self._names.learn(author.told)
        self._names.learn_roles(author.told)
        self._learned = author

    def _end(self, entry: Entry, text: bytes) -> bytes | None:
        """Return how the line of a message ends that mentions or answers, None if unreadable."""
        bare = text != _NOTHING and not entry.attachments and not entry.stickers
        try:
            if entry.mentions:
                self._learned = None
                self._names.learn(*map(_any, entry.mentions))
            reference = _any(entry.reference) if entry.reference else None
            answered = answered_in({"reference": reference}, self._place.id)
        except Unreadable:
            return None
        reply = "null" if answered is None else _quoted(answered)
        return f', "reply_to": {reply}'.encode() + (_TEXT if bare else _MEDIA)

    def _rendered(self, text: bytes, stamp: str) -> bytes:
        """Return a text as people saw it, as lines hold it."""
        words = _string(text)
        if "<" in words:
            words = rendered(words, self._names, datetime.fromisoformat(stamp).tzinfo)
        return _quoted(words).encode()


def _plain(entry: Entry) -> dict[str, Any]:
    """Return an entry as if it had been read without types."""
    return {
        name: _whole(value)
        for name, value in zip(_NAMES, msgspec.structs.astuple(entry), strict=True)
        if value is not None
    }


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_any(part) for part in value]
    return _any(value) if isinstance(value, Raw) else value


_NAMES = tuple(field.encode_name for field in msgspec.structs.fields(Entry))
