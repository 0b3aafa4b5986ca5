"""An entry of a Telegram chat as nearly all of them are, decoded with its types."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from json.encoder import encode_basestring as _quoted
from typing import Any

import msgspec
from msgspec import Raw, Struct

_LAST_MOMENT = 10**10 - 1
NO_MOMENT = -1
NOTHING = b'""'
QUOTE, BACKSLASH = b'"\\'  # as numbers: one byte is found in bytes several times as fast so
_TEXT, _MEDIA, _FORWARDED = (
    f', "kind": "{kind}"}}\n'.encode() for kind in ("text", "media", "forwarded")
)
_NO_REPLY = b', "reply_to": null'
TEXT_ALONE = _NO_REPLY + _TEXT

There = Raw
"""A key of which it only matters that it is there."""

_ABSENT: Any = None


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
    forwarded_from: There = _ABSENT
    forwarded_from_id: There = _ABSENT
    reply_to_message_id: int | None = None
    reply_to_peer_id: There = _ABSENT
    via_bot: There = _ABSENT
    photo: There = _ABSENT
    file: There = _ABSENT
    media_type: There = _ABSENT
    sticker_emoji: str | None = None
    contact_information: There = _ABSENT
    location_information: There = _ABSENT
    place_name: There = _ABSENT
    game_title: There = _ABSENT
    invoice_information: There = _ABSENT
    poll: There = _ABSENT
    todo_list: There = _ABSENT
    giveaway_information: There = _ABSENT
    giveaway_results: There = _ABSENT
    paid_stars_amount: There = _ABSENT
    text: Raw


decode = msgspec.json.Decoder(list[Entry]).decode
_pieces = msgspec.json.Decoder(list[str | _Piece]).decode
_string = msgspec.json.Decoder(str).decode
_numbers = msgspec.json.Decoder(list[int]).decode
_any: Callable[[bytes | Raw], Any] = msgspec.json.Decoder(float_hook=Decimal).decode
decode_any = msgspec.json.Decoder(list[Any], float_hook=Decimal).decode


def moments_of(entries: list[Entry]) -> list[int]:
    """Return when entries were sent, NO_MOMENT where they tell no such number."""
    told = [entry.date_unixtime for entry in entries]
    if "".join(told).isdecimal():
        with suppress(ValueError):
            moments = _numbers(f"[{','.join(told)}]")
            if max(moments) <= _LAST_MOMENT:
                return moments
    most = len(str(_LAST_MOMENT))
    return [int(one) if len(one) <= most and one.isdecimal() else NO_MOMENT for one in told]


def requoted(text: bytes) -> bytes:
    """Return a text as lines hold it, nothing if it is not what the app writes."""
    try:
        if text[0] == QUOTE:
            return _quoted(_string(text)).encode()
        pieces = _pieces(text)
    except ValueError:
        return b""
    words = "".join([piece if isinstance(piece, str) else piece.text for piece in pieces])
    return _quoted(words).encode()


def end_of(entry: Entry, text: bytes) -> bytes:
    """Return how the line of a message ends, behind its text."""
    if entry.forwarded_from or entry.forwarded_from_id:
        kind = _FORWARDED
    elif text == NOTHING or entry.photo or entry.file or entry.media_type:
        kind = _MEDIA
    else:
        kind = _TEXT
    reply = entry.reply_to_message_id
    return (_NO_REPLY if reply is None else b', "reply_to": "%d"' % reply) + kind


def plain(entry: Entry) -> dict[str, Any]:
    """Return an entry as if it had been read without types."""
    return {
        name: _any(value) if isinstance(value, Raw) else value
        for name, value in zip(_NAMES, msgspec.structs.astuple(entry), strict=True)
        if value is not None
    }


_NAMES = tuple(field.encode_name for field in msgspec.structs.fields(Entry))
