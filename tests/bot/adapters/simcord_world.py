"""A bot in SimCord's model of Discord, and what stands in the channels there."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import simcord

from bot.access import EVERYONE, Access
from bot.adapters.delivery import Patience
from bot.adapters.discord_client import LikenessClient
from bot.conversation import Conversation
from bot.pace import Manner
from bot.reception import Reception
from tests.bot.adapters.fake_history import FakeHistory

Run = Callable[..., Any]


def talk(history: FakeHistory, engine: Any) -> Conversation:
    """Make a conversation that minds no age, as SimCord's clock stands in the past."""
    return Conversation(history, engine, manner=Manner(answer_within_seconds=100 * 366 * 86_400))


def door(conversation: Conversation) -> Reception:
    """Let everybody in."""
    return Reception(conversation, Access("discord", conversation.history, allowed=[EVERYONE]))


def running_in_simcord(history: FakeHistory, hasty: Patience, fake_engine: Any) -> Run:
    """Return a context in which a bot runs; it gives SimCord's world."""

    @asynccontextmanager
    async def running(*scripts: Any, **options: Any) -> AsyncIterator[simcord.Env]:
        client = LikenessClient(door(talk(history, fake_engine(*scripts))), hasty)
        async with simcord.run(client, **options) as world:
            yield world

    return running


def place(world: simcord.Env) -> tuple[simcord.ChannelHandle, simcord.MemberActor]:
    guild = world.create_guild("The band")
    return guild.create_text_channel("drums"), guild.add_member(world.create_user("Ann"))


def words(channel: simcord.ChannelHandle, world: simcord.Env) -> list[str]:
    return [
        message.content for message in channel.history() if message.author.id == world.bot.user.id
    ]


def mention(world: simcord.Env) -> str:
    return str(world.bot.user.mention)
