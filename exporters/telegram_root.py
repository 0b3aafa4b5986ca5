"""Whether a file is Telegram Desktop's JSON: of one chat, or of the whole account."""

import re
from contextlib import suppress
from typing import Any

from exporters.repair import Repairs
from exporters.sources import Source
from exporters.streaming import beginning
from exporters.telegram_chats import CHAT_TYPES
from likeness.errors import DamagedSource

LISTS = ("chats", "left_chats")
_AGE = re.compile(rb'"date_unixtime"|"from_id": *["0-9]')
_LONGEST_AGE = 32
_BLOCK_BYTES = 1 << 20


def is_telegram_json(head: bytes) -> bool:
    """Tell it from the first bytes of a file."""
    found = beginning(Repairs().mended(head))
    return isinstance(found, dict) and (_is_account(found) or _is_chat(found))


def numbers_people(source: Source) -> bool:
    """Tell whether people are numbers in a file, or are not numbered: so it was up to 2021."""
    tail = b""
    with suppress(DamagedSource), source.open() as file:
        while block := file.read(_BLOCK_BYTES):
            if found := _AGE.search(tail + block):
                return found[0][-1:].isdigit()
            tail = (tail + block)[-_LONGEST_AGE:]
    return True


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
