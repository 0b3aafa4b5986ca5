"""Logging in to Discord over real sockets: what refuses the bot, and what is waited for."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord import VoiceClient
from pydantic import SecretStr

from bot.adapters.delivery import Patience
from bot.adapters.discord import serve
from bot.conversation import Conversation
from bot.settings import Settings
from likeness.errors import (
    BadSettings,
    IntentMissing,
    PlatformUnavailable,
    TokenRefused,
)
from tests.bot.adapters.fake_discord import BOT, FakeDiscord
from tests.bot.adapters.fake_history import FakeHistory

Run = Callable[..., Any]


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


async def test_it_does_not_warn_of_voice_which_it_has_no_use_for(
    server: FakeDiscord, online: Run, caplog: pytest.LogCaptureFixture
) -> None:
    VoiceClient.warn_nacl = VoiceClient.warn_dave = True
    async with online():
        await server.until(lambda: server.identified == 1)
    assert "voice" not in caplog.text


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
