"""Which chat a Telegram export tells of, and which chats of an account are nobody's conversation.

Source: `export_output_json.cpp` of telegramdesktop/tdesktop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exporters.clock import LocalClock
from exporters.entry import whole_number
from exporters.sources import Reading

_LEFT_OUT = {
    "bot_chat": ("in a chat with a bot", "bots"),
    "private_channel": ("in a channel", "channels"),
    "public_channel": ("in a channel", "channels"),
    "saved_messages": ("in Saved Messages", "saved"),
    "replies": ("in the Replies chat", None),
}
"""How to say that it is no conversation of people, and what to include to have it all the same."""

SHIFT = 2**32
"""Where the kind begins in the number that old versions wrote for a person, group or channel.

Source: `kUserPeerIdShift` and `kChatPeerIdShift` in their `export_data_types.cpp`.
"""

_WITH_KIND = range(SHIFT, 3 * SHIFT)
_CODES = "verification_codes"
_SENDS_CODES = frozenset({489_000, 777_000})
"""The users Verification Codes, which had no chat type of its own at first, and Telegram."""

CHAT_TYPES = frozenset({
    *_LEFT_OUT, _CODES, "personal_chat", "private_group", "private_supergroup", "public_supergroup",
})  # fmt: skip


@dataclass(slots=True)
class Chat:
    """A chat whose entries are being read.

    Attributes:
        id: Unique among users, groups and channels, whose bare numbers may coincide.
        name: As its owner sees it.
        type: As the app names it, such as `personal_chat`; empty if it does not say.
        number: As the app numbers it today, None if it does not.
        clock: For entries that tell only the computer's local time.
        local_times: How many did.
    """

    id: str
    name: str
    type: str
    number: int | None
    clock: LocalClock
    local_times: int = 0

    @property
    def partner_id(self) -> str | None:
        """In a chat of two, the speaker id of the other."""
        alone = self.type in ("personal_chat", "bot_chat") and self.number is not None
        return f"user{self.number}" if alone else None


def read_chat(
    header: dict[str, Any], otherwise: str, reading: Reading, is_old: Callable[[], bool]
) -> Chat:
    """Return the chat that stands above a list of messages.

    Args:
        header: What the file says of it.
        otherwise: Its id where the file gives none.
        reading: Whose zone is that of local times.
        is_old: Whether the kind stands in the file's numbers; new numbers may look as if.
    """
    number = whole_number(header.get("id"))
    if number is not None and number in _WITH_KIND and is_old():
        number %= SHIFT
    name, type_ = (_string(header.get(key)) for key in ("name", "type"))
    id_ = otherwise if number is None else f"{_prefix(type_)}{number}"
    return Chat(id_, name or _unnamed(type_), type_, number, LocalClock(reading.local_zone))


def left_out(
    type_: str, number: int | None, include: frozenset[str], in_account: bool
) -> str | None:
    """Return why a chat is left out, None if it is read.

    A chat that was exported alone is what was asked for; codes to log in are never read.
    """
    if type_ == _CODES or (number in _SENDS_CODES and not _prefix(type_)):
        return "a verification code"
    reason, switch = _LEFT_OUT.get(type_, (None, None))
    return None if not in_account or switch in include else reason


def clock_remark(count: int, zone_name: str) -> str:
    """Return what is to be said of messages that tell no zone."""
    who = "1 message tells" if count == 1 else f"{count} messages tell"
    return f"{who} only the exporting computer's clock; read in {zone_name}."


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _prefix(type_: str) -> str:
    """Keep groups and channels apart from people, whose bare numbers may be the same."""
    if type_ == "private_group":
        return "chat"
    return "channel" if type_.endswith(("supergroup", "channel")) else ""


def _unnamed(type_: str) -> str:
    return {"saved_messages": "Saved Messages", "replies": "Replies"}.get(type_, "Deleted Account")
