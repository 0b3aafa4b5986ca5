"""Who is "me" in the chats of a Telegram export: it marks nothing as sent."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from exporters.entry import Unreadable, whole_number
from exporters.owner import BY_ACCOUNT, BY_SAVED
from exporters.telegram_chats import Chat
from exporters.telegram_entry import sender

_SAVED_FROM_OTHERS = ("forwarded_from", "saved_from", "action")


class Evidence:
    """What one export tells, gathered while it is read."""

    def __init__(self) -> None:
        self._account_id: str | None = None
        self._savers: Counter[str] = Counter()
        self._partners: dict[str, tuple[str, str]] = {}
        self._chats: dict[str, None] = {}

    def note_account(self, person: Any) -> None:
        """Learn from what an account says of its owner."""
        number = whole_number(person.get("user_id")) if isinstance(person, dict) else None
        if number is not None:
            self._account_id = f"user{number}"

    def note_saved(self, entry: Any) -> None:
        """Learn from an entry of Saved Messages: what is no forward, I wrote."""
        if isinstance(entry, dict) and entry.keys().isdisjoint(_SAVED_FROM_OTHERS):
            with suppress(Unreadable):
                self._savers[sender(entry)[0]] += 1

    def note_chat(self, chat_id: str) -> None:
        """Learn that there is a chat of this id."""
        self._chats[chat_id] = None

    def note_speakers(self, chat: Chat, names: Mapping[str, str]) -> None:
        """Learn who spoke in a chat; in one of two, who is not the partner is me."""
        if chat.type != "personal_chat":
            return
        by_id = {chat.partner_id} if chat.partner_id is not None else set[str]()
        if names and names.keys() <= by_id:
            self._partners[chat.id] = "", "only the other one writes here"
            return
        by_name = {id_ for id_, name in names.items() if _bears(name, chat.name)}
        for partners, why in ((by_id, "id"), (by_name, "name")):
            others = names.keys() - partners
            known = why == "id" and all(id_.startswith("user") for id_ in names)
            if len(others) == 1 and (known or len(names) == 2):
                self._partners[chat.id] = others.pop(), f"the other one bears the chat's {why}"
                return

    def guess(self, chat: Chat, speaker_id: str) -> bool | None:
        """Guess, before all is read, whether somebody in a chat is me; None if nothing tells."""
        if self._account_id is not None:
            return speaker_id == self._account_id
        return None if chat.partner_id is None else speaker_id != chat.partner_id

    def found(self) -> dict[str, tuple[str, str]]:
        """Return my speaker id and how it was found, for each chat where something tells it."""
        return {chat: who for chat in self._chats if (who := self._found(chat)) is not None}

    def _found(self, chat_id: str) -> tuple[str, str] | None:
        if self._account_id is not None:
            return self._account_id, BY_ACCOUNT
        if chat_id in self._partners:
            return self._partners[chat_id]
        if self._savers:
            return self._savers.most_common(1)[0][0], BY_SAVED
        return None


def _bears(name: str, chat: str) -> bool:
    """Whether a person bears a chat's name, which is the first name alone in some versions."""
    return name == chat or name.startswith(f"{chat} ")
