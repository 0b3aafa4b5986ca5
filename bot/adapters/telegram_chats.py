"""One Telegram chat: what was said in it, and sending into it."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial

from telegram import Bot, Message, MessageEntity, ReplyParameters
from telegram.constants import ChatAction, MessageLimit
from telegram.error import BadRequest, ChatMigrated, InvalidToken, NetworkError, RetryAfter

from bot.adapters import delivery
from bot.adapters.delivery import Patience
from bot.history import ChatId
from likeness import messages
from likeness.errors import DatabaseError

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
    """The chat or topic of one message; a `bot.outlet.Outlet`."""

    def __init__(
        self,
        bot: Bot,
        chat: ChatId,
        message_id: str,
        patience: Patience,
        moved: Callable[[ChatId, ChatId], Awaitable[None]],
    ) -> None:
        """Answer a message: in a group as a reply to it, in private without.

        Args:
            bot: Who sends.
            chat: Where.
            message_id: What is answered.
            patience: For what fails.
            moved: Told when a group has got another id.
        """
        self.chat = chat
        self._bot = bot
        self._patience = patience
        self._moved = moved
        self._replies_to: ReplyParameters | None = None
        # A group's id is negative; a message from before it moved has no number there.
        if chat.chat.startswith("-") and message_id.isdecimal():
            self._replies_to = ReplyParameters(int(message_id), allow_sending_without_reply=True)

    def split(self, text: str) -> list[str]:
        """Cut a text into messages that Telegram takes."""
        return delivery.split(text, MessageLimit.MAX_TEXT_LENGTH, _utf16_units)

    async def send(self, text: str, nonce: str = "") -> str:  # noqa: ARG002 (Telegram knows none)
        """Send one message; return its id.

        Raises:
            NotDelivered: Telegram or the network would not have it.
        """
        return await delivery.insist(partial(self._post, text), _pause, self._patience)

    async def _post(self, text: str) -> str:
        try:
            message = await self._bot.send_message(
                self.chat.chat,
                text,
                message_thread_id=self._topic,
                reply_parameters=self._replies_to,
            )
        except ChatMigrated as error:
            new = ChatId("telegram", str(error.new_chat_id), self.chat.thread)
            await self._moved(self.chat, new)
            self.chat, self._replies_to = new, None
            raise
        self._replies_to = None
        return str(message.message_id)

    @property
    def _topic(self) -> int | None:
        return int(self.chat.thread) if self.chat.thread else None

    def typing(self) -> AbstractAsyncContextManager[None]:
        """Show a typing sign until left."""
        return delivery.kept_up(self._sign, TYPING_SECONDS)

    async def _sign(self) -> None:
        await self._bot.send_chat_action(
            self.chat.chat, ChatAction.TYPING, message_thread_id=self._topic
        )


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _pause(error: Exception) -> float | None:
    if isinstance(error, RetryAfter):
        return seconds(error)
    if isinstance(error, BadRequest):
        return None
    # A revoked token ends the bot: what could not be sent goes out with the next one.
    passing = NetworkError | ChatMigrated | InvalidToken | DatabaseError
    return 0.0 if isinstance(error, passing) else None


def seconds(error: RetryAfter) -> float:
    """Return how long Telegram asks to wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
