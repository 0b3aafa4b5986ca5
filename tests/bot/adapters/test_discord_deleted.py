"""What somebody deletes on Discord is deleted here, too."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.adapters.delivery import Patience
from likeness.errors import DatabaseError
from tests.bot.adapters.fake_discord import ANN, FakeDiscord, said_before
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.simcord_world import mention, place, running_in_simcord

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
