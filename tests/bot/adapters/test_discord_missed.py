"""What was said on Discord while nobody listened is looked up, whoever said it and wherever."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import simcord

from bot.access import Access
from bot.adapters.delivery import Patience
from bot.adapters.discord_client import LikenessClient
from bot.conversation import Conversation
from bot.pace import Manner
from bot.reception import Reception
from tests.bot.adapters.fake_history import FakeHistory

Run = Callable[..., Any]


class Away(LikenessClient):
    """A bot that is connected for SimCord's sake, and hears nothing once it is away."""

    away = False

    async def on_message(self, message: Any) -> None:
        if not self.away:
            await super().on_message(message)


@pytest.fixture
def running(history: FakeHistory, hasty: Patience, fake_engine: Any) -> Run:
    """Return a context in which the bot runs; it gives SimCord's world and what starts it anew."""

    @asynccontextmanager
    async def running() -> AsyncIterator[tuple[simcord.Env, Reception, Away]]:
        minds_no_age = Manner(answer_within_seconds=100 * 366 * 86_400)
        talk = Conversation(history, fake_engine(), manner=minds_no_age)
        door = Reception(talk, Access("discord", history))
        client = Away(door, hasty)
        async with simcord.run(client) as world:
            yield world, door, client

    return running


def let_in(door: Reception, *ids: int) -> None:
    history = door.conversation.history
    door.access = Access("discord", history, allowed=[str(id_) for id_ in ids])


async def come_back(world: simcord.Env, door: Reception, patience: Patience) -> None:
    await world.restart_bot(LikenessClient(door, patience, catch_up=10))
    await world.settle()


async def test_who_may_talk_to_it_by_a_role_is_known_by_it_in_what_was_missed(
    running: Run, hasty: Patience
) -> None:
    async with running() as (world, door, client):
        guild = world.create_guild("The band")
        channel = guild.create_text_channel("drums")
        role = guild.create_role("drummers")
        ann = guild.add_member(world.create_user("Ann"), roles=[role])
        eve = guild.add_member(world.create_user("Eve"))
        let_in(door, role.id)
        await ann.send(channel, f"{world.bot.user.mention} hello")
        client.away = True
        asked = await ann.send(channel, f"{world.bot.user.mention} still there?")
        await eve.send(channel, f"{world.bot.user.mention} and I?")
        await come_back(world, door, hasty)
        answers = [one for one in channel.history() if one.author.id == world.bot.user.id]
        assert [one.content for one in answers].count("ok") == 2
        [*_, newest] = [one for one in answers if one.content == "ok"]
        assert newest.reference.message_id == asked.id
        assert {guest.name for guest in door.access.book.signed.values()} == {"Eve"}


@pytest.mark.slow
async def test_whom_it_does_not_know_is_looked_up_once_however_much_they_wrote(
    running: Run, hasty: Patience
) -> None:
    async with running() as (world, door, client):
        guild = world.create_guild("The band")
        channel = guild.create_text_channel("drums")
        ann = guild.add_member(world.create_user("Ann"))
        eve = guild.add_member(world.create_user("Eve"))
        let_in(door, ann.id)
        await ann.send(channel, f"{world.bot.user.mention} hello")
        client.away = True
        for text in ("who", "brings", "the drums?"):
            await eve.send(channel, text)
        await come_back(world, door, hasty)
        asked = [call.path for call in world.http_requests if call.method == "GET"]
        assert [path.endswith(f"/members/{eve.id}") for path in asked].count(True) == 1


async def test_what_was_missed_in_a_thread_that_was_archived_is_answered_there(
    running: Run, history: FakeHistory, hasty: Patience
) -> None:
    async with running() as (world, door, client):
        guild = world.create_guild("The band")
        channel = guild.create_text_channel("drums")
        ann = guild.add_member(world.create_user("Ann"))
        let_in(door, guild.id)
        started = await ann.send(channel, "about the drums")
        thread = await client.get_channel(channel.id).create_thread(name="d", message=started)
        await ann.send(channel.threads[0], f"{world.bot.user.mention} hello")
        client.away = True
        await ann.send(channel.threads[0], f"{world.bot.user.mention} still there?")
        await thread.edit(archived=True)
        await come_back(world, door, hasty)
        texts = history.texts("discord", channel.id, thread.id)
        assert texts[1::2] == ["ok", "ok"]
        assert texts[2].endswith("still there?")


async def test_a_thread_that_is_locked_costs_one_try_and_one_line(
    running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as (world, door, client):
        guild = world.create_guild("The band")
        channel = guild.create_text_channel("drums")
        ann = guild.add_member(world.create_user("Ann"))
        let_in(door, guild.id)
        started = await ann.send(channel, "about the drums")
        await client.get_channel(channel.id).create_thread(name="d", message=started)
        thread = channel.threads[0]
        world.inject_error("POST", f"/channels/{thread.id}/messages", status=400, code=50083)
        await ann.send(thread, f"{world.bot.user.mention} you?")
        await world.settle()
        assert caplog.text.count("an answer could not be sent: HTTPException") == 1
        await ann.send(channel, f"{world.bot.user.mention} and here?")
        assert channel.last_message.content == "ok"


@pytest.mark.slow
async def test_what_it_may_not_read_is_nothing_and_mentions_are_answered(
    history: FakeHistory, hasty: Patience, fake_engine: Any
) -> None:
    minds_no_age = Manner(answer_within_seconds=100 * 366 * 86_400, chattiness="chatty")
    talk = Conversation(history, fake_engine(), manner=minds_no_age)
    door = Reception(talk, Access("discord", history))
    async with simcord.run(LikenessClient(door, hasty, reads=False)) as world:
        guild = world.create_guild("The band")
        channel = guild.create_text_channel("drums")
        ann = guild.add_member(world.create_user("Ann"))
        let_in(door, guild.id)
        for _ in range(20):
            await ann.send(channel, "who brings the drums?")
        assert not history.chats
        await ann.send(channel, f"{world.bot.user.mention} you?")
        assert channel.last_message.content == "ok"
    [texts] = [[message.text for message in chat] for chat in history.chats.values()]
    assert texts[0].endswith("you?")
