"""The Messages app's `chat.db` of a Mac, or `sms.db` of an iPhone's backup: all of its chats.

A chat's id is its identifier (a phone number, an address, the name of a group's room), so what one
person sent by iMessage and by SMS is one chat.

Source: the schema of macOS 10.13 to 14 as `chat.db` itself tells it, and what imessage-exporter's
`tables/messages.rs` says of its numbers.
"""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from exporters.entry import Unreadable, whole_number
from exporters.imessage_database import MAGIC, columns, opened
from exporters.imessage_typedstream import text_in
from exporters.sources import Reading, Source
from exporters.streaming import keep_whole
from likeness.errors import SourceError
from likeness.messages import Kind, Message, Notice, Record, Rejected

_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
_LEAST_NANOSECONDS = 10**11
_ME = "Me"
_FILE = "\ufffc"
_LINK = "com.apple.messages.URLBalloonProvider"
_BREADCRUMB = "$(kIMTranscriptPlugin"
_NEEDED = frozenset({"guid", "text", "handle_id", "date", "is_from_me"})
_OTHERS = (
    "attributedBody", "subject", "cache_has_attachments", "item_type", "associated_message_type",
    "balloon_bundle_id", "thread_originator_guid", "date_edited", "date_retracted",
    "is_auto_reply", "is_system_message",
)  # fmt: skip
"""Columns that came with one version or another."""

_EVENTS = {
    1: "people joined or left", 2: "group renamed", 3: "group changed", 4: "location shared",
    5: "audio message kept", 6: "SharePlay",
}  # fmt: skip
"""What an `item_type` other than 0 announces."""

_STICKER_ON_MESSAGE = 1000
_REACTIONS = range(2000, 4000)


class _IMessage:
    name = "iMessage chat.db"

    def recognises(self, source: Source) -> bool:
        if not source.head.startswith(MAGIC):
            return False
        try:
            with opened(source) as database:
                messages, handles = (columns(database, table) for table in ("message", "handle"))
                return messages >= _NEEDED and "id" in handles
        except SourceError:
            return False

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        reading.flavour = "SQLite database"
        yield from keep_whole(_records(source), source.name)
        if reading.on_bytes is not None:
            reading.on_bytes(source.size)


IMESSAGE = _IMessage()


def _records(source: Source) -> Iterator[Record]:
    with opened(source) as database:
        chats, handles = _Chats(database), _handles(database)
        last: object = None
        for row in database.execute(_query(database)):
            if row["ROWID"] == last:  # it lies in one chat more
                continue
            last = row["ROWID"]
            try:
                yield _record(row, chats, handles)
            except Unreadable as error:
                where = f"message {last}" if isinstance(last, int) else "a message"
                yield Rejected(where, str(error))


def _query(database: sqlite3.Connection) -> str:
    """Return the question for all messages in order, fit for the columns there are."""
    there = columns(database, "message")
    wanted = ["m.ROWID AS ROWID", *(f"m.{name}" for name in sorted(_NEEDED))]
    wanted += [f"m.{name}" if name in there else f"NULL AS {name}" for name in _OTHERS]
    chat, deleted, joins = "NULL", "NULL", ""
    if columns(database, "chat_message_join"):
        chat, joins = "j.chat_id", "LEFT JOIN chat_message_join j ON j.message_id = m.ROWID "
    if columns(database, "chat_recoverable_message_join"):
        deleted = "d.chat_id"
        joins += "LEFT JOIN chat_recoverable_message_join d ON d.message_id = m.ROWID "
    told = f"{', '.join(wanted)}, {chat} AS chat_id, {deleted} AS deleted_from"
    return f"SELECT {told} FROM message m {joins}ORDER BY m.ROWID"  # noqa: S608


def _handles(database: sqlite3.Connection) -> dict[int, str]:
    """Return the number or address of everyone, by the row of `handle`."""
    return {
        row["ROWID"]: str(row["id"]) for row in database.execute("SELECT ROWID, id FROM handle")
    }


