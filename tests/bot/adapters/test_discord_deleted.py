"""What somebody deletes on Discord is deleted here, too."""

import asyncio
from collections.abc import Callable
from typing import Any

import discord
import pytest

from bot.adapters.delivery import Patience
from bot.history import ChatId
from likeness.errors import DatabaseError
from tests.bot.adapters.fake_discord import ANN, FakeDiscord, said_before
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.simcord_world import mention, place, running_in_simcord
from tests.bot.conftest import write_message

Run = Callable[..., Any]


async def test_what_is_deleted_one_by_one_or_at_once_is_gone_and_what_stays_is_answered(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    async with online() as engine:
        await server.until(lambda: server.identified == 1)
        for number, text in enumerate(("one", "two", "three", "four"), 1):
            await server.say(text)
            await server.until(lambda number=number: len(server.sent) == number)  # type: ignore[misc]
        one, two, three, _ = [one for one in server.posted if one["author"] == ANN]
        await server.delete(one)
        await server.delete(two, three)
        await server.say("five")
        await server.until(lambda: len(server.sent) == 5)
    assert [message.text for message in engine.asked[-1]] == [*["ok"] * 3, "four", "ok", "five"]
    assert history.texts("discord", 7) == ["", "ok", "", "ok", "", "ok", "four", "ok", "five", "ok"]


async def test_what_is_deleted_while_its_answer_is_written_is_not_answered(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    gate = asyncio.Event()
    async with online([gate, "never"]) as engine:
        await server.until(lambda: server.identified == 1)
        await server.say("my secret")
        await server.until(lambda: bool(engine.asked))
        await server.delete(server.posted[0])
        await server.until(lambda: history.texts("discord", 7) == [""])
        gate.set()
        await server.say("hello")
        await server.until(lambda: server.sent == ["ok"])


async def test_a_deletion_waits_until_what_it_is_about_is_kept(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    await said_before(history, "hi")
    async with online():
        await server.until(lambda: "GET channels/7/messages" in server.asked)
        history.faults = [DatabaseError("The database is full.")] * 3
        await server.say("my secret")
        await server.delete(server.posted[0])
        await server.until(lambda: history.texts("discord", 7)[:2] == ["hi", ""])


@pytest.mark.parametrize("archived", [False, True])
async def test_what_is_deleted_in_a_thread_is_gone_though_that_is_archived(
    history: FakeHistory, hasty: Patience, fake_engine: Any, *, archived: bool
) -> None:
    async with running_in_simcord(history, hasty, fake_engine)() as world:
        channel, ann = place(world)
        started = await ann.send(channel, "about the drums")
        thread = await world.bot.get_channel(channel.id).create_thread(name="d", message=started)
        said = await ann.send(channel.threads[0], f"{mention(world)} hello")
        await thread.edit(archived=archived)
        await ann.delete(said)
        await world.settle()
        assert history.texts("discord", channel.id, thread.id) == ["", "ok"]


@pytest.mark.slow
async def test_what_was_said_in_a_thread_or_channel_that_is_deleted_is_gone(
    history: FakeHistory, hasty: Patience, fake_engine: Any
) -> None:
    async with running_in_simcord(history, hasty, fake_engine)() as world:
        channel, ann = place(world)
        await ann.send(channel, "about the drums")
        drums = world.bot.get_channel(channel.id)
        for name in ("one", "two"):
            thread = await drums.create_thread(name=name, type=discord.ChannelType.public_thread)
            await ann.send(channel.threads[-1], f"about {name}")
        await world.settle()
        await thread.delete()
        await world.settle()
        assert history.texts("discord", channel.id, thread.id) == [""]
        assert history.texts("discord", channel.id) == ["about the drums"]
        await drums.delete()
        await world.settle()
        assert {found.text for said in history.chats.values() for found in said} == {""}


async def test_what_is_deleted_where_the_bot_may_not_look_is_gone_all_the_same(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    thread = ChatId("discord", "9", "10")
    await history.add(thread, write_message("my secret", id="77", platform="discord"))
    server.faults["channels/10"].extend([403] * 9)
    async with online():
        await server.until(lambda: server.identified == 1)
        event = {"id": "77", "channel_id": "10", "guild_id": "12"}
        await server.dispatch("MESSAGE_DELETE", event)
        await server.until(lambda: history.texts("discord", 9, 10) == [""])
