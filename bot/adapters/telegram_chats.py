"""One Telegram chat: what was said in it, and sending into it."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial

from telegram import Bot, Message, MessageEntity, ReplyParameters
from telegram.constants import ChatAction, ChatType, MessageLimit
from telegram.error import BadRequest, ChatMigrated, NetworkError, RetryAfter

from bot.adapters import delivery
from bot.adapters.delivery import Patience
from bot.conversation import ChatId
from likeness import messages

TYPING_SECONDS = 4.0
"""Telegram shows a typing sign for five."""


def chat_of(message: Message) -> ChatId:
    """Return where a message was sent; each topic of a group is a chat of its own."""
    topic = message.message_thread_id if message.is_topic_message else None
    return ChatId("telegram", str(message.chat_id), str(topic or ""))


def mentions(message: Message) -> Iterable[tuple[MessageEntity, str]]:
    """Yield what names somebody in a message, with the words that do."""
    kinds: list[str | None] = [MessageEntity.MENTION, MessageEntity.TEXT_MENTION]
    words = message.parse_entities(kinds) or message.parse_caption_entities(kinds)
    return words.items()


def speaker(message: Message) -> tuple[str, str] | None:
    """Return the id and name of the person who wrote a message, None for a bot.

    Who writes as a group or channel does it behind a bot's name.
    """
    if message.sender_chat is not None:
        return f"chat{message.sender_chat.id}", message.sender_chat.effective_name or ""
    if message.from_user is None or message.from_user.is_bot:
        return None
    return f"user{message.from_user.id}", message.from_user.full_name


def translate(message: Message) -> messages.Message | None:
    """Return what a person said; None for bots and for notices of the app."""
    author = speaker(message)
    if author is None or (message.text is None and message.effective_attachment is None):
        return None
    emoji = message.sticker.emoji if message.sticker else None
    return messages.Message(
        platform="telegram",
        chat_id=str(message.chat_id),
        chat=message.chat.effective_name or "",
        id=str(message.message_id),
        speaker_id=author[0],
        speaker=author[1],
        outgoing=False,
        sent_at=message.date,
        text=message.text or message.caption or emoji or "",
        reply_to=str(message.reply_to_message.message_id) if message.reply_to_message else None,
        kind=_kind(message),
    )


def _kind(message: Message) -> messages.Kind:
    if message.via_bot:
        return "automated"
    if message.forward_origin:
        return "forwarded"
    return "text" if message.text else "media"


class TelegramOutlet:
    """The chat or topic of one message; a `bot.conversation.Outlet`."""

    def __init__(self, bot: Bot, message: Message, patience: Patience) -> None:
        self._bot = bot
        self._patience = patience
        self._chat_id = message.chat_id
        self._topic = message.message_thread_id if message.is_topic_message else None
        self._replies_to = None
        if message.chat.type != ChatType.PRIVATE:
            self._replies_to = ReplyParameters(message.message_id, allow_sending_without_reply=True)

    async def send(self, text: str) -> str:
        """Send a text in as many messages as it needs; return the first one's id.

        Raises:
            NotDelivered: Telegram or the network would not have it.
        """
        pieces = delivery.split(text, MessageLimit.MAX_TEXT_LENGTH, _utf16_units)
        sent = [
            await delivery.insist(partial(self._post, piece), _pause, self._patience)
            for piece in pieces
        ]
        return sent[0]

    async def _post(self, text: str) -> str:
        try:
            message = await self._bot.send_message(
                self._chat_id,
                text,
                message_thread_id=self._topic,
                reply_parameters=self._replies_to,
            )
        except ChatMigrated as error:
            self._chat_id, self._replies_to = error.new_chat_id, None
            raise
        self._replies_to = None
        return str(message.message_id)

    def typing(self) -> AbstractAsyncContextManager[None]:
        """Show a typing sign until left."""
        return delivery.kept_up(
            partial(
                self._bot.send_chat_action,
                self._chat_id,
                ChatAction.TYPING,
                message_thread_id=self._topic,
            ),
            TYPING_SECONDS,
        )


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _pause(error: Exception) -> float | None:
    if isinstance(error, RetryAfter):
        return seconds(error)
    if isinstance(error, BadRequest):
        return None
    return 0.0 if isinstance(error, NetworkError | ChatMigrated) else None


def seconds(error: RetryAfter) -> float:
    """Return how long Telegram asks to wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
