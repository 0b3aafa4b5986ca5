"""Telegram Desktop's `result.json`: one chat, or the whole account."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from exporters.clock import LocalClock
from exporters.entry import Unreadable, whole_number
from exporters.sources import Reading, Source
from exporters.streaming import JSONReader, beginning, keep_whole
from exporters.telegram_entry import Chat, read_entry, sender
from likeness.messages import Message, Notice, Record, Rejected

_CHAT_TYPES = frozenset({
    "saved_messages", "replies", "verification_codes", "personal_chat", "bot_chat",
    "private_group", "private_supergroup", "public_supergroup", "private_channel", "public_channel",
})  # fmt: skip
_LEFT_OUT = {
    "bot_chat": "in a chat with a bot",
    "private_channel": "in a channel",
    "public_channel": "in a channel",
    "saved_messages": "in Saved Messages",
    "replies": "in the Replies chat",
    "verification_codes": "a verification code",
}
"""The chats of a whole account that are no conversation of a person, and how to say it."""

_ALWAYS_LEFT_OUT = "verification_codes"
_SAVED_FROM_OTHERS = ("forwarded_from", "saved_from", "action")
_LISTS = ("chats", "left_chats")


class _Telegram:
    name = "Telegram Desktop JSON"

    def recognises(self, source: Source) -> bool:
        found = beginning(source.head)
        return isinstance(found, dict) and (_is_account(found) or _is_chat(found))

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        with source.open(reading.on_bytes) as file:
            yield from keep_whole(_Export(source, reading).records(JSONReader(file)), source.name)


TELEGRAM = _Telegram()


def _is_account(found: dict[str, Any]) -> bool:
    sections = [found.get(key) for key in (*_LISTS, "contacts", "frequent_contacts")]
    listed = any(isinstance(part, dict) and isinstance(part.get("list"), list) for part in sections)
    person = found.get("personal_information")
    return listed or (isinstance(person, dict) and isinstance(person.get("user_id"), int))


def _is_chat(found: dict[str, Any]) -> bool:
    messages = found.get("messages")
    if not isinstance(messages, list) or "channel" in found:
        return False
    if found.get("type") in _CHAT_TYPES:
        return True
    first = messages[0] if messages else None
    if not isinstance(first, dict) or first.get("type") not in ("message", "service"):
        return False
    return "date" in first or "date_unixtime" in first


class _Export:
    """One `result.json` on its way through."""

    def __init__(self, source: Source, reading: Reading) -> None:
        self._source = source
        self._reading = reading
        self._account_id: str | None = None
        self._saver_id: str | None = None
        self._chats: dict[str, None] = {}
        self._guesses: dict[str, tuple[str, str]] = {}
        self._local_times = 0

    def records(self, json: JSONReader) -> Iterator[Record]:
        """Yield all entries; whatever happens, leave the evidence and the remarks."""
        self._reading.flavour = "one chat"
        try:
            if json.kind() == "object":
                yield from self._object(json, "")
        finally:
            self._conclude()

    def _object(self, json: JSONReader, place: str) -> Iterator[Record]:
        """Read the root, or one chat of an account at a place such as `chats.list[3].`."""
        header: dict[str, Any] = {}
        for key in json.members():
            if key == "messages":
                yield from self._messages(json, f"{place}messages", header)
            elif not place and key in _LISTS:
                yield from self._list(json, key)
            elif not place and key == "personal_information":
                self._note_account(json.value())
            elif json.kind() == "scalar":
                header[key] = json.value()

    def _list(self, json: JSONReader, section: str) -> Iterator[Record]:
        self._reading.flavour = "a whole account"
        if json.kind() != "object":
            return
        for key in json.members():
            if key != "list" or json.kind() != "array":
                continue
            for index in json.elements():
                if json.kind() == "object":
                    yield from self._object(json, f"{section}.list[{index}].")
                else:
                    yield Rejected(f"{section}.list[{index}]", "it is not a chat")

    def _messages(self, json: JSONReader, place: str, header: dict[str, Any]) -> Iterator[Record]:
        if json.kind() != "array":
            yield Rejected(place, "it is not a list")
            return
        chat = self._chat(header)
        in_account = place != "messages"
        if (in_account and chat.type in _LEFT_OUT) or chat.type == _ALWAYS_LEFT_OUT:
            yield from self._left_out(json, chat)
            return
        self._chats[chat.id] = None
        senders: Counter[str] = Counter()
        try:
            for index in json.elements():
                try:
                    record = read_entry(json.value(), chat, index)
                except Unreadable as error:
                    yield Rejected(f"{place}[{index}]", str(error))
                    continue
                if isinstance(record, Message):
                    senders[record.speaker_id] += 1
                yield record
        finally:
            self._guess(chat, senders)
            self._local_times += chat.local_times

    def _left_out(self, json: JSONReader, chat: Chat) -> Iterator[Record]:
        """Count the entries of a chat that is no conversation; Saved Messages tell who I am."""
        savers: Counter[str] = Counter()
        for _ in json.elements():
            entry = json.value() if chat.type == "saved_messages" else None
            if isinstance(entry, dict) and entry.keys().isdisjoint(_SAVED_FROM_OTHERS):
                with suppress(Unreadable):
                    savers[sender(entry)[0]] += 1
            yield Notice(_LEFT_OUT[chat.type])
        if savers:
            self._saver_id = savers.most_common(1)[0][0]

    def _chat(self, header: dict[str, Any]) -> Chat:
        number = whole_number(header.get("id"))
        type_ = header.get("type") if isinstance(header.get("type"), str) else ""
        given = header.get("name")
        name = given if isinstance(given, str) and given else _unnamed(str(type_))
        id_ = self._source.name if number is None else f"{_prefix(str(type_))}{number}"
        partner = type_ in ("personal_chat", "bot_chat") and number is not None
        return Chat(
            id=id_,
            name=name,
            type=str(type_),
            partner_id=f"user{number}" if partner else None,
            clock=LocalClock(self._reading.local_zone),
        )

    def _note_account(self, person: Any) -> None:
        number = whole_number(person.get("user_id")) if isinstance(person, dict) else None
        if number is not None:
            self._account_id = f"user{number}"

    def _guess(self, chat: Chat, senders: Counter[str]) -> None:
        """Find who, in a chat of two, is not the partner; old files know the partner by name."""
        if chat.type != "personal_chat":
            return
        for partner, why in ((chat.partner_id, "id"), (chat.name, "name")):
            others = [sender for sender in senders if sender != partner]
            known = why == "id" and all(sender.startswith("user") for sender in senders)
            if len(others) == 1 and (known or len(others) < len(senders)):
                self._guesses[chat.id] = others[0], f"the other one bears the chat's {why}"
                return

    def _conclude(self) -> None:
        for chat_id in self._chats:
            if self._account_id:
                self._reading.owner[chat_id] = self._account_id, "the account names its owner"
            elif chat_id in self._guesses:
                self._reading.owner[chat_id] = self._guesses[chat_id]
            elif self._saver_id:
                self._reading.owner[chat_id] = self._saver_id, "who writes in Saved Messages"
        if self._local_times:
            self._reading.remarks.append(
                f"{self._local_times} messages tell only the exporting computer's clock; "
                f"they were read in {self._reading.zone_name}."
            )


def _prefix(type_: str) -> str:
    """Keep groups and channels apart from people, whose bare numbers may be the same."""
    if type_ == "private_group":
        return "chat"
    return "channel" if type_.endswith(("supergroup", "channel")) else ""


def _unnamed(type_: str) -> str:
    return {"saved_messages": "Saved Messages", "replies": "Replies"}.get(type_, "Deleted Account")
