"""The line to Discord over real sockets: what is said on it, breaks, silence, and the farewell."""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import discord
import pytest
from discord.backoff import ExponentialBackoff
from discord.gateway import DiscordWebSocket
from discord.http import Route
from discord.utils import _ActiveDecompressionContext

from bot.adapters.delivery import Patience
from bot.adapters.discord import serve, urls
from bot.adapters.discord_client import ShardedClient, make_client
from bot.conversation import Conversation
from bot.reception import Reception
from bot.settings import Settings
from tests.bot.adapters.fake_discord import ANN, TOKEN, FakeDiscord
from tests.bot.adapters.fake_history import FakeHistory

Run = Callable[..., Any]


async def test_it_answers_over_the_servers_that_the_settings_name(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with online(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])
    await server.until(lambda: server.closed_by_bot == 1)
    assert history.texts("discord", 7) == ["hello", "hi"]
    assert before == (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY)


async def test_an_event_that_cannot_be_read_does_not_end_the_bot(
    server: FakeDiscord, online: Run
) -> None:
    async with online(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])
        await server.dispatch("MESSAGE_CREATE", {"no": "message"})
        await server.until(lambda: server.identified == 2)
        await server.say("still there?")
        await server.until(lambda: server.sent == ["hi", "ok"])


async def test_a_farewell_that_is_cut_short_leaves_no_connection_open(
    discord_settings: Settings, history: FakeHistory, hasty: Patience, fake_engine: Any
) -> None:
    reception = Reception.of("discord", discord_settings, Conversation(history, fake_engine()))
    leaving = asyncio.Event()

    async def hang() -> None:
        leaving.set()
        await asyncio.Event().wait()

    with urls(discord_settings):
        client = make_client(reception, hasty, discord_settings)
        await client.login(TOKEN)
    client._connection.close = hang  # type: ignore[method-assign]
    stopping = asyncio.create_task(client.stop())
    await leaving.wait()
    assert not client.http.connector.closed
    stopping.cancel()
    await asyncio.wait([stopping])
    assert client.http.connector.closed


@pytest.mark.parametrize("how", ["ask_to_reconnect", "drop"])
async def test_a_session_that_goes_on_misses_nothing_and_answers_nothing_twice(
    server: FakeDiscord, online: Run, history: FakeHistory, how: str
) -> None:
    async with online():
        await server.until(lambda: server.identified == 1)
        await server.say("one")
        await server.until(lambda: len(server.sent) == 1)
        await getattr(server, how)()
        await server.say("two")
        await server.until(lambda: len(server.sent) == 2)
        assert (server.resumed, server.identified) == (1, 1)
    assert history.texts("discord", 7) == ["one", "ok", "two", "ok"]


@pytest.mark.slow
async def test_what_a_session_that_cannot_go_on_has_lost_is_looked_up(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    async with online():
        await server.until(lambda: server.identified == 1)
        await server.say("one")
        await server.until(lambda: len(server.sent) == 1)
        server.resumable = False
        await server.drop()
        server.post(ANN, "lost?")
        await server.until(lambda: len(server.sent) == 2, seconds=40)
        assert server.identified == 2
    assert history.texts("discord", 7) == ["one", "ok", "lost?", "ok"]


@pytest.mark.slow
async def test_it_keeps_its_heart_beating_while_the_model_writes(
    server: FakeDiscord, online: Run
) -> None:
    server.heartbeat_interval, gate = 50, asyncio.Event()
    async with online([gate, "hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        beaten = server.heartbeats
        await server.until(lambda: server.heartbeats > beaten + 3)
        gate.set()
        await server.until(lambda: server.sent == ["hi"])


@pytest.mark.skipif(
    _ActiveDecompressionContext.COMPRESSION_TYPE != "zlib-stream",
    reason="discord.py asks for zstd here, which the fake gateway does not speak",
)
async def test_a_compressed_gateway_is_understood(server: FakeDiscord, online: Run) -> None:
    server.compressed = 0
    async with online(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello 👋🏽 " * 50)
        await server.until(lambda: server.sent == ["hi"])
        await server.drop()
        await server.say("again")
        await server.until(lambda: len(server.sent) == 2)
    assert server.asked_to_compress == "zlib-stream"
    assert server.compressed > 8


@pytest.mark.slow
async def test_a_line_that_went_dead_without_a_word_is_dialled_again_and_nothing_is_missed(
    server: FakeDiscord,
    discord_settings: Settings,
    hasty: Patience,
    fake_engine: Any,
    history: FakeHistory,
) -> None:
    server.heartbeat_interval, alert = 100, replace(hasty, silence_seconds=1)
    bot = asyncio.create_task(serve(discord_settings, Conversation(history, fake_engine()), alert))
    await server.until(lambda: server.identified == 1)
    await server.say("one")
    await server.until(lambda: len(server.sent) == 1)
    server.deaf = True
    await server.until(lambda: server.resumed > 0, seconds=30)
    server.deaf = False
    await server.say("two")
    await server.until(lambda: history.texts("discord", 7) == ["one", "ok", "two", "ok"])
    assert server.identified == 1
    bot.cancel()
    await asyncio.wait([bot])


@pytest.mark.parametrize(("wanted", "shards"), [(0, 2), (3, 3)])
async def test_it_hears_over_several_connections_if_asked_to(
    server: FakeDiscord,
    discord_settings: Settings,
    history: FakeHistory,
    hasty: Patience,
    fake_engine: Any,
    monkeypatch: pytest.MonkeyPatch,
    wanted: int,
    shards: int,
) -> None:
    async def at_once(*_: object, **__: object) -> None:
        pass

    monkeypatch.setattr(ShardedClient, "before_identify_hook", at_once)  # it waits five seconds
    many = discord_settings.model_copy(update={"discord_shards": wanted})
    bot = asyncio.create_task(serve(many, Conversation(history, fake_engine(["hi"])), hasty))
    await server.until(lambda: server.identified == shards, seconds=30)
    assert sorted(server.shards) == [[number, shards] for number in range(shards)]
    await server.say("hello")
    await server.until(lambda: server.sent == ["hi"])
    bot.cancel()
    await asyncio.gather(bot, return_exceptions=True)


@pytest.mark.slow
async def test_after_a_long_outage_it_comes_back_within_a_minute(
    server: FakeDiscord, online: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "discord.client")
    async with online():
        await server.until(lambda: server.identified == 1)
        server.refused = 12
        await server.drop()
        await server.until(lambda: server.resumed == 1)
    waits = [float(wait) for wait in re.findall(r"reconnect in ([\d.]+)s", caplog.text)]
    assert len(waits) >= 12
    assert max(waits) <= 0.05
    assert discord.client.ExponentialBackoff is ExponentialBackoff
