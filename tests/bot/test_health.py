"""What a supervisor and Prometheus on the same machine are told."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from bot import health as health_checks
from bot import run
from bot.health import health
from bot.metrics import Metrics
from bot.settings import Settings
from likeness.errors import BadSettings, DatabaseError
from tests.bot.adapters.fake_telegram import TOKEN, FakeTelegram
from tests.bot.adapters.fake_telegram_wire import BAD_GATEWAY, BLOCKED


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def ask(port: int | None, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text()


async def numbers(port: int) -> dict[tuple[str, str], float]:
    status, page = await ask(port, "/metrics")
    assert status == 200
    return {
        (sample.name, sample.labels["platform"]): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if set(sample.labels) == {"platform"}
    }


@pytest.mark.slow
async def test_the_bot_at_work_tells_how_it_is(
    telegram: FakeTelegram, tmp_path: Path, fake_engine: Any
) -> None:
    settings = Settings(
        telegram_token=SecretStr(TOKEN),
        telegram_base_url=telegram.url,
        LIKENESS_DATABASE=f"sqlite+aiosqlite:///{tmp_path}/likeness.db",
        LIKENESS_HEALTH_PORT=(port := free_port()),
        LIKENESS_PAUSE_SECONDS=0,
        LIKENESS_ALLOW="everyone",
    )
    gate = asyncio.Event()
    engine = fake_engine(["one", "two"], [RuntimeError("broken")], ["three"], [gate])
    bot = asyncio.create_task(run.serve(engine, settings, ["telegram"]))
    await telegram.until(lambda: bool(telegram.of("getUpdates")))
    for number, text in enumerate(["hello", "again?"], start=1):
        await telegram.say(text)
        await telegram.until_sent(2 * number - number // 2)
    telegram.faults["sendMessage"].append(BLOCKED)
    await telegram.say("and you?")
    await telegram.until(lambda: not telegram.faults["sendMessage"])
    await telegram.say("still there?")
    await telegram.until(lambda: len(engine.asked) == 4)
    assert await ask(port, "/healthz") == (200, '{"alive": true}')
    assert await ask(port, "/readyz") == (200, '{"telegram": true, "database": true}')
    found = await numbers(port)
    assert found["likeness_messages_heard_total", "telegram"] == 4
    assert found["likeness_answers_total", "telegram"] == 2
    assert found["likeness_failures_total", "telegram"] == 2
    assert found["likeness_chats_owed", "telegram"] == 1
    assert found["likeness_connected", "telegram"] == 1
    assert found["likeness_reply_seconds_count", "telegram"] == 2
    telegram.faults["getUpdates"].append(BAD_GATEWAY)
    gate.set()
    await telegram.say("so that the poll ends")
    await telegram.until(lambda: not telegram.faults["getUpdates"])
    while (await ask(port, "/readyz"))[0] == 200:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)
    await bot
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(port, "/healthz")


async def test_a_database_that_fails_is_no_reason_to_be_killed_but_to_be_left_alone() -> None:
    async def owed() -> Mapping[str, int]:
        raise DatabaseError("The database is gone.")

    metrics = Metrics()
    metrics.connected("discord", up=True)
    async with health(0, metrics, owed, ["discord"]) as port:
        assert (await ask(port, "/healthz"))[0] == 200
        assert await ask(port, "/readyz") == (503, '{"discord": true, "database": false}')
        assert await ask(port, "/metrics") == (503, "The database is gone.\n")


async def test_a_database_that_hangs_is_told_in_time_asked_once_and_asked_anew_when_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health_checks, "DATABASE_SECONDS", 0.05)
    asked, hangs = [], asyncio.Event()

    async def owed() -> Mapping[str, int]:
        asked.append(1)
        await hangs.wait()
        return {"discord": len(asked)}

    metrics = Metrics()
    metrics.connected("discord", up=True)
    async with health(0, metrics, owed, ["discord"]) as port, asyncio.timeout(10):
        for _ in range(2):
            assert await ask(port, "/readyz") == (503, '{"discord": true, "database": false}')
        assert await ask(port, "/metrics") == (503, "The database does not answer.\n")
        assert len(asked) == 1
        hangs.set()
        for path in ("/readyz", "/metrics"):
            assert (await ask(port, path))[0] == 200
        assert len(asked) > 1
        hangs.clear()
        assert (await ask(port, "/readyz"))[0] == 503
    assert len(asyncio.all_tasks()) == 1


async def test_nobody_is_answered_unless_a_port_is_named() -> None:
    async def owed() -> Mapping[str, int]:
        return {}

    async with health(None, Metrics(), owed, []) as port:
        assert port is None


async def test_a_port_that_is_taken_is_one_sentence() -> None:
    async def owed() -> Mapping[str, int]:
        return {"telegram": 3}

    async with health(0, Metrics(), owed, []) as port:
        assert 'likeness_chats_owed{platform="telegram"} 3.0' in (await ask(port, "/metrics"))[1]
        with pytest.raises(BadSettings, match=f"Port {port} .* LIKENESS_HEALTH_PORT"):
            async with health(port, Metrics(), owed, []):
                pass
