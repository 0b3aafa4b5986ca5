"""Telegram's entries by the slice: what nearly all of them are, decoded with typed structs.

An entry that is not one of those few shapes goes the way of all others, one by one.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from json.encoder import encode_basestring as _quoted
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from exporters.blocks import Block
from exporters.entry import Unreadable
from exporters.merge import mended
from exporters.repair import Repairs
from exporters.streaming import JSONReader
from exporters.telegram_chats import Chat
from exporters.telegram_entry import read_entry
from likeness.messages import Message, Rejected, place_part, speaker_part

_TYPES = frozenset({"personal_chat", "private_group", "private_supergroup", "public_supergroup"})
_QUOTED = '"%d"'
_FORUM = "topic_created"
_LONGEST_UNIXTIME = 10
_MINUTES = [f"{minute // 60:02}:{minute % 60:02}:" for minute in range(1440)]
_SECONDS = [f"{second:02}+00:00" for second in range(60)]

There = Raw | UnsetType
"""A key of which it only matters that it is there."""

Guess = Callable[[str], bool | None]
"""Whether a speaker id is the owner's, as far as it can be told before all is read."""


class _Piece(Struct, gc=False):
    text: str


class Entry(Struct, kw_only=True, gc=False):
    """An entry as the app writes it, in its order of keys; whatever else it holds is left out."""

    id: int
    type: str
    date_unixtime: str
    action: str | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    from_id: str | None = None
    forwarded_from: There = UNSET
    forwarded_from_id: There = UNSET
    reply_to_message_id: int | None = None
    reply_to_peer_id: Any = UNSET
    via_bot: There = UNSET
    photo: There = UNSET
    file: There = UNSET
    media_type: There = UNSET
    sticker_emoji: str | None = None
    contact_information: There = UNSET
    location_information: There = UNSET
    place_name: There = UNSET
    game_title: There = UNSET
    invoice_information: There = UNSET
    poll: There = UNSET
    todo_list: There = UNSET
    giveaway_information: There = UNSET
    giveaway_results: There = UNSET
    paid_stars_amount: There = UNSET
    text: str | list[str | _Piece]


_typed = msgspec.json.Decoder(list[Entry]).decode
_untyped = msgspec.json.Decoder(list[Any], float_hook=Decimal).decode


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
        self._start = place_part("telegram", chat.id, chat.name)
        self._speakers: dict[tuple[str | None, str | None], str] = {}
        self._days: dict[int, str] = {}
        self._index = 0

    def typed(self, data: bytes) -> Block:
        """Return what entries as the app writes them come to; ValueError if they are not."""
        entries = _typed(data)
        str(data, "utf-8")  # what was left out may not be, and the parser would stop there
        block = self._block()
        self._read(entries, block)
        return self._finished(block, len(entries))

    def untyped(self, data: bytes) -> Block:
        """Return what any entries come to; ValueError if they are not JSON, or a forum's."""
        repairs = Repairs()
        try:
            entries = _untyped(data)
        except ValueError:
            entries = _untyped(repairs.mended(data))
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
        block.closed()
        block.guess = {id_: self._guess(id_) for id_, _ in block.tally}
        return block

    def _read(self, entries: list[Entry], block: Block) -> None:
        """Read entries of the usual shapes here, others as if they stood alone.

        What takes a call for each message takes a tenth of the whole: so the line of a message is
        put together here as `likeness.messages.line_of` does.
        """
        start, speakers, days = self._start, self._speakers, self._days
        add_line, add_id, add_moment = block.lines.append, block.ids.append, block.moments.append
        add_sender = block.senders.append
        for index, entry in enumerate(entries, self._index):
            sender = entry.from_id, entry.from_
            speaker = speakers.get(sender) or self._meet(sender)
            unixtime = entry.date_unixtime
            if (
                speaker is None
                or entry.type != "message"
                or not (
                    entry.reply_to_peer_id
                    is entry.via_bot
                    is entry.contact_information
                    is entry.location_information
                    is entry.place_name
                    is entry.game_title
                    is entry.invoice_information
                    is entry.poll
                    is entry.todo_list
                    is entry.giveaway_information
                    is entry.giveaway_results
                    is entry.paid_stars_amount
                    is UNSET
                )
                or len(unixtime) > _LONGEST_UNIXTIME
                or not unixtime.isdecimal()
            ):
                if entry.action == _FORUM:
                    raise ValueError
                self._read_one(_plain(entry), index, block)
                continue
            text = entry.text
            if text.__class__ is not str:
                text = "".join([part if isinstance(part, str) else part.text for part in text])
            text = text or entry.sticker_emoji or ""
            if not (entry.forwarded_from is entry.forwarded_from_id is UNSET):
                kind = "forwarded"
            elif text and entry.photo is entry.file is entry.media_type is UNSET:
                kind = "text"
            else:
                kind = "media"
            moment = int(unixtime)
            day, second = moment // 86_400, moment % 86_400
            id_ = str(entry.id)
            add_id(id_)
            add_moment(moment)
            add_sender(sender)  # type: ignore[arg-type]  # who is met has both
            reply = entry.reply_to_message_id
            add_line(
                f'{start}"{id_}"{speaker}{days.get(day) or self._day(day)}{_MINUTES[second // 60]}'
                f'{_SECONDS[second % 60]}", "text": {_quoted(text)}, "reply_to": '
                f'{"null" if reply is None else _QUOTED % reply}, "kind": "{kind}"}}\n'
            )

    def _meet(self, sender: tuple[str | None, str | None]) -> str | None:
        """Make the part of the lines that tells of a sender; None if nobody is told."""
        id_, name = sender
        if not id_ or not name:
            return None
        self._speakers[sender] = speaker_part(id_, name, self._guess(id_))
        return self._speakers[sender]

    def _day(self, day: int) -> str:
        date = datetime.fromtimestamp(day * 86_400, UTC).date()
        self._days[day] = f"{date.isoformat()}T"
        return self._days[day]

    def _read_one(self, entry: Any, index: int, block: Block) -> None:
        try:
            record = read_entry(entry, self._chat, index)
        except Unreadable as error:
            block.add(Rejected(f"{self._place}[{index}]", str(error)))
            return
        if isinstance(record, Message):
            record = replace(mended(record), outgoing=self._guess(record.speaker_id))
        block.add(record)


def _plain(entry: Entry) -> dict[str, Any]:
    """Return an entry as if it had been read without types."""
    found = {
        name: value
        for name, value in zip(_NAMES, msgspec.structs.astuple(entry), strict=True)
        if value is not UNSET and value is not None
    }
    if not isinstance(entry.text, str):
        found["text"] = [
            part if isinstance(part, str) else {"text": part.text} for part in entry.text
        ]
    return found


_NAMES = tuple(field.encode_name for field in msgspec.structs.fields(Entry))
