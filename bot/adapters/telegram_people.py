"""Who speaks on Telegram, to whom, and which command it is."""

from telegram import Chat, Message, MessageEntity, User
from telegram.constants import ChatType

from bot.access import Visitor
from bot.adapters.telegram_chats import mentions, speaker
from bot.commands import COMMANDS


def visitor_of(message: Message) -> Visitor | None:
    """Return who wrote a message; None for a bot."""
    author = speaker(message)
    if author is None:
        return None
    return _visitor(*author, message.chat)


def visitor_at(user: User, chat: Chat) -> Visitor:
    """Return who pressed a button."""
    return _visitor(f"user{user.id}", user.full_name, chat)


def _visitor(speaker_id: str, name: str, chat: Chat) -> Visitor:
    group = chat.type != ChatType.PRIVATE
    return Visitor(
        platform="telegram",
        id=speaker_id.removeprefix("user").removeprefix("chat"),
        speaker_id=speaker_id,
        name=name,
        circles=(str(chat.id),) if group else (),
        place=(chat.effective_name or "") if group else "",
        group=group,
    )


def command_of(message: Message, username: str) -> str | None:
    """Return the command of `COMMANDS` in a message and its words, without its slash.

    Args:
        message: Any.
        username: The bot's, lower case.

    Returns:
        None if it is none, though a word begins with a slash; empty if it is for another bot.
    """
    first = message.entities[0] if message.entities else None
    if first is None or first.type != MessageEntity.BOT_COMMAND or first.offset:
        return None
    name, _, target = message.parse_entity(first).removeprefix("/").partition("@")
    if target.lower() not in ("", username):
        return ""
    if name.lower() not in COMMANDS:
        return None
    words = (message.text or "")[first.length :].strip()
    return f"{name.lower()} {words}".strip()


def is_addressed(message: Message, bot_id: int, username: str) -> bool:
    """Return whether a message is said to the bot."""
    if message.chat.type == ChatType.PRIVATE:
        return True
    original = message.reply_to_message
    # In a topic, a message that answers none "replies" to the notice that opened the topic.
    author = original.from_user if original and not original.forum_topic_created else None
    return (author is not None and author.id == bot_id) or any(
        entity.user.id == bot_id if entity.user else words.lower() == f"@{username}"
        for entity, words in mentions(message)
    )
