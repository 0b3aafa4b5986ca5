"""One Telegram chat: what was said in it, and sending into it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    MessageEntity,
    ReplyParameters,
)
from telegram.constants import CallbackQueryLimit, ChatAction, MessageLimit
from telegram.error import BadRequest, ChatMigrated, InvalidToken, NetworkError, RetryAfter

from bot.adapters import delivery
from bot.adapters.delivery import Patience
from bot.history import ChatId
from bot.outlet import Reply
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
        patience: Patience,
        moved: Callable[[ChatId, ChatId], Awaitable[None]],
    ) -> None:
        """Send into a chat.

        Args:
            bot: Who sends.
            chat: Where.
            patience: For what fails.
            moved: Told when a group has got another id.
        """
        self.chat = chat
        self._bot = bot
        self._patience = patience
        self._moved = moved

    def split(self, text: str) -> list[str]:
        """Cut a text into messages that Telegram takes."""
        return delivery.split(text, MessageLimit.MAX_TEXT_LENGTH, _utf16_units)

    async def send(self, text: str, nonce: str = "", answers: str = "") -> str:  # noqa: ARG002 (Telegram knows no nonces)
        """Send one message; return its id.

        Args:
            text: The message.
            nonce: Telegram knows none.
            answers: To what it is a reply, in a group.

        Raises:
            NotDelivered: Telegram or the network would not have it.
        """
        return await self.say(Reply(text), answers)

    async def say(self, reply: Reply, answers: str = "") -> str:
        """Send what the bot itself says; return its id.

        Raises:
            NotDelivered: Telegram or the network would not have it.
        """
        post = partial(self._post, reply, _replies_to(self.chat, answers), self.chat)
        return await delivery.insist(post, _pause, self._patience)

    async def _post(self, reply: Reply, replies_to: ReplyParameters | None, asked: ChatId) -> str:
        rest: dict[str, Any] = {
            "message_thread_id": int(self.chat.thread) if self.chat.thread else None,
            # A message from before the group moved has no number where it is now.
            "reply_parameters": replies_to if self.chat == asked else None,
            "reply_markup": keyboard(reply),
        }
        try:
            if reply.file is None:
                message = await self._bot.send_message(self.chat.chat, reply.text, **rest)
            else:
                name, held = reply.file
                message = await self._bot.send_document(
                    self.chat.chat, held, filename=name, caption=reply.text, **rest
                )
        except ChatMigrated as error:
            new = ChatId("telegram", str(error.new_chat_id), self.chat.thread)
            await self._moved(self.chat, new)
            self.chat = new
            raise
        return str(message.message_id)

    async def change(self, message_id: int, reply: Reply) -> None:
        """Put something else into a message with buttons.

        Raises:
            NotDelivered: Telegram or the network would not have it.
        """

        async def attempt() -> None:
            with suppress(BadRequest):  # it says that already, or it was deleted
                await self._bot.edit_message_text(
                    reply.text,
                    chat_id=self.chat.chat,
                    message_id=message_id,
                    reply_markup=keyboard(reply),
                )

        await delivery.insist(attempt, _pause, self._patience)

    def typing(self, room: asyncio.Semaphore) -> AbstractAsyncContextManager[None]:
        """Show a typing sign until left, from when there is room for one more."""
        return delivery.kept_up(self._sign, TYPING_SECONDS, room)

    async def _sign(self) -> None:
        topic = int(self.chat.thread) if self.chat.thread else None
        await self._bot.send_chat_action(self.chat.chat, ChatAction.TYPING, message_thread_id=topic)


def keyboard(reply: Reply) -> InlineKeyboardMarkup | None:
    """Return a reply's buttons as Telegram has them."""
    if not reply.buttons:
        return None
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(button.label, callback_data=button.line) for button in row]
            for row in reply.buttons
        ]
    )


def refusal(reply: Reply | None) -> dict[str, Any]:
    """Return what tells a refusal to whoever pressed a button, and to nobody else."""
    if reply is None or not reply.refuses:
        return {}
    limit = CallbackQueryLimit.ANSWER_CALLBACK_QUERY_TEXT_LENGTH
    return {"text": delivery.split(reply.text, limit, _utf16_units)[0], "show_alert": True}


def _replies_to(chat: ChatId, message_id: str) -> ReplyParameters | None:
    """Return what makes a message a reply: in groups, whose ids are negative."""
    if not chat.chat.startswith("-") or not message_id.isdecimal():
        return None
    return ReplyParameters(int(message_id), allow_sending_without_reply=True)


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _pause(error: Exception) -> float | None:
    if isinstance(error, RetryAfter):
        return seconds(error)
    if isinstance(error, BadRequest):
        return None
    # A revoked token ends the bot: what could not be sent goes out with the next one.
    passing = NetworkError | ChatMigrated | InvalidToken | DatabaseError | OSError
    return 0.0 if isinstance(error, passing) else None


def seconds(error: RetryAfter) -> float:
    """Return how long Telegram asks to wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
