"""Who speaks on Discord, and to whom."""

import discord

from bot.access import Visitor
from bot.adapters.discord_chats import chat_of


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
