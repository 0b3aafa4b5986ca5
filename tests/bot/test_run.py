"""The bot at work: one process, several platforms, signals, a database that outlives it."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot import run
from bot.settings import Settings
from likeness.errors import BadSettings, TokenRefused
from tests.bot.adapters.fake_telegram import TOKEN, FakeTelegram
from tests.bot.adapters.fake_telegram_wire import UNAUTHORIZED

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import asyncio, logging, sys
from bot.run import serve
from bot.settings import Settings
from tests.bot.conftest import FakeEngine
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
logging.getLogger("bot").setLevel(logging.DEBUG)
asyncio.run(serve(FakeEngine(["my name is Robin"]), Settings.read(["telegram"]), ["telegram"]))
print("discord" in sys.modules)
"""


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest.fixture
def settings(telegram: FakeTelegram, tmp_path: Path) -> Settings:
    return Settings(
        telegram_token=SecretStr(TOKEN),
        telegram_base_url=telegram.url,
        LIKENESS_DATABASE=f"sqlite+aiosqlite:///{tmp_path}/likeness.db",
        LIKENESS_ALLOW="everyone",
    )


async def start_process(settings: Settings) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        cwd=REPOSITORY,
        env=os.environ
        | {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_BASE_URL": settings.telegram_base_url,
            "LIKENESS_DATABASE": settings.database,
            "LIKENESS_ALLOW": "everyone",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_process_cleanly_and_the_history_outlives_it(
    telegram: FakeTelegram, settings: Settings, fake_engine: Any, number: signal.Signals
) -> None:
    process = await start_process(settings)
    await telegram.say("what is your secret name?")
    assert await telegram.until_sent(1, seconds=60) == ["my name is Robin"]
    process.send_signal(number)
    output, log = await process.communicate()
    assert process.returncode == 0
    assert output == b"False\n"  # no library is loaded that was not asked for
    assert b"secret" not in log
    assert TOKEN.encode() not in log

    engine = fake_engine(["I said it"])
    bot = asyncio.create_task(run.serve(engine, settings, ["telegram"]))
    await telegram.say("again?")
    await telegram.until_sent(2)
    os.kill(os.getpid(), number)
    await bot
    assert [message.text for message in engine.asked[0]] == [
        "what is your secret name?",
        "my name is Robin",
        "again?",
    ]
    assert engine.closed
    assert not list(Path(settings.database.split("///")[1]).parent.glob("*-wal"))


async def test_an_answer_being_written_is_finished_before_the_bot_stops(
    telegram: FakeTelegram, settings: Settings, fake_engine: Any
) -> None:
    gate = asyncio.Event()
    engine = fake_engine([gate, "done"])
    bot = asyncio.create_task(run.serve(engine, settings, ["telegram"]))
    await telegram.say("hello")
    await telegram.until(lambda: bool(engine.asked))
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.05)
    assert not bot.done()
    gate.set()
    await bot
    assert telegram.texts == ["done"]


async def test_signals_mean_what_they_meant_once_the_bot_has_stopped(
    telegram: FakeTelegram, settings: Settings, fake_engine: Any
) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    bot = asyncio.create_task(run.serve(fake_engine(), settings, ["telegram"]))
    await telegram.until(lambda: bool(telegram.calls))
    assert signal.getsignal(signal.SIGTERM) != before[0]
    os.kill(os.getpid(), signal.SIGINT)
    await bot
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


async def test_a_platform_that_refuses_stops_the_other_and_closes_everything(
    telegram: FakeTelegram, settings: Settings, fake_engine: Any
) -> None:
    engine = fake_engine()
    with pytest.raises(BadSettings, match="DISCORD_TOKEN is not set"):
        await run.serve(engine, settings, ["telegram", "discord"])
    assert engine.closed


async def test_a_token_revoked_while_running_ends_the_bot_with_a_sentence(
    telegram: FakeTelegram, settings: Settings, fake_engine: Any
) -> None:
    telegram.faults["getUpdates"].append(UNAUTHORIZED)
    with pytest.raises(TokenRefused, match="TELEGRAM_TOKEN"):
        await run.serve(fake_engine(), settings, ["telegram"])


async def test_the_database_holds_no_token(
    telegram: FakeTelegram, settings: Settings, fake_engine: Any
) -> None:
    bot = asyncio.create_task(run.serve(fake_engine(), settings, ["telegram"]))
    await telegram.say("hello")
    await telegram.until_sent(1)
    os.kill(os.getpid(), signal.SIGTERM)
    await bot
    with sqlite3.connect(settings.database.split("///")[1]) as database:
        dump = "".join(database.iterdump())
    database.close()
    assert "hello" in dump
    assert TOKEN not in dump


async def test_what_nobody_caught_is_logged_without_its_words(
    telegram: FakeTelegram, settings: Settings, fake_engine: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise ValueError("somebody's secret words")

    bot = asyncio.create_task(run.serve(fake_engine(), settings, ["telegram"]))
    await telegram.until(lambda: bool(telegram.of("getUpdates")))
    lost = asyncio.create_task(fail())
    await asyncio.wait([lost])
    del lost
    os.kill(os.getpid(), signal.SIGTERM)
    await bot
    assert "Task exception was never retrieved" in caplog.messages
    assert not any("secret" in message for message in caplog.messages)
