"""What people order on Discord, and how the commands are registered: mostly against SimCord."""

from collections.abc import Callable
from typing import Any

import discord
import pytest
import simcord

from bot.access import Guest, Standing
from bot.adapters.delivery import NOT_NOW, Patience
from bot.adapters.discord_client import LikenessClient
from bot.commands import COMMANDS
from likeness.errors import DatabaseError
from likeness.messages import Message
from tests.bot.adapters.fake_discord import FakeDiscord
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.simcord_world import door, mention, place, running_in_simcord, talk, words

Run = Callable[..., Any]


@pytest.fixture
def running(history: FakeHistory, hasty: Patience, fake_engine: Any) -> Run:
    """Return a context in which the bot runs; it gives SimCord's world."""
    return running_in_simcord(history, hasty, fake_engine)


@pytest.mark.parametrize("command", ["start", "help"])
async def test_start_and_help_say_that_it_is_a_bot(running: Run, command: str) -> None:
    async with running() as world:
        channel, ann = place(world)
        result = await ann.slash(channel, command)
        [first, *_] = [call for call in world.http_requests if "/interactions/" in call.path]
        assert first.json["type"] == discord.InteractionResponseType.deferred_channel_message.value
        assert result.ephemeral
        told = [message.content for message in (result.response, *result.followups) if message]
        assert "I am a bot. I imitate how Robin writes" in "".join(told)


async def test_reset_starts_over_before_everybody(running: Run, history: FakeHistory) -> None:
    async with running() as world:
        channel, ann = place(world)
        await ann.send(channel, "my name is Ann")
        result = await ann.slash(channel, "reset")
        assert not result.ephemeral
        [chat] = history.chats
        assert await history.recent(chat, 9) == []


@pytest.mark.parametrize("command", ["again", "undo", "reset", "help"])
async def test_to_somebody_denied_nothing_is_said_not_even_that(
    running: Run, history: FakeHistory, command: str
) -> None:
    async with running() as world:
        channel, ann = place(world)
        await history.sign(Guest("discord", str(ann.id), "Ann", "denied"))
        await ann.slash(channel, command)
        paths = [(call.method, call.path) for call in world.http_requests]
        assert [path for method, path in paths if method == "DELETE"] != []
        assert not [path for method, path in paths if method == "POST" and "webhooks" in path]


async def test_what_is_heard_while_a_reset_is_obeyed_is_not_forgotten(
    running: Run, history: FakeHistory, message: Callable[..., Message], monkeypatch: Any
) -> None:
    async with running() as world:
        channel, ann = place(world)
        await ann.send(channel, "old")
        [chat] = history.chats
        standings = history.standings

        async def standings_later(*args: Any) -> dict[str, Standing]:
            await history.add(chat, message("new", id="later"))
            return await standings(*args)

        monkeypatch.setattr(history, "standings", standings_later)
        await ann.slash(channel, "reset")
        assert [found.text for found in await history.recent(chat, 9)] == ["new"]


async def test_a_command_that_fails_says_so_and_is_logged_without_words(
    running: Run, history: FakeHistory, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[Exception] = [ValueError("my secret"), DatabaseError("The database is full.")]

    async def standings(*_: Any) -> dict[str, Standing]:
        raise faults.pop()

    async with running() as world:
        channel, ann = place(world)
        monkeypatch.setattr(history, "standings", standings)
        for reason in ("The database is full.", "ValueError, excused"):
            result = await ann.slash(channel, "help")
            told = [one.content for one in (result.response, *result.followups) if one]
            assert NOT_NOW in told
            assert f"a command failed: {reason}" in caplog.text
    assert "my secret" not in caplog.text


async def test_a_file_that_discord_does_not_take_is_excused_once(
    server: FakeDiscord, online: Run
) -> None:
    async with online():
        await server.until(lambda: server.identified == 1)
        server.faults["webhooks/4711/a-token"].append(413)
        await server.order("mydata")
        await server.until(lambda: server.followed_up == [NOT_NOW])


async def test_again_gives_another_answer_and_undo_forgets_the_last(
    running: Run, history: FakeHistory
) -> None:
    async with running(["one"], ["another"]) as world:
        channel, ann = place(world)
        await ann.send(channel, f"{mention(world)} hello")
        await ann.slash(channel, "again")
        await world.settle()
        assert [text for text in words(channel, world) if text] == [
            "one",
            "Let me try again.",
            "another",
        ]
        [chat] = history.chats
        assert [found.text for found in await history.recent(chat, 9)][1:] == ["another"]
        await ann.slash(channel, "undo")
        assert await history.recent(chat, 9) == []


async def test_commands_are_registered_only_when_they_changed(
    running: Run, history: FakeHistory, hasty: Patience, fake_engine: Any
) -> None:
    def registered(world: simcord.Env) -> int:
        return [call.method for call in world.http_requests].count("PUT")

    async with running() as world:
        assert registered(world) == 1
        channel, ann = place(world)
        assert set(ann.available_commands(channel)) == set(COMMANDS)
        await world.restart_bot(LikenessClient(door(talk(history, fake_engine())), hasty))
        assert registered(world) == 1


async def test_commands_that_cannot_be_registered_do_not_keep_it_from_answering(
    history: FakeHistory, hasty: Patience, fake_engine: Any
) -> None:
    client = LikenessClient(door(talk(history, fake_engine())), hasty)
    world = simcord.Env(client)
    world.inject_error("PUT", "/applications/*/commands", status=500)
    await world.start()
    ann = world.create_user("Ann")
    await ann.send_dm("hello")
    assert words(ann.dm_channel, world) == ["ok"]
    await world.shutdown()
