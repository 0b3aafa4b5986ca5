"""Who speaks on Discord, and to whom."""

import asyncio
from contextlib import suppress

import aiohttp
import discord

from bot.access import Access, Visitor
from bot.adapters.discord_chats import chat_of

FAULTS = (discord.DiscordException, aiohttp.ClientError, OSError)
"""What talking to Discord may raise."""


class People:
    """Who wrote some messages; each who is not known without their roles is looked up once."""

    def __init__(self, access: Access, call_seconds: float) -> None:
        """Know nobody yet.

        Args:
            access: Says who is known.
            call_seconds: How long to look somebody up.
        """
        self._access = access
        self._call_seconds = call_seconds
        self._members: dict[tuple[int, int], discord.Member | None] = {}

    async def author(self, message: discord.Message) -> Visitor:
        """Return who wrote a message; one that was looked up comes without their roles.

        Raises:
            DatabaseError: It cannot be known who is known.
        """
        visitor, guild, id_ = visitor_of(message), message.guild, message.author.id
        if guild is None or isinstance(message.author, discord.Member):
            return visitor
        if await self._access.standing(visitor) is not None:
            return visitor
        if (guild.id, id_) not in self._members:
            self._members[guild.id, id_] = await self._member(guild, id_)
        return visitor_of(message, self._members[guild.id, id_])

    async def _member(self, guild: discord.Guild, id_: int) -> discord.Member | None:
        with suppress(*FAULTS):
            async with asyncio.timeout(self._call_seconds):
                return await guild.fetch_member(id_)
        return None


def channels_in(client: discord.Client, id_: str) -> list[str]:
    """Return the ids of a server's channels; none where the id is not that of a server."""
    guild = client.get_guild(int(id_))
    return [str(channel.id) for channel in guild.channels] if guild else []


def visitor_of(message: discord.Message, author: discord.Member | None = None) -> Visitor:
    """Return who wrote a message.

    Args:
        message: Any.
        author: The same person with roles, where the message does not have them.
    """
    chat = chat_of(message.channel)
    return _visitor(author or message.author, message.guild, (chat.chat, chat.thread))


def visitor_at(interaction: discord.Interaction, *, unseen: bool) -> Visitor:
    """Return who gave a command or pressed a button.

    Args:
        interaction: Either.
        unseen: Whether nobody else sees what is told there.
    """
    chat = ("", "") if interaction.channel is None else _ids(interaction.channel)
    return _visitor(interaction.user, interaction.guild, chat, unseen=unseen)


def _ids(channel: discord.abc.Snowflake) -> tuple[str, str]:
    chat = chat_of(channel)
    return chat.chat, chat.thread


def _visitor(
    user: discord.User | discord.Member,
    guild: discord.Guild | None,
    channel: tuple[str, str],
    *,
    unseen: bool = False,
) -> Visitor:
    roles = user.roles if isinstance(user, discord.Member) else []
    circles = (str(guild.id), *channel, *(str(role.id) for role in roles)) if guild else ()
    return Visitor(
        platform="discord",
        id=str(user.id),
        speaker_id=str(user.id),
        name=user.display_name,
        circles=tuple(filter(None, circles)),
        place=guild.name if guild else "",
        group=guild is not None,
        unseen=unseen,
    )


def is_addressed(message: discord.Message, me: discord.ClientUser | None) -> bool:
    """Return whether a message is said to the bot."""
    if message.guild is None or me in message.mentions:
        return True
    if message.guild.self_role in message.role_mentions:
        return True
    original = message.reference.resolved if message.reference else None
    return isinstance(original, discord.Message) and original.author == me
