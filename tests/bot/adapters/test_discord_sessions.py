"""What Discord's sessions have missed is looked up before all that a new one tells."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.adapters.delivery import Patience
from bot.adapters.discord import serve
from bot.adapters.discord_client import ShardedClient
from bot.conversation import Conversation
from bot.settings import Settings
from tests.bot.adapters.fake_discord import ANN, DM, FakeDiscord, said_before
from tests.bot.adapters.fake_history import FakeHistory

Run = Callable[..., Any]

GUILD: dict[str, Any] = {"id": str(1 << 22), "name": "The band", "unavailable": False}
"""A server of which the second of two connections is told."""
DRUMS = {"id": "9", "type": 0, "name": "drums", "position": 0, "permission_overwrites": []}
DRUMMERS: dict[str, Any] = {
    "id": "5",
    "name": "drummers",
    "permissions": "0",
    "position": 1,
    "color": 0,
    "colors": {"primary_color": 0},
    "hoist": False,
    "managed": False,
    "mentionable": False,
    "flags": 0,
}


def told(guild: dict[str, Any]) -> dict[str, Any]:
    """Return all that Discord tells of a server."""
    everyone = {**DRUMMERS, "id": guild["id"], "name": "@everyone", "position": 0}
    lists = {"channels": [DRUMS], "roles": [everyone, DRUMMERS], "members": [], "threads": []}
    return {**guild, **lists, "emojis": [], "stickers": [], "features": []}


@pytest.fixture
def server_with_drums(server: FakeDiscord) -> FakeDiscord:
    server.guilds.append(GUILD)
    server.channels["9"] = {**DRUMS, "guild_id": GUILD["id"]}
    return server


@pytest.fixture
def running(
    discord_settings: Settings,
    history: FakeHistory,
    hasty: Patience,
    fake_engine: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Return a context in which the bot runs with settings of its own."""

    async def at_once(*_: object, **__: object) -> None:
        pass

    monkeypatch.setattr(ShardedClient, "before_identify_hook", at_once)  # it waits five seconds

    @asynccontextmanager
    async def running(**more: Any) -> AsyncIterator[None]:
        settings = discord_settings.model_copy(update=more)
        talk = Conversation(history, fake_engine())
        bot = asyncio.create_task(serve(settings, talk, hasty))
        try:
            yield
        finally:
            bot.cancel()
            await asyncio.gather(bot, return_exceptions=True)

    return running


async def test_what_is_new_right_behind_the_login_hides_nothing_that_was_missed(
    server: FakeDiscord, running: Run, history: FakeHistory
) -> None:
    await said_before(history, "hello")
    server.post(ANN, "are you")
    server.first = [("CHANNEL_CREATE", DM), ("MESSAGE_CREATE", server.post(ANN, "there?"))]
    async with running():
        await server.until(lambda: bool(server.sent))
    assert history.texts("discord", 7)[:3] == ["hello", "are you", "there?"]


@pytest.mark.slow
async def test_what_one_of_several_connections_has_lost_is_looked_up_where_it_hears(
    server_with_drums: FakeDiscord, running: Run, history: FakeHistory
) -> None:
    server = server_with_drums
    for channel in ("7", "9"):
        await said_before(history, "hello", channel=channel)
    async with running(discord_shards=2):
        await server.until(lambda: server.identified == 2)
        await server.dispatch("GUILD_CREATE", told(GUILD))
        await server.until(lambda: "GET channels/9/messages" in server.asked)
        server.resumable = False
        await server.drop()
        server.post(ANN, "Robin, lost?", "9")
        await server.until(lambda: server.identified == 3, seconds=40)
        await server.dispatch("GUILD_CREATE", told(GUILD))
        await server.until(lambda: server.sent == ["ok"])
    assert history.texts("discord", 9) == ["hello", "Robin, lost?", "ok"]
    assert server.asked.count("GET channels/9/messages") == 2
    assert server.asked.count("GET channels/7/messages") == 1


@pytest.mark.slow
async def test_who_may_talk_to_it_by_a_role_is_known_by_it_though_the_server_is_told_of_later(
    server_with_drums: FakeDiscord, running: Run, history: FakeHistory
) -> None:
    server = server_with_drums
    server.members[ANN["id"]] = {"user": ANN, "roles": ["5"], "flags": 0, "joined_at": None}
    await said_before(history, "hello", channel="9")
    server.post(ANN, "Robin, there?", "9")
    async with running(allow="discord:5"):
        await server.until(lambda: server.identified == 1)
        await asyncio.sleep(0.3)
        await server.dispatch("GUILD_CREATE", told(GUILD))
        await server.until(lambda: bool(server.sent))
    assert server.sent == ["ok"]
    assert not history.signed


@pytest.mark.slow
async def test_a_server_that_discord_says_nothing_of_holds_up_no_other_for_long(
    server_with_drums: FakeDiscord, running: Run
) -> None:
    server = server_with_drums
    async with running():
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["ok"], seconds=10)
