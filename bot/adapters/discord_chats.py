"""One Discord channel: what was said in it, and sending into it."""

import asyncio
import secrets
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus

import aiohttp
import discord
from discord.abc import Snowflake

from bot.adapters import delivery
from bot.adapters.delivery import Patience
from bot.conversation import ChatId
from likeness import messages

TYPING_SECONDS = 8.0
"""Discord shows a typing sign for ten."""
MESSAGE_CHARACTERS = 2000
"""What Discord takes as one message."""
PASSING = {HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)}
"""The HTTP statuses that are not about what was asked."""
WRITTEN = (discord.MessageType.default, discord.MessageType.reply)
"""The kinds of message that somebody wrote; the others are notices."""


def chat_of(channel: Snowflake) -> ChatId:
    """Return the chat that a channel is; each thread is one of its own."""
    if isinstance(channel, discord.Thread):
        return ChatId("discord", str(channel.parent_id), str(channel.id))
    return ChatId("discord", str(channel.id))


def translate(message: discord.Message) -> messages.Message | None:
    """Return what a person said; None for bots, webhooks and notices of the app."""
    if message.author.bot or message.webhook_id or message.type not in WRITTEN:
        return None
    text, kind = _content(message)
    chat = chat_of(message.channel)
    return messages.Message(
        platform="discord",
        chat_id=chat.chat,
        chat=getattr(message.channel, "name", message.author.display_name),
        id=str(message.id),
        speaker_id=str(message.author.id),
        speaker=message.author.display_name,
        outgoing=False,
        sent_at=message.created_at,
        text=text,
        reply_to=_answered(message),
        kind=kind,
    )


def _content(message: discord.Message) -> tuple[str, messages.Kind]:
    if message.message_snapshots:
        return message.message_snapshots[0].content, "forwarded"
    bare = not (message.attachments or message.stickers)
    return message.clean_content, "text" if bare else "media"


def _answered(message: discord.Message) -> str | None:
    if message.type is not discord.MessageType.reply or message.reference is None:
        return None
    return str(message.reference.message_id)


class DiscordOutlet:
    """The channel or thread of one message; a `bot.conversation.Outlet`."""

    def __init__(self, message: discord.Message, patience: Patience) -> None:
        """Answer a message: in a server as a reply to it, in private without."""
        self._channel = message.channel
        self._patience = patience
        self._replies_to: discord.MessageReference | None = None
        if message.guild is not None:
            self._replies_to = message.to_reference(fail_if_not_exists=False)

    async def send(self, text: str) -> str:
        """Send a text in as many messages as it needs; return the first one's id.

        Raises:
            NotDelivered: Discord or the network would not have it.
        """
        pieces = delivery.split(text, MESSAGE_CHARACTERS)
        sent = [await self._post(piece) for piece in pieces]
        return sent[0]

    async def _post(self, text: str) -> str:
        nonce = secrets.token_hex(12)  # the same in every try, so that Discord keeps only one

        async def attempt() -> str:
            async with asyncio.timeout(self._patience.send_seconds):
                if self._replies_to is None:
                    return str((await self._channel.send(text, nonce=nonce)).id)
                sent = await self._channel.send(text, nonce=nonce, reference=self._replies_to)
                return str(sent.id)

        id_ = await delivery.insist(attempt, pause, self._patience)
        self._replies_to = None
        return id_

    def typing(self) -> AbstractAsyncContextManager[None]:
        """Show a typing sign until left."""
        return delivery.kept_up(self._sign, TYPING_SECONDS)

    async def _sign(self) -> None:
        await self._channel.typing()


def pause(error: Exception) -> float | None:
    """Return 0 for what passes by waiting; the library itself waits where it is told how long."""
    if isinstance(error, discord.HTTPException):
        return 0.0 if error.status in PASSING else None
    return 0.0 if isinstance(error, discord.RateLimited | aiohttp.ClientError | OSError) else None
