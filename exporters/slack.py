"""Slack's official export, a day of one chat a file, and slackdump's dumps of one chat.

A day file lies in the folder of its channel, beside it `users.json` and the lists of channels,
private channels, groups and direct chats. A thread is a chat of its own, which begins with the
message that opened it: its answers may come days later and between other talk.

Source: Slack's help pages "How to read Slack data exports" and "message event subtypes"; exports
that slackdump wrote.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from exporters.entry import Unreadable, as_object, needed, part, string
from exporters.slack_text import decoded
from exporters.slack_threads import thread_of
from exporters.slack_workspace import Chat, Workspaces
from exporters.sources import Reading, Source
from exporters.streaming import BrokenJSON, JSONReader, beginning, keep_whole
from likeness.errors import DamagedSource
from likeness.messages import Kind, Message, Notice, Record, Rejected

_TIMESTAMP = re.compile(r"(\d{8,11})\.(\d{6})", re.ASCII)
_BY_PEOPLE = frozenset({"", "thread_broadcast", "reply_broadcast", "me_message", "file_share"})
_BY_BOTS = frozenset({"bot_message", "slackbot_response"})
_SLACKBOT = "USLACKBOT"
_SUBTYPE = re.compile(r"[a-z_]{1,40}")
_FIRST_BYTES = 512
_DUMPED_REPLIES = "slackdump_thread_replies"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Slack:
    name = "Slack export"

    def __init__(self) -> None:
        self._workspaces = Workspaces()

    def recognises(self, source: Source) -> bool:
        found = beginning(source.head)
        entries = found.get("messages") if isinstance(found, dict) else found
        first = entries[0] if isinstance(entries, list) and entries else None
        if not isinstance(first, dict) or first.get("type") != "message":
            return False
        timestamp = first.get("ts")
        return isinstance(timestamp, str) and bool(_TIMESTAMP.fullmatch(timestamp))

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        dumped = _dump_header(source)
        reading.flavour = "a day of a chat" if dumped is None else "slackdump's dump of a chat"
        workspace = self._workspaces.around(source, dumped=dumped is not None)
        chat = workspace.chat(source, dumped)
        with source.open(reading.on_bytes) as file:
            yield from keep_whole(_File(chat, reading).records(JSONReader(file)), source.name)


SLACK = _Slack()


def _dump_header(source: Source) -> dict[str, Any] | None:
    """Return what a dump tells of its chat before and behind the messages, None for a day file."""
    if isinstance(beginning(source.head[:_FIRST_BYTES]), list):
        return None
    header: dict[str, Any] = {}
    with source.open() as file, suppress(BrokenJSON, DamagedSource):
        json = JSONReader(file)
        for key in json.members():
            if key != "messages" and json.kind() == "scalar":
                value = json.value()
                header[key] = value if isinstance(value, str) else None
    return header


class _File:
    """The entries of one file on their way."""

    def __init__(self, chat: Chat, reading: Reading) -> None:
        self._chat = chat
        self._reading = reading

    def records(self, json: JSONReader) -> Iterator[Record]:
        """Yield every entry of a day file, or of a dump with the replies that it nests."""
        if json.kind() == "array":
            yield from self._entries(json, "")
        elif json.kind() == "object":
            for key in json.members():
                if key == "messages" and json.kind() == "array":
                    yield from self._entries(json, key)

    def _entries(self, json: JSONReader, place: str) -> Iterator[Record]:
        for index in json.elements():
            entry = json.value()
            yield self._record(entry, f"{place}[{index}]")
            replies = entry.get(_DUMPED_REPLIES) if isinstance(entry, dict) else None
            for number, reply in enumerate(replies if isinstance(replies, list) else ()):
                yield self._record(reply, f"{place}[{index}].{_DUMPED_REPLIES}[{number}]")

    def _record(self, entry: Any, where: str) -> Record:
        try:
            return self._read(as_object(entry))
        except Unreadable as error:
            return Rejected(where, str(error))

    def _read(self, entry: dict[str, Any]) -> Message | Notice:
        subtype = string(entry, "subtype")
        if string(entry, "type") != "message":
            raise Unreadable("its type is none that the app writes")
        if subtype not in _BY_PEOPLE | _BY_BOTS:
            if not _SUBTYPE.fullmatch(subtype):
                raise Unreadable("its subtype is none that the app writes")
            return Notice(subtype.replace("_", " "))
        return self._message(entry, needed(entry, "ts"))

    def _message(self, entry: dict[str, Any], id_: str) -> Message:
        chat_id, name, opening = self._place(entry, id_)
        speaker_id, speaker = self._speaker(entry)
        text, kind = self._said(entry)
        bot = self._chat.workspace.is_bot(speaker_id) or speaker_id == _SLACKBOT
        if bot or entry.get("bot_id") or entry.get("subtype") in _BY_BOTS:
            kind = "automated"
        return Message(
            platform="slack",
            chat_id=chat_id,
            chat=name,
            id=id_,
            speaker_id=speaker_id,
            speaker=speaker,
            outgoing=None,
            sent_at=_moment(id_),
            text=text,
            reply_to=opening if opening != id_ else None,
            kind=kind,
        )

    def _place(self, entry: dict[str, Any], id_: str) -> tuple[str, str, str | None]:
        """Return a message's chat, its name, and what opened it if it is a thread."""
        chat, owner = self._chat, self._chat.workspace.owner
        opening = string(entry, "thread_ts") or None
        if opening == id_ and not (entry.get("reply_count") or entry.get(_DUMPED_REPLIES)):
            opening = None
        place = (chat.id, chat.name, opening)
        if opening is not None:
            place = (*thread_of(chat.id, chat.name, opening), opening)
        if owner is not None:
            self._reading.owner[place[0]] = owner
        return place

    def _speaker(self, entry: dict[str, Any]) -> tuple[str, str]:
        """Return who sent an entry, by id and by name; a bot may have a name for each message."""
        id_ = string(entry, "user") or string(entry, "bot_id") or string(entry, "username")
        if not id_:
            raise Unreadable("it does not say who sent it")
        told = part(entry, "user_profile") or part(entry, "bot_profile")
        names = [string(told, key) for key in ("display_name", "real_name", "name")]
        name = self._chat.workspace.name(id_) or string(entry, "username")
        return id_, name or next(filter(None, names), id_)

    def _said(self, entry: dict[str, Any]) -> tuple[str, Kind]:
        """Return the words of an entry, and whose or what they are."""
        workspace = self._chat.workspace
        text = decoded(string(entry, "text"), workspace.mentioned, entry.get("blocks"))
        if text:
            return text, "media" if entry.get("files") else "text"
        attachments = entry.get("attachments")
        for shared in attachments if isinstance(attachments, list) else ():
            if isinstance(shared, dict) and (shared.get("is_share") or shared.get("is_msg_unfurl")):
                words = string(shared, "text")
                return decoded(words, workspace.mentioned, shared.get("blocks")), "forwarded"
        return "", "media"


def _moment(timestamp: str) -> datetime:
    found = _TIMESTAMP.fullmatch(timestamp)
    if found is None:
        raise Unreadable("it has no date that can be read")
    seconds, microseconds = map(int, found.groups())
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=microseconds)
    except OverflowError as error:
        raise Unreadable("it has no date that can be read") from error
