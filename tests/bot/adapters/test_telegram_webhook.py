"""Telegram calls the bot: python-telegram-bot, and a web server of ours, over sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.adapters.delivery import Patience
from bot.adapters.telegram import serve
from bot.conversation import Conversation
from bot.settings import Settings
from likeness.errors import BadSettings, DatabaseError, TokenRefused
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.fake_telegram import TOKEN, FakeTelegram
from tests.bot.adapters.fake_telegram_wire import UNAUTHORIZED, Fault

SECRET = "X-Telegram-Bot-Api-Secret-Token"

Call = Callable[..., Any]


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest.fixture
def settings(telegram: FakeTelegram) -> Settings:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Settings(
        telegram_token=SecretStr(TOKEN),
        telegram_base_url=telegram.url,
        LIKENESS_ALLOW="everyone",
        LIKENESS_WEBHOOK_URL="https://bot.example/hook",
        LIKENESS_WEBHOOK_PORT=port,
    )


@pytest.fixture
def called(
    telegram: FakeTelegram, settings: Settings, history: FakeHistory, fake_engine: Any
) -> Call:
    """Return a context in which the bot runs; it gives what calls it as Telegram does."""
    patience = Patience(first_wait_seconds=0.01, poll_seconds=1, grace_seconds=1)

    @asynccontextmanager
    async def called(*scripts: Any) -> AsyncIterator[Call]:
        talk = Conversation(history, fake_engine(*scripts))
        bot = asyncio.create_task(serve(settings, talk, patience))
        await until_it_listens(settings.webhook_port)
        secret = telegram.of("setWebhook")[0]["secret_token"]
        async with aiohttp.ClientSession() as session:

            async def call(body: Any, header: str = secret) -> int:
                url = f"http://127.0.0.1:{settings.webhook_port}/hook"
                async with session.post(url, json=body, headers={SECRET: header}) as answer:
                    return answer.status

            yield call
        bot.cancel()
        await asyncio.gather(bot, return_exceptions=True)

    return called


async def until_it_listens(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                await writer.wait_closed()
                return


async def status_of(port: int, header: bytes) -> int:
    """Call with a header that is no text; return how that is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nHost: bot\r\nContent-Length: 0\r\n" + header + b"\r\n\r\n")
    _, status, *_ = (await reader.readline()).split()
    writer.close()
    await writer.wait_closed()
    return int(status)


async def update(telegram: FakeTelegram, text: str) -> dict[str, Any]:
    """Let Ann write, and return what Telegram sends of it."""
    message = await telegram.say(text)
    return {"update_id": message["message_id"], "message": message}


async def test_an_update_is_kept_before_telegram_is_told_so_and_answered(
    telegram: FakeTelegram, called: Call, history: FakeHistory
) -> None:
    async with called(["hi"], ["two"]) as call:
        assert await call(body := await update(telegram, "hello")) == 200
        assert "hello" in history.texts("telegram", 42)
        assert await telegram.until_sent(1) == ["hi"]
        assert await call(body) == 200  # Telegram has not got the 200, and sends it again
        assert await call(await update(telegram, "more")) == 200
        assert await telegram.until_sent(2) == ["hi", "two"]
    assert telegram.of("setWebhook")[0]["url"] == "https://bot.example/hook"
    assert not telegram.of("getUpdates")
    assert not telegram.of("deleteWebhook")  # what comes while it is down waits


async def test_nobody_but_telegram_is_heard(
    telegram: FakeTelegram, settings: Settings, called: Call, history: FakeHistory
) -> None:
    async with called() as call:
        assert await call(await update(telegram, "hello"), "a guess") == 403
        assert await call(await update(telegram, "hello"), "") == 403
        assert await status_of(settings.webhook_port, f"{SECRET}: caf".encode() + b"\xe9") == 403
        assert await call(["no update"]) == 400
        assert await call({"update_id": 5, "message": {"unreadable": True}}) == 200
    assert history.chats == {}


async def test_what_cannot_be_kept_is_left_with_telegram(
    telegram: FakeTelegram, called: Call, history: FakeHistory
) -> None:
    history.faults.append(DatabaseError("The disk is full."))
    async with called() as call:
        body = await update(telegram, "hello")
        assert await call(body) == 503
        assert await call(body) == 200
        assert await telegram.until_sent(1) == ["ok"]


async def test_a_token_revoked_meanwhile_is_one_clear_sentence(
    telegram: FakeTelegram, settings: Settings, history: FakeHistory, fake_engine: Any
) -> None:
    soon = Patience(poll_seconds=0)
    bot = asyncio.create_task(serve(settings, Conversation(history, fake_engine()), soon))
    await telegram.until(lambda: bool(telegram.of("getMyCommands")))
    telegram.faults["getMe"].append(UNAUTHORIZED)
    with pytest.raises(TokenRefused, match="TELEGRAM_TOKEN"):
        await bot


async def test_an_address_that_telegram_does_not_take_is_one_sentence(
    telegram: FakeTelegram, settings: Settings, history: FakeHistory, fake_engine: Any
) -> None:
    telegram.faults["setWebhook"].append(Fault(400, "Bad Request: bad webhook"))
    with pytest.raises(BadSettings, match="must begin with https"):
        await serve(settings, Conversation(history, fake_engine()))


async def test_a_port_that_is_taken_is_one_sentence(
    settings: Settings, history: FakeHistory, fake_engine: Any
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.webhook_port))
        taken.listen()
        with pytest.raises(BadSettings, match="LIKENESS_WEBHOOK_PORT"):
            await serve(settings, Conversation(history, fake_engine()))
