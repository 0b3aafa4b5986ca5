"""Discord: hear, keep, answer, send; through discord.py.

Source: what discord.py 2.7.1 leaves to the app was seen against a REST and gateway server on
loopback: it raises on 503 and on a reset connection, and its first connect must not fail.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import aiohttp
import discord
import discord.shard
import yarl
from discord.backoff import ExponentialBackoff
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.adapters import delivery
from bot.adapters.delivery import Patience
from bot.adapters.discord_chats import pause
from bot.adapters.discord_client import LikenessClient, make_client
from bot.conversation import Conversation
from bot.reception import Reception
from bot.settings import Settings
from likeness.errors import (
    BadSettings,
    DatabaseError,
    IntentMissing,
    PlatformUnavailable,
    TokenRefused,
)

log = logging.getLogger(__name__)

REFUSED = (
    "Discord does not accept the bot's token: reset it in the developer portal (your application, "
    "Bot, Reset Token) and put it into DISCORD_TOKEN."
)
BLIND = (
    "Discord does not let this bot read messages: in the developer portal, your application, Bot, "
    "switch on Message Content Intent. Or set LIKENESS_DISCORD_READS=mentions: then it reads only "
    "private messages and what mentions it."
)
AUTHENTICATION_FAILED = 4004
"""The gateway's close code for a token that is no longer good."""


async def serve(
    settings: Settings, conversation: Conversation, patience: Patience | None = None
) -> None:
    """Answer on Discord until cancelled, then finish the answers being written.

    Raises:
        BadSettings: There is no token.
        TokenRefused: Discord does not accept it.
        IntentMissing: Discord does not let the bot read messages.
        PlatformUnavailable: The URL is wrong.
    """
    if settings.discord_token is None:
        raise BadSettings(
            "DISCORD_TOKEN is not set: take a token from your application's Bot page in Discord's "
            "developer portal."
        )
    patience = patience or Patience(answers=settings.most_answers)
    token = settings.discord_token.get_secret_value()
    waits, reception = patience.waits(), Reception.of("discord", settings, conversation)
    with urls(settings), _brisk(patience.longest_wait_seconds):
        while True:
            client = make_client(reception, patience, settings)
            trouble = "the connection ended"
            try:
                async with asyncio.timeout(patience.call_seconds):
                    await client.login(token)
                await conversation.history.lead("discord", client.connect)
            except Exception as error:  # noqa: BLE001 (sorted by _trouble)
                trouble = _trouble(client, error)
            finally:
                await client.stop()
            waits = patience.waits() if client.was_connected else waits
            wait = next(waits)
            log.warning("discord: %s; trying again in %.0f s", trouble, wait)
            await asyncio.sleep(wait)


@contextmanager
def urls(settings: Settings) -> Iterator[None]:
    """Point discord.py at other servers until left; it knows no place narrower than its classes."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    if settings.discord_api_url:
        Route.BASE = settings.discord_api_url
    if settings.discord_gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


@contextmanager
def _brisk(longest_seconds: float) -> Iterator[None]:
    """Let discord.py wait no longer before it connects again than so; else it may be 1024 s."""

    class Backoff(ExponentialBackoff[Literal[False]]):
        def delay(self) -> float:
            return min(super().delay(), longest_seconds)

    places: Any = (discord.client, discord.shard)
    for place in places:
        place.ExponentialBackoff = Backoff
    try:
        yield
    finally:
        for place in places:
            place.ExponentialBackoff = ExponentialBackoff


def _trouble(client: LikenessClient, error: Exception) -> str:
    """Return in words what will pass by waiting, and raise what will not.

    Raises:
        TokenRefused: Discord does not accept the token.
        IntentMissing: The bot may not read messages.
        PlatformUnavailable: A URL is wrong, or something else answers there.
    """
    if isinstance(error, DatabaseError):
        return str(error)
    if isinstance(error, discord.LoginFailure) or (
        isinstance(error, discord.ConnectionClosed) and error.code == AUTHENTICATION_FAILED
    ):
        raise TokenRefused(REFUSED) from None
    if isinstance(error, discord.PrivilegedIntentsRequired):
        raise IntentMissing(BLIND) from error
    if isinstance(error, discord.HTTPException) and pause(error) is None:
        raise PlatformUnavailable(
            f"Discord answers the bot's login with HTTP {error.status}: is DISCORD_API_URL right?"
        ) from error
    # Its first connect trips over itself where the gateway is down (Rapptz/discord.py#10520);
    # later an event that it cannot read ends it.
    expected = aiohttp.ClientError | OSError | discord.DiscordException
    first = isinstance(error, AttributeError) and client.ws is None
    if not (client.was_connected or first or isinstance(error, expected)):
        raise PlatformUnavailable(
            "What answers the bot's login does not speak as Discord does "
            f"({delivery.wordless(error)}): are DISCORD_API_URL and DISCORD_GATEWAY_URL right?"
        ) from error
    return delivery.wordless(error) if client.was_connected else type(error).__name__
