"""Whether a file is Telegram Desktop's JSON: of one chat, or of the whole account."""

from typing import Any

from exporters.repair import Repairs
from exporters.streaming import beginning
from exporters.telegram_chats import CHAT_TYPES

LISTS = ("chats", "left_chats")


def is_telegram_json(head: bytes) -> bool:
    """Tell it from the first bytes of a file."""
    found = beginning(Repairs().mended(head))
    return isinstance(found, dict) and (_is_account(found) or _is_chat(found))


def _is_account(found: dict[str, Any]) -> bool:
    sections = [found.get(key) for key in (*LISTS, "contacts", "frequent_contacts")]
    listed = any(isinstance(part, dict) and isinstance(part.get("list"), list) for part in sections)
    person = found.get("personal_information")
    return listed or (isinstance(person, dict) and isinstance(person.get("user_id"), int))


def _is_chat(found: dict[str, Any]) -> bool:
    messages = found.get("messages")
    if not isinstance(messages, list) or "channel" in found:
        return False
    if str(found.get("type")) in CHAT_TYPES:
        return True
    first = messages[0] if messages else None
    if not isinstance(first, dict) or first.get("type") not in ("message", "service"):
        return False
    return "date" in first or "date_unixtime" in first
