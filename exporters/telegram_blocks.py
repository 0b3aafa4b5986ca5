"""Telegram's entries by the slice: what nearly all of them are, decoded with typed structs.

An entry that is not one of those few shapes goes the way of all others, one by one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from json.encoder import encode_basestring as _quoted
from typing import Any

from exporters.blocks import Block, Sender
from exporters.entry import Unreadable
from exporters.repair import Repairs
from exporters.spool import mended
from exporters.streaming import JSONReader
from exporters.telegram_chats import Chat
from exporters.telegram_entry import read_entry
from exporters.telegram_typed import (
    BACKSLASH,
    NO_MOMENT,
    NOTHING,
    QUOTE,
    TEXT_ALONE,
    Entry,
    decode,
    decode_any,
    end_of,
    moments_of,
    plain,
    requoted,
)
from likeness.messages import Message, Rejected, place_part, speaker_part

_TYPES = frozenset({"personal_chat", "private_group", "private_supergroup", "public_supergroup"})
_FORUM = "topic_created"
_MOST_HOURS = 10_000
_CLOCK = [f'{second // 60:02}:{second % 60:02}+00:00", "text": '.encode() for second in range(3600)]

Guess = Callable[[str], bool | None]
"""Whether a speaker id is the owner's, as far as it can be told before all is read."""


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Somebody who was met.

    Attributes:
        sender: Their id and name.
        name: Their name.
        part: What the lines tell of them.
    """

    sender: Sender
    name: str
    part: bytes


def read_blocks(
    json: JSONReader, place: str, chat: Chat, guess: Guess, repairs: Repairs
) -> Iterator[Block]:
    """Yield the entries of the list of messages that comes next, as far as they come in slices.

    Args:
        json: Where they stand.
        place: What to call their list.
        chat: Where they were sent; a forum's entries are left to be read one by one.
        guess: Who is me.
        repairs: Where to count what must be made legal.
    """
    if chat.type in _TYPES:
        blocks = _Blocks(place, chat, guess, repairs)
        yield from json.slices(blocks.typed, blocks.untyped)


class _Blocks:
    def __init__(self, place: str, chat: Chat, guess: Guess, repairs: Repairs) -> None:
        self._place = place
        self._chat = chat
        self._guess = guess
        self._repairs = repairs
        start = place_part("telegram", chat.id, chat.name)
        self._start = f'{start}"'.encode()
        self._speakers: dict[str | None, _Speaker] = {}
        self._hours: dict[int, bytes] = {}
        self._index = 0

    def typed(self, data: bytes) -> Block:
        """Return what entries as the app writes them come to; ValueError if they are not."""
        entries = decode(data)
        str(data, "utf-8")  # what was left out may not be, and the parser would stop there
        block = self._block()
        self._read(entries, block)
        return self._finished(block, len(entries))

    def untyped(self, data: bytes) -> Block:
        """Return what any entries come to; ValueError if they are not JSON, or a forum's."""
        repairs = Repairs()
        try:
            entries = decode_any(data)
        except ValueError:
            entries = decode_any(repairs.mended(data))
        actions = (entry.get("action") for entry in entries if isinstance(entry, dict))
        if _FORUM in actions:
            raise ValueError
        self._repairs.add(repairs)
        block = self._block()
        for index, entry in enumerate(entries, self._index):
            self._read_one(entry, index, block)
        return self._finished(block, len(entries))

    def _block(self) -> Block:
        return Block("telegram", self._chat.id, self._chat.name)

    def _finished(self, block: Block, entries: int) -> Block:
        self._index += entries
        return block.closed(lambda id_, _: self._guess(id_))

    def _read(self, entries: list[Entry], block: Block) -> None:
        """Read entries of the usual shapes here, others as if they stood alone.

        What takes a call for each message takes a tenth of the whole: so the line of a message is
        put together here as `likeness.messages.line_of` does, and a text without a backslash is
        taken over as it stands.
        """
        start, speakers, hours = self._start, self._speakers, self._hours
        parts, add_id, add_moment = block.parts, block.ids.append, block.moments.append
        add_sender = block.senders.append
        places = range(self._index, self._index + len(entries))
        for entry, moment, index in zip(entries, moments_of(entries), places, strict=True):
            speaker = speakers.get(entry.from_id)
            if speaker is None or speaker.name != entry.from_:
                speaker = self._meet(entry.from_id, entry.from_)
            text = bytes(entry.text)
            if text[0] != QUOTE or BACKSLASH in text:
                text = requoted(text)
            if (
                entry.reply_to_peer_id
                or entry.via_bot
                or entry.contact_information
                or entry.location_information
                or entry.place_name
                or entry.game_title
                or entry.invoice_information
                or entry.poll
                or entry.todo_list
                or entry.giveaway_information
                or entry.giveaway_results
                or entry.paid_stars_amount
                or speaker is None
                or not text
                or moment == NO_MOMENT
                or entry.type != "message"
            ):
                if entry.action == _FORUM:
                    raise ValueError
                self._read_one(plain(entry), index, block)
                continue
            if text == NOTHING and entry.sticker_emoji:
                text = _quoted(entry.sticker_emoji).encode()
            end = TEXT_ALONE
            if (
                text == NOTHING
                or entry.photo
                or entry.file
                or entry.media_type
                or entry.forwarded_from
                or entry.forwarded_from_id
                or entry.reply_to_message_id is not None
            ):
                end = end_of(entry, text)
            id_ = b"%d" % entry.id
            add_id(id_)
            add_moment(moment)
            add_sender(speaker.sender)
            hour = hours.get(moment // 3600) or self._hour(moment // 3600)
            parts += start, id_, speaker.part, hour, _CLOCK[moment % 3600], text, end

    def _meet(self, id_: str | None, name: str | None) -> _Speaker | None:
        """Make the part of the lines that tells of a sender; None if nobody is told."""
        if not id_ or not name:
            return None
        part = f'"{speaker_part(id_, name, self._guess(id_))}'.encode()
        self._speakers[id_] = _Speaker((id_, name), name, part)
        return self._speakers[id_]

    def _hour(self, hour: int) -> bytes:
        if len(self._hours) >= _MOST_HOURS:
            self._hours.clear()
        began = datetime.fromtimestamp(hour * 3600, UTC)
        self._hours[hour] = f"{began.date().isoformat()}T{began.hour:02}:".encode()
        return self._hours[hour]

    def _read_one(self, entry: Any, index: int, block: Block) -> None:
        try:
            record = read_entry(entry, self._chat, index)
        except Unreadable as error:
            block.add(Rejected(f"{self._place}[{index}]", str(error)))
            return
        if isinstance(record, Message):
            record = replace(mended(record), outgoing=self._guess(record.speaker_id))
        block.add(record)
