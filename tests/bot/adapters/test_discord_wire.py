"""The line to Discord over real sockets: logins, breaks, silence, and what is sent away."""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord import VoiceClient
from discord.backoff import ExponentialBackoff
from discord.gateway import DiscordWebSocket
from discord.http import Route
from discord.utils import _ActiveDecompressionContext
from pydantic import SecretStr

from bot.adapters.delivery import Patience
from bot.adapters.discord import serve, urls
from bot.adapters.discord_client import ShardedClient, make_client
from bot.conversation import Conversation
from bot.reception import Reception
from bot.settings import Settings
from likeness.errors import (
    BadSettings,
    IntentMissing,
    PlatformUnavailable,
    TokenRefused,
)
from tests.bot.adapters.fake_discord import ANN, BOT, TOKEN, FakeDiscord
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


async def test_a_refused_token_is_one_clear_sentence(
    discord_settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    wrong = discord_settings.model_copy(update={"discord_token": SecretStr("another-secret")})
    with pytest.raises(TokenRefused, match="DISCORD_TOKEN") as caught:
        await serve(wrong, Conversation(FakeHistory(), fake_engine()), hasty)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_no_token_is_one_clear_sentence(discord_settings: Settings, fake_engine: Any) -> None:
    bare = discord_settings.model_copy(update={"discord_token": None})
    with pytest.raises(BadSettings, match="DISCORD_TOKEN is not set"):
        await serve(bare, Conversation(FakeHistory(), fake_engine()))


@pytest.mark.parametrize(
    ("code", "error", "sentence"),
    [
        (4014, IntentMissing, "switch on Message Content Intent"),
        (4004, TokenRefused, "DISCORD_TOKEN"),
    ],
)
async def test_a_gateway_that_sends_the_bot_away_is_one_clear_sentence(
    server: FakeDiscord,
    discord_settings: Settings,
    hasty: Patience,
    fake_engine: Any,
    code: int,
    error: type[Exception],
    sentence: str,
) -> None:
    server.close_codes.append(code)
    with pytest.raises(error, match=sentence):
        await serve(discord_settings, Conversation(FakeHistory(), fake_engine()), hasty)


async def test_a_wrong_address_is_one_clear_sentence(
    server: FakeDiscord, discord_settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    server.faults["users/@me"].append(404)
    with pytest.raises(PlatformUnavailable, match="DISCORD_API_URL"):
        await serve(discord_settings, Conversation(FakeHistory(), fake_engine()), hasty)


async def test_a_server_that_is_not_discord_is_one_clear_sentence(
    discord_settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    async def greet(_: web.Request) -> web.Response:
        return web.Response(text="Welcome to our hotel")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", greet)
    async with TestServer(app) as hotel:
        settings = discord_settings.model_copy(update={"discord_api_url": str(hotel.make_url("/"))})
        with pytest.raises(PlatformUnavailable, match="does not speak as Discord does"):
            await serve(settings, Conversation(FakeHistory(), fake_engine()), hasty)


async def test_a_platform_that_is_down_at_the_start_is_waited_for(
    server: FakeDiscord, online: Run, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults["users/@me"].append(503)
    server.refused = 1
    async with online(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])
    assert caplog.text.count("trying again") == 2


async def test_no_network_at_the_start_is_waited_for(
    server: FakeDiscord,
    discord_settings: Settings,
    hasty: Patience,
    fake_engine: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    nowhere = discord_settings.model_copy(update={"discord_api_url": "http://127.0.0.1:9/api"})
    bot = asyncio.create_task(serve(nowhere, Conversation(FakeHistory(), fake_engine()), hasty))
    await server.until(lambda: caplog.text.count("trying again") > 1)
    bot.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bot


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


async def test_the_token_is_never_logged(
    server: FakeDiscord, online: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "bot")
    server.faults["users/@me"].append(503)
    async with online(["a secret answer"]):
        await server.until(lambda: server.identified == 1)
        await server.say("a secret question")
        await server.until(lambda: bool(server.sent))
    assert "logging in" in caplog.text
    assert "secret" not in caplog.text


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
    await server.until(lambda: len(server.sent) == 2)
    assert server.identified == 1
    assert history.texts("discord", 7) == ["one", "ok", "two", "ok"]
    bot.cancel()
    await asyncio.wait([bot])


async def test_it_does_not_warn_of_voice_which_it_has_no_use_for(
    server: FakeDiscord, online: Run, caplog: pytest.LogCaptureFixture
) -> None:
    VoiceClient.warn_nacl = VoiceClient.warn_dave = True
    async with online():
        await server.until(lambda: server.identified == 1)
    assert "voice" not in caplog.text


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
async def test_a_login_that_hangs_is_given_up_and_tried_again(
    server: FakeDiscord, discord_settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    server.slow.add("users/@me")
    hurried, talk = replace(hasty, send_seconds=1), Conversation(FakeHistory(), fake_engine())
    bot = asyncio.create_task(serve(discord_settings, talk, hurried))
    await server.until(lambda: server.identified == 1)
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


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_commands_that_discord_does_not_take_now_do_not_keep_it_from_answering(
    server: FakeDiscord, discord_settings: Settings, hasty: Patience, fake_engine: Any, status: int
) -> None:
    path = f"applications/{BOT['id']}/commands"
    if status == 429:
        server.limits[path].append(3600)  # so many a day
    else:
        server.faults[path].append(status)
    talk = Conversation(FakeHistory(), fake_engine(["hi"]))
    as_usual = replace(hasty, limit_seconds=30)
    bot = asyncio.create_task(serve(discord_settings, talk, as_usual))
    await server.until(lambda: server.identified == 1)
    await server.say("hello")
    await server.until(lambda: server.sent == ["hi"])
    bot.cancel()
    await asyncio.gather(bot, return_exceptions=True)


async def test_it_asks_for_the_right_to_read_unless_it_shall_do_without(
    server: FakeDiscord, discord_settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    for reads in ("all", "mentions"):
        settings = discord_settings.model_copy(update={"discord_reads": reads})
        talk, before = Conversation(FakeHistory(), fake_engine()), server.identified
        bot = asyncio.create_task(serve(settings, talk, hasty))
        await server.until(lambda before=before: server.identified > before)  # type: ignore[misc]
        bot.cancel()
        await asyncio.gather(bot, return_exceptions=True)
    asked = [discord.Intents._from_value(value).message_content for value in server.intents]
    assert asked == [True, False]
