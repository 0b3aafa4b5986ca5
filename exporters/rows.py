"""The workshop's and Chatistics' rows, one flat record a message: read in any form, and written."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import nan
from typing import IO, Any

from exporters.clock import LocalClock
from exporters.entry import Unreadable, as_object
from exporters.ids import MadeIds
from exporters.rows_forms import form_of, rows_in
from exporters.sources import Reading, Source
from exporters.streaming import keep_whole
from likeness.messages import Message, Record, Rejected

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP_SECONDS = 0.001
_MILLISECONDS = 1e11
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?")
_SAID = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


class _Rows:
    name = "rows of the workshop or Chatistics"

    def recognises(self, source: Source) -> bool:
        return form_of(source.head) is not None

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        reading.flavour = form_of(source.head) or ""
        yield from keep_whole(_records(source, reading), source.name)


ROWS = _Rows()


def write_rows(messages: Iterable[Message], file: IO[str]) -> None:
    """Write messages, which stand by chat and in order, as the workshop's scripts read them.

    The scripts sort a chat by time with a sort that does not keep the order of equal times, so
    each message stands at least a millisecond after the one before.

    Source: pandas 2's `sort_values`, by default a quicksort, mixes 111 equal times; its
    `read_json` loses the microseconds of a time in seconds, and keeps the milliseconds.
    """
    chat, last, opening = ("", ""), float("-inf"), "["
    for message in messages:
        here = message.platform, message.chat_id
        seconds = (message.sent_at - _EPOCH).total_seconds()
        last = max(seconds, last + _STEP_SECONDS) if here == chat else seconds
        chat = here
        file.write(f"{opening}\n{json.dumps(_row(message, round(last, 3)), ensure_ascii=False)}")
        opening = ","
    file.write("[]\n" if opening == "[" else "\n]\n")


def _row(message: Message, seconds: float) -> dict[str, str | float | bool]:
    return {
        "timestamp": seconds,
        "conversationId": message.chat_id,
        "conversationWithName": message.chat,
        "senderName": message.speaker,
        "outgoing": bool(message.outgoing),
        "text": message.text,
        "language": "unknown",
        "platform": message.platform,
    }


def _records(source: Source, reading: Reading) -> Iterator[Record]:
    known = MadeIds()
    clock = LocalClock(reading.local_zone)
    for place, row in rows_in(source, reading):
        try:
            if isinstance(row, Unreadable):
                raise row
            found = as_object(row)
            moment, local = _moment(found, clock)
            reading.local_times |= local
            yield _message(found, moment, known)
        except Unreadable as error:
            yield Rejected(place, str(error))


def _message(row: dict[str, Any], moment: datetime, known: MadeIds) -> Message:
    speaker, text = _word(row, "senderName"), _word(row, "text")
    chat = _word(row, "conversationWithName")
    chat_id = _word(row, "conversationId") or chat
    if not speaker or not chat_id:
        raise Unreadable(f'it has no "{"conversationId" if speaker else "senderName"}"')
    return Message(
        platform=_word(row, "platform") or "rows",
        chat_id=chat_id,
        chat=chat or chat_id,
        id=known.of(chat_id, moment.isoformat(), speaker, text),
        speaker_id=speaker,
        speaker=speaker,
        outgoing=_outgoing(row),
        sent_at=moment,
        text=text,
    )


def _word(row: dict[str, Any], key: str) -> str:
    """Return a cell as words; a number stands for its digits, nothing for no words."""
    value = row.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)
    raise Unreadable(f'its "{key}" is neither words nor a number')


def _outgoing(row: dict[str, Any]) -> bool:
    said = str(row.get("outgoing")).casefold()
    if said not in _SAID:
        raise Unreadable('its "outgoing" is neither true nor false')
    return _SAID[said]


def _moment(row: dict[str, Any], clock: LocalClock) -> tuple[datetime, bool]:
    """Return when a row was sent, and whether it says so by a local clock.

    Source: pandas writes a column of times as milliseconds, or as ISO 8601 without a zone.
    """
    told = row.get("timestamp")
    try:
        if isinstance(told, str) and not _NUMBER.fullmatch(told):
            moment = datetime.fromisoformat(told)
            local = moment.tzinfo is None
            return (clock.utc(moment) if local else moment.astimezone(UTC)), local
        seconds = float(told) if isinstance(told, str | int | float | Decimal) else nan
        if abs(seconds) >= _MILLISECONDS:
            seconds /= 1000
        return _EPOCH + timedelta(seconds=seconds), False
    except (ValueError, OverflowError) as error:
        raise Unreadable("it has no timestamp that can be read") from error
