"""A `chat.db` as the Messages app writes it, in small, filled with what a test says.

To write the sample anew: `python -m tests.exporters.fake_imessage PATH`.
"""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

NANOSECONDS = 10**9
MORNING = 736_000_000
"""Seconds since 2001: 28 April 2024, 12:26:40 UTC."""

_SCHEMA = """
PRAGMA page_size = 512;
CREATE TABLE message (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL,
    text TEXT, subject TEXT, handle_id INTEGER DEFAULT 0, attributedBody BLOB, date INTEGER,
    is_from_me INTEGER DEFAULT 0, cache_has_attachments INTEGER DEFAULT 0,
    item_type INTEGER DEFAULT 0, associated_message_type INTEGER DEFAULT 0,
    balloon_bundle_id TEXT, thread_originator_guid TEXT, date_edited INTEGER DEFAULT 0,
    date_retracted INTEGER DEFAULT 0, is_auto_reply INTEGER DEFAULT 0);
CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT NOT NULL, service TEXT NOT NULL);
CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, guid TEXT, chat_identifier TEXT, display_name TEXT);
CREATE TABLE chat_handle_join (chat_id INTEGER, handle_id INTEGER);
CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER);
CREATE TABLE chat_recoverable_message_join (chat_id INTEGER, message_id INTEGER);
INSERT INTO handle VALUES (1, '+4915550001', 'iMessage'), (2, '+4915550001', 'SMS'),
    (3, 'sal@example.org', 'iMessage');
INSERT INTO chat VALUES (1, 'iMessage;-;+4915550001', '+4915550001', ''),
    (2, 'SMS;-;+4915550001', '+4915550001', NULL), (3, 'iMessage;+;chat77', 'chat77', ''),
    (4, 'iMessage;+;chat78', 'chat78', 'Quay');
INSERT INTO chat_handle_join VALUES (1, 1), (2, 2), (3, 1), (3, 3), (4, 1), (4, 3);
"""


def archive(words: str, mutable: bool = False) -> bytes:
    """Return a typedstream of an attributed text, as long as the words need."""
    data = words.encode()
    size = len(data)
    if size < 0x80:
        length = bytes([size])
    elif size < 0x8000:
        length = b"\x81" + size.to_bytes(2, "little")
    else:
        length = b"\x82" + size.to_bytes(4, "little")
    kind = (
        b"\x0fNSMutableString\x01\x84\x84\x08NSString\x01\x95"
        if mutable
        else b"\x08NSString\x01\x94"
    )
    head = b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x12NSAttributedString\x00\x84\x84"
    return (
        head
        + b"\x08NSObject\x00\x85\x92\x84\x84\x84"
        + kind
        + b"\x84\x01+"
        + length
        + data
        + b"\x86\x84"
    )


def write_database(path: Path, *messages: dict[str, object]) -> Path:
    """Write a database of messages; each tells its columns, `chat`, and `deleted_from`."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_SCHEMA)
        for number, message in enumerate(messages, 1):
            told = {"guid": f"G{number}", "date": (MORNING + number) * NANOSECONDS, **message}
            chat, deleted = told.pop("chat", 1), told.pop("deleted_from", None)
            places = ", ".join("?" * len(told))
            row = database.execute(
                f"INSERT INTO message ({', '.join(told)}) VALUES ({places})",  # noqa: S608
                tuple(told.values()),
            )
            if chat is not None:
                database.execute(
                    "INSERT INTO chat_message_join VALUES (?, ?)", (chat, row.lastrowid)
                )
            if deleted is not None:
                database.execute(
                    "INSERT INTO chat_recoverable_message_join VALUES (?, ?)",
                    (deleted, row.lastrowid),
                )
        database.commit()
        database.execute("VACUUM")
    return path


SAMPLE: tuple[dict[str, object], ...] = (
    {"text": "high tide at nine", "handle_id": 1},
    {"attributedBody": archive("nine, surely 🌊"), "is_from_me": 1, "thread_originator_guid": "G1"},
    {"attributedBody": archive("\ufffcthe quay\ufffcand the crane", True), "handle_id": 1,
     "cache_has_attachments": 1},
    {"text": "by text message", "handle_id": 2, "chat": 2, "date": MORNING},
    {"text": "Loved “nine, surely”", "handle_id": 1, "associated_message_type": 2000},
    {"handle_id": 1, "date_edited": 5, "date_retracted": 5},
    {"text": "https://example.org", "is_from_me": 1,
     "balloon_bundle_id": "com.apple.messages.URLBalloonProvider"},
    {"text": "a game of chess", "handle_id": 1,
     "balloon_bundle_id": "com.apple.messages.MSMessageExtensionBalloonPlugin:0:chess"},
    {"text": "all of us", "handle_id": 3, "chat": 3},
    {"text": "aye", "is_from_me": 1, "chat": 4},
    {"item_type": 2, "handle_id": 3, "chat": 4},
    {"text": "thrown away", "handle_id": 3, "chat": None, "deleted_from": 4},
    {"attributedBody": b"bplist00", "handle_id": 3, "chat": 4},
    {"text": "when?", "handle_id": 3, "chat": 4, "date": 0},
)  # fmt: skip


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).unlink(missing_ok=True)
        write_database(Path(name), *SAMPLE)
