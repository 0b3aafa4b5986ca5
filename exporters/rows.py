"""The workshop's rows, read and written: a JSON array with one flat object a message."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from exporters.entry import Unreadable, as_object, needed, string
from exporters.ids import MadeIds
from exporters.sources import Reading, Source
from exporters.streaming import JSONReader, beginning, keep_whole
from likeness.messages import Message, Record, Rejected

_KEYS = frozenset({
    "timestamp", "conversationId", "conversationWithName", "senderName", "outgoing", "text",
})  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP_SECONDS = 0.001


class _Rows:
    name = "rows of the workshop (JSON)"

    def recognises(self, source: Source) -> bool:
        found = beginning(source.head)
        first = found[0] if isinstance(found, list) and found else None
        return isinstance(first, dict) and first.keys() >= _KEYS

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        reading.flavour = "JSON array"
        with source.open(reading.on_bytes) as file:
            yield from keep_whole(_records(JSONReader(file)), source.name)


ROWS = _Rows()


def write_rows(messages: Iterable[Message], file: IO[str]) -> None:
    """Write messages, which stand by chat and in order, as the workshop's scripts read them.

    What is not shown in a prompt is left out. The scripts sort a chat by time with a sort that
    does not keep the order of equal times, so each message stands at least a millisecond after
    the one before.

    Source: pandas 2's `sort_values`, by default a quicksort, mixes 111 equal times; its
    `read_json` loses the microseconds of a time in seconds, and keeps the milliseconds.
    """
    chat, last, opening = ("", ""), float("-inf"), "["
    for message in messages:
        if not message.shown:
            continue
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


def _records(json_: JSONReader) -> Iterator[Record]:
    if json_.kind() != "array":
        return
    known = MadeIds()
    for index in json_.elements():
        try:
            yield _message(as_object(json_.value()), known)
        except Unreadable as error:
            yield Rejected(f"[{index}]", str(error))


def _message(row: dict[str, Any], known: MadeIds) -> Message:
    outgoing = row.get("outgoing")
    if not isinstance(outgoing, bool):
        raise Unreadable('its "outgoing" is neither true nor false')
    speaker, text = needed(row, "senderName"), string(row, "text")
    chat_id = needed(row, "conversationId")
    return Message(
        platform=string(row, "platform") or "rows",
        chat_id=chat_id,
        chat=string(row, "conversationWithName") or chat_id,
        id=known.of(chat_id, str(row.get("timestamp")), speaker, text),
        speaker_id=speaker,
        speaker=speaker,
        outgoing=outgoing,
        sent_at=_moment(row),
        text=text,
    )


def _moment(row: dict[str, Any]) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=float(row["timestamp"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Unreadable("it has no timestamp that can be read") from error
