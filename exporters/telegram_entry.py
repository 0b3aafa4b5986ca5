"""One entry of a Telegram chat to a message or a notice.

Source: `export_output_json.cpp` and `export_data_types.cpp` of telegramdesktop/tdesktop.
"""

import re
from datetime import UTC, datetime
from typing import Any

from exporters.entry import Unreadable, as_object, number, string
from exporters.telegram_chats import SHIFT, Chat
from likeness.messages import Kind, Message, Notice

_MEDIA = frozenset({
    "photo", "file", "media_type", "contact_information", "location_information", "place_name",
    "poll", "todo_list", "giveaway_information", "giveaway_results", "paid_stars_amount",
})  # fmt: skip
_FROM_BOTS = frozenset({"game_title", "invoice_information"})
_ACTION = re.compile(r"[a-z_]{1,40}")
_SHIFTED = {1: "user", 2: "channel"}


def read_entry(entry: Any, chat: Chat, index: int) -> Message | Notice:
    """Return what one entry says.

    Args:
        entry: As it stands in the file.
        chat: Where it stands.
        index: Its place in the chat, for files that number nothing.

    Raises:
        Unreadable: It has a shape that the app does not write.
    """
    entry = as_object(entry)
    type_ = entry.get("type")
    if type_ == "service":
        action = entry.get("action")
        named = isinstance(action, str) and _ACTION.fullmatch(action)
        return Notice(action.replace("_", " ") if named else "service message")
    if type_ == "unsupported":
        return Notice("unsupported by the exporting app")
    if type_ != "message":
        raise Unreadable("its type is none that the app writes")
    text = _text(entry) or string(entry, "sticker_emoji")
    if "poll" in entry and not text:
        return Notice("a poll")
    return _message(entry, text, chat, index)


def _message(entry: dict[str, Any], text: str, chat: Chat, index: int) -> Message:
    speaker_id, speaker = sender(entry)
    return Message(
        platform="telegram",
        chat_id=chat.id,
        chat=chat.name,
        id=f"#{index}" if entry.get("id") is None else str(number(entry, "id")),
        speaker_id=speaker_id,
        speaker=speaker,
        outgoing=None,
        sent_at=_moment(entry, chat),
        text=text,
        reply_to=_reply_to(entry),
        kind=_kind(entry, text, chat.type == "bot_chat" and speaker_id == chat.partner_id),
    )


def sender(entry: dict[str, Any]) -> tuple[str, str]:
    """Return the id and the name of who sent an entry; the oldest files tell only the name.

    Raises:
        Unreadable: They are not what the app writes.
    """
    name = string(entry, "from") or "Deleted Account"
    id_ = entry.get("from_id")
    if id_ is None:
        return name, name
    if isinstance(id_, str):
        return id_, name
    kind, bare = divmod(number(entry, "from_id"), SHIFT)
    return (f"{_SHIFTED[kind]}{bare}" if kind in _SHIFTED else f"user{id_}"), name


def _text(entry: dict[str, Any]) -> str:
    """Join the pieces of a text: they hold their own blanks."""
    text = entry.get("text")
    if text is None:
        text = entry.get("text_entities") or ""
    if isinstance(text, str):
        return text
    if not isinstance(text, list):
        raise Unreadable("its text is neither a string nor a list")
    return "".join(piece if isinstance(piece, str) else _piece(piece) for piece in text)


def _piece(piece: Any) -> str:
    words = piece.get("text") if isinstance(piece, dict) else None
    if not isinstance(words, str):
        raise Unreadable("a piece of its text is not text")
    return words


def _kind(entry: dict[str, Any], text: str, by_bot: bool) -> Kind:
    if "forwarded_from" in entry or "forwarded_from_id" in entry:
        return "forwarded"
    if by_bot or "via_bot" in entry or (text and not _FROM_BOTS.isdisjoint(entry)):
        return "automated"
    return "text" if text and _MEDIA.isdisjoint(entry) else "media"


def _reply_to(entry: dict[str, Any]) -> str | None:
    """Return the id of the answered message, unless that lies in another chat."""
    if entry.get("reply_to_message_id") is None or entry.get("reply_to_peer_id") is not None:
        return None
    return str(number(entry, "reply_to_message_id"))


def _moment(entry: dict[str, Any], chat: Chat) -> datetime:
    try:
        if entry.get("date_unixtime") is not None:
            return datetime.fromtimestamp(number(entry, "date_unixtime"), UTC)
        told = datetime.fromisoformat(string(entry, "date"))
        if told.tzinfo is not None:
            return told.astimezone(UTC)
        moment = chat.clock.utc(told)
    except (ValueError, OverflowError, OSError) as error:
        raise Unreadable("it has no date that can be read") from error
    chat.local_times += 1
    return moment