class _Chats:
    """The chats of a database by their rows: an id and a name each."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._chats: dict[int, tuple[str, str]] = {}
        if not {"chat_identifier", "display_name"} <= columns(database, "chat"):
            return
        people: dict[int, list[str]] = {}
        if columns(database, "chat_handle_join"):
            for row in database.execute(
                "SELECT j.chat_id, h.id FROM chat_handle_join j "
                "JOIN handle h ON h.ROWID = j.handle_id"
            ):
                people.setdefault(row["chat_id"], []).append(str(row["id"]))
        for row in database.execute("SELECT ROWID, chat_identifier, display_name FROM chat"):
            id_ = str(row["chat_identifier"] or f"chat {row['ROWID']}")
            name = row["display_name"] or ", ".join(people.get(row["ROWID"], ()))
            self._chats[row["ROWID"]] = id_, str(name or id_)

    def of(self, chat: object, handle: str | None) -> tuple[str, str]:
        """Return the id and the name of a chat; without a row, that of its one other person."""
        if isinstance(chat, int) and chat in self._chats:
            return self._chats[chat]
        return (handle, handle) if handle else ("unknown", "unknown")


def _record(row: sqlite3.Row, chats: _Chats, handles: dict[int, str]) -> Message | Notice:
    if row["item_type"] or row["is_system_message"]:
        return Notice(_EVENTS.get(row["item_type"], "event"))
    if row["associated_message_type"] == _STICKER_ON_MESSAGE:
        return Notice("sticker on a message")
    if row["associated_message_type"] in _REACTIONS:
        return Notice("reaction")
    handle = handles.get(row["handle_id"])
    chat_id, chat = chats.of(row["chat_id"] or row["deleted_from"], handle)
    mine = bool(row["is_from_me"])
    speaker = _ME if mine else handle or chat_id
    text, kind = _said(row)
    return Message(
        platform="imessage",
        chat_id=chat_id,
        chat=chat,
        id=_string(row, "guid") or f"row {row['ROWID']}",
        speaker_id=speaker,
        speaker=speaker,
        outgoing=mine,
        sent_at=_moment(row["date"]),
        text=text,
        reply_to=_string(row, "thread_originator_guid") or None,
        kind=kind,
    )


def _said(row: sqlite3.Row) -> tuple[str, Kind]:
    """Return the words of a message, and what they are."""
    text = _string(row, "text") or _attributed(row)
    files = bool(row["cache_has_attachments"]) or _FILE in text
    if row["deleted_from"] is not None or row["date_retracted"]:
        return "", "deleted"
    if row["date_edited"] and not text and not files:
        return "", "deleted"
    words = "\n".join(filter(None, (_string(row, "subject"), *text.split(_FILE))))
    bundle = _string(row, "balloon_bundle_id")
    by_app = bundle not in ("", _LINK) or text.startswith(_BREADCRUMB)
    if words and (by_app or row["is_auto_reply"]):
        return words, "automated"
    return words, "media" if files or not words else "text"


def _attributed(row: sqlite3.Row) -> str:
    body = row["attributedBody"]
    return text_in(body) if isinstance(body, bytes) and body else ""


def _string(row: sqlite3.Row, column: str) -> str:
    value = row[column]
    if value is not None and not isinstance(value, str):
        raise Unreadable(f'its "{column}" is not a text')
    return value or ""


def _moment(date: Any) -> datetime:
    """Return the time of a date, which counts from 2001: nanoseconds, of old seconds."""
    number = whole_number(date)
    if not number:
        raise Unreadable("it has no date that can be read")
    try:
        if abs(number) < _LEAST_NANOSECONDS:
            return _EPOCH + timedelta(seconds=number)
        return _EPOCH + timedelta(microseconds=number // 1000)
    except OverflowError as error:
        raise Unreadable("it has no date that can be read") from error
