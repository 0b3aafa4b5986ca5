"""What the tests of every adapter share: a history in memory, no patience, bots at work."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from bot.adapters.delivery import Patience
from bot.adapters.discord import serve as serve_discord
from bot.adapters.telegram import serve
from bot.conversation import Conversation
from bot.settings import Settings
from tests.bot.adapters import fake_discord
from tests.bot.adapters.fake_discord import FakeDiscord
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.fake_telegram import TOKEN, FakeTelegram

Run = Callable[..., Any]


@pytest.fixture
def history() -> FakeHistory:
    return FakeHistory()


@pytest.fixture
def hasty() -> Patience:
    return Patience(
        first_wait_seconds=0.01,
        longest_wait_seconds=0.05,
        sends=4,
        send_seconds=5,
        limit_seconds=0,
        conflicts=3,
        poll_seconds=10,
        grace_seconds=2,
    )


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest.fixture
def settings(telegram: FakeTelegram) -> Settings:
    """Return what lets everybody talk to a bot on Telegram."""
    return Settings(
        telegram_token=SecretStr(TOKEN),
        telegram_base_url=telegram.url,
        LIKENESS_ALLOW="everyone",
        LIKENESS_PERSON_RATE=0,
        LIKENESS_CHAT_RATE=0,
    )


@pytest.fixture
def running(settings: Settings, history: FakeHistory, hasty: Patience, fake_engine: Any) -> Run:
    """Return a context in which that bot runs; it gives the engine."""
    return _at_work(serve, settings, history, hasty, fake_engine)


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


@pytest.fixture
def discord_settings(server: FakeDiscord) -> Settings:
    """Return what lets everybody talk to a bot on Discord."""
    return Settings(
        discord_token=SecretStr(fake_discord.TOKEN),
        discord_api_url=server.api_url,
        discord_gateway_url=server.gateway_url,
        LIKENESS_ALLOW="everyone",
    )


@pytest.fixture
def online(
    discord_settings: Settings, history: FakeHistory, hasty: Patience, fake_engine: Any
) -> Run:
    """Return a context in which that bot runs; it gives the engine."""
    return _at_work(serve_discord, discord_settings, history, hasty, fake_engine)


def _at_work(
    serve: Callable[..., Coroutine[Any, Any, None]],
    settings: Settings,
    history: FakeHistory,
    patience: Patience,
    fake_engine: Any,
) -> Run:
    @asynccontextmanager
    async def at_work(*scripts: Any) -> AsyncIterator[Any]:
        engine = fake_engine(*scripts)
        bot = asyncio.create_task(serve(settings, Conversation(history, engine), patience))
        try:
            yield engine
        finally:
            bot.cancel()
            await asyncio.gather(bot, return_exceptions=True)

    return at_work
