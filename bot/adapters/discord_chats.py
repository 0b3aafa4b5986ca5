"""One Discord channel: what was said in it, and sending into it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus

import aiohttp
import discord
from discord.abc import Snowflake

from bot.adapters import delivery
from bot.adapters.delivery import Patience
from bot.history import ChatId
from likeness import messages

TYPING_SECONDS = 8.0
"""Discord shows a typing sign for ten."""
MESSAGE_CHARACTERS = 2000
"""What Discord takes as one message."""
PASSING = {HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)}
"""The HTTP statuses that are not about what was asked."""
Channel = (
    discord.TextChannel
    | discord.Thread
    | discord.VoiceChannel
    | discord.StageChannel
    | discord.DMChannel
    | discord.GroupChannel
)
"""Where somebody can write."""
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
    """A channel or thread; a `bot.outlet.Outlet`."""

    def __init__(self, channel: Channel, message_id: str, patience: Patience) -> None:
        """Answer a message: in a server as a reply to it, if it has an id; in private without."""
        self.chat = chat_of(channel)
        self._channel = channel
        self._patience = patience
        self._replies_to: discord.MessageReference | None = None
        guild = getattr(channel, "guild", None)
        if guild is not None and message_id:
            self._replies_to = discord.MessageReference(
                message_id=int(message_id),
                channel_id=channel.id,
                guild_id=guild.id,
                fail_if_not_exists=False,
            )

    def split(self, text: str) -> list[str]:
        """Cut a text into messages that Discord takes."""
        return delivery.split(text, MESSAGE_CHARACTERS)

    async def send(self, text: str, nonce: str) -> str:
        """Send one message; return its id.

        Args:
            text: The message.
            nonce: By which Discord knows for some minutes that it has it already.

        Raises:
            NotDelivered: Discord or the network would not have it.
        """

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
