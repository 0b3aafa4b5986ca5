"""One Discord channel: what was said in it, and sending into it."""

import asyncio
import io
import math
import secrets
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any

import aiohttp
import discord
from discord.abc import Snowflake

from bot.adapters import delivery
from bot.adapters.delivery import Patience
from bot.adapters.discord_marks import UNKNOWN, seen
from bot.history import ChatId
from bot.outlet import Button, Reply
from likeness import messages

TYPING_SECONDS = 8.0
"""Discord shows a typing sign for ten."""
MESSAGE_CHARACTERS = 2000
"""What Discord takes as one message."""
ROWS = 5
"""How many rows of buttons Discord takes below a message."""
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


def shard_of(channel: Snowflake) -> int:
    """Return over which connection Discord tells of a channel: of private ones over the first."""
    guild = getattr(channel, "guild", None)
    return 0 if guild is None else guild.shard_id


def translate(message: discord.Message) -> messages.Message | None:
    """Return what a person said; None for bots, webhooks and notices of the app.

    Without the right to read, Discord sends messages that are not for the bot as if empty; those
    are nothing, too.
    """
    if message.author.bot or message.webhook_id or message.type not in WRITTEN:
        return None
    text, kind = _content(message)
    if not text and kind == "text":
        return None
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
        return seen(message.message_snapshots[0].content), "forwarded"
    bare = not (message.attachments or message.stickers)
    # The library puts a space of no width behind the @ of what would ping everybody, and has a
    # name of its own for whom it does not know.
    text = message.clean_content.replace("@\u200b", "@").replace("@deleted-user", UNKNOWN)
    return seen(text), "text" if bare else "media"


def _answered(message: discord.Message) -> str | None:
    if message.type is not discord.MessageType.reply or message.reference is None:
        return None
    return str(message.reference.message_id)


class DiscordOutlet:
    """A channel or thread; a `bot.outlet.Outlet`."""

    def __init__(self, channel: Channel, patience: Patience) -> None:
        """Send into a channel."""
        self.chat = chat_of(channel)
        self._channel = channel
        self._patience = patience

    def split(self, text: str) -> list[str]:
        """Cut a text into messages that Discord takes."""
        return delivery.split(text, MESSAGE_CHARACTERS)

    async def send(self, text: str, nonce: str, answers: str = "") -> str:
        """Send one message; return its id.

        Args:
            text: The message.
            nonce: By which Discord knows for some minutes that it has it already.
            answers: To what it is a reply, in a server.

        Raises:
            NotDelivered: Discord or the network would not have it.
        """
        return await self._post(Reply(text), nonce, answers)

    async def say(self, reply: Reply, answers: str = "") -> str:
        """Send what the bot itself says; return its id.

        Raises:
            NotDelivered: Discord or the network would not have it.
        """
        return await self._post(reply, secrets.token_hex(12), answers)

    async def _post(self, reply: Reply, nonce: str, answers: str) -> str:
        rest = {"nonce": nonce, **self._reference(answers)}

        async def attempt() -> str:
            sent = await self._channel.send(reply.text, **rest, **extras(reply))
            return str(sent.id)

        return await delivery.insist(attempt, pause, self._patience)

    def _reference(self, answers: str) -> dict[str, Any]:
        guild = getattr(self._channel, "guild", None)
        if guild is None or not answers:
            return {}
        original = discord.MessageReference(
            message_id=int(answers),
            channel_id=self._channel.id,
            guild_id=guild.id,
            fail_if_not_exists=False,
        )
        return {"reference": original}

    def typing(self, room: asyncio.Semaphore) -> AbstractAsyncContextManager[None]:
        """Show a typing sign until left, from when there is room for one more."""
        return delivery.kept_up(self._sign, TYPING_SECONDS, room)

    async def _sign(self) -> None:
        await self._channel.typing()


def extras(reply: Reply) -> dict[str, Any]:
    """Return a reply's buttons and file as discord.py takes them, for one try."""
    found: dict[str, Any] = {}
    if reply.buttons:
        found["view"] = _view(reply.buttons)
    if reply.file is not None:
        name, held = reply.file
        found["file"] = discord.File(io.BytesIO(held), name)
    return found


def _view(rows: Sequence[Sequence[Button]]) -> discord.ui.View:
    """Lay out rows of buttons; where they are too many, as many as must share one, none parted."""
    view = discord.ui.View(timeout=None)
    sharing = math.ceil(len(rows) / ROWS)
    for place, row in enumerate(rows):
        for button in row:
            at = place // sharing
            view.add_item(discord.ui.Button(label=button.label, custom_id=button.line, row=at))
    view.stop()  # what is pressed comes as an interaction, also after a restart
    return view


def pause(error: Exception) -> float | None:
    """Return how long to wait at least, 0 for any time; None for what does not pass."""
    if isinstance(error, discord.RateLimited):  # for longer than the library may wait by itself
        return error.retry_after
    if isinstance(error, discord.HTTPException):
        return 0.0 if error.status in PASSING else None
    return 0.0 if isinstance(error, aiohttp.ClientError | OSError) else None
