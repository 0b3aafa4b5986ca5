"""`likeness serve` as a supervisor sees it: one instance, exit codes, log lines, a stop in time."""

import asyncio
import json
import logging
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.settings import Settings
from bot.store.lock import only_process
from likeness.cli import main
from likeness.cli.logs import JsonLines, TextLines
from likeness.errors import InstanceRunning
from tests.bot.adapters import fake_discord
from tests.bot.adapters.fake_discord import FakeDiscord
from tests.bot.adapters.fake_telegram import TOKEN, FakeTelegram
from tests.bot.adapters.fake_telegram_wire import UNAUTHORIZED, Fault
from tests.bot.conftest import FakeEngine

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import bot.engine
from likeness.cli import main
from tests.bot.conftest import FakeEngine
bot.engine.open_engine = lambda *_, **__: FakeEngine(["one", "two"])
main(prog_name="likeness")
"""

Serve = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest.fixture
async def serve(telegram: FakeTelegram, tiny_model: Path, tmp_path: Path) -> AsyncIterator[Serve]:
    """Return a function that runs the command in a process of its own."""
    started: list[asyncio.subprocess.Process] = []

    async def serve(
        *options: str, platform: str = "telegram", **environment: str
    ) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", PROGRAM, "serve", "robin", platform, *options),
            cwd=tmp_path,
            env=os.environ
            | {
                "PYTHONPATH": str(REPOSITORY),
                "TELEGRAM_TOKEN": TOKEN,
                "TELEGRAM_BASE_URL": telegram.url,
                "LIKENESS_ALLOW": "everyone",
                "LIKENESS_PAUSE_SECONDS": "0",
                "LIKENESS_PACE": "off",
            }
            | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield serve
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_a_second_process_on_the_same_file_is_one_sentence(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/likeness.db"
    with only_process(url):
        with pytest.raises(InstanceRunning, match=r"already at work on .*likeness\.db: stop it"):
            only_process(url).__enter__()
        with only_process(f"sqlite+aiosqlite:///{tmp_path}/another.db"):
            modes = {stat.S_IMODE(entry.stat().st_mode) for entry in os.scandir(tmp_path)}
            assert modes == {0o600}
    with only_process(url):
        assert not (tmp_path / "likeness.db").exists()


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "postgresql+asyncpg://x/y"])
def test_what_is_no_file_is_not_locked(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with only_process(url), only_process(url):
        assert not list(tmp_path.iterdir())


@pytest.mark.slow
async def test_a_supervisor_is_told_by_the_exit_code_whether_to_try_again(
    telegram: FakeTelegram, serve: Serve
) -> None:
    first = await serve()
    await telegram.until(lambda: bool(telegram.of("getUpdates")), seconds=60)
    second = await serve()
    _, log = await second.communicate()
    assert (second.returncode, log.count(b"\n")) == (75, 1)
    assert b"already at work on likeness.db" in log
    telegram.faults["getUpdates"].append(UNAUTHORIZED)
    await telegram.say("so that the poll ends")
    _, log = await first.communicate()
    assert first.returncode == 78
    assert b"Error: Telegram does not accept the bot's token" in log


@pytest.mark.slow
async def test_it_stops_within_ten_seconds_whatever_hangs(
    telegram: FakeTelegram, serve: Serve
) -> None:
    telegram.faults["sendMessage"].append(Fault(hang_seconds=60))
    process = await serve()
    await telegram.say("hello")
    await telegram.until(lambda: bool(telegram.of("sendMessage")), seconds=60)
    telegram.faults["getUpdates"].append(Fault(hang_seconds=60))
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        await process.communicate()
    assert process.returncode == 0


@pytest.mark.slow
async def test_it_leaves_discord_properly_when_told_to_stop(serve: Serve) -> None:
    async with FakeDiscord() as discord:
        process = await serve(
            platform="discord",
            DISCORD_TOKEN=fake_discord.TOKEN,
            DISCORD_API_URL=f"{discord.api_url}/",
            DISCORD_GATEWAY_URL=f"{discord.gateway_url}/",
        )
        await discord.until(lambda: discord.identified == 1, seconds=60)
        await discord.say("hello")
        await discord.until(lambda: discord.sent == ["one", "two"], seconds=60)
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        await discord.until(lambda: discord.close_code is not None)
    assert (process.returncode, discord.close_code) == (0, 1000)


@pytest.mark.slow
async def test_log_lines_are_objects_if_asked_for_and_hold_no_words_names_or_tokens(
    telegram: FakeTelegram, serve: Serve
) -> None:
    process = await serve("--log-format", "json")
    zoe = {"id": 44, "is_bot": False, "first_name": "Zoe-secret"}
    telegram.faults["sendMessage"].append(Fault(403, "Forbidden: Zoe-secret blocked the bot"))
    await telegram.say("a secret question", sender=zoe)
    await telegram.until(lambda: bool(telegram.of("sendMessage")), seconds=60)
    await telegram.say("another secret", sender=zoe)
    await telegram.until_sent(1)
    process.send_signal(signal.SIGTERM)
    output, log = await process.communicate()
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"time", "level", "logger", "message"} == set(lines[0])
    assert "telegram: connected" in [line["message"] for line in lines]
    assert "telegram 44: an answer could not be sent: Forbidden" in [
        line["message"] for line in lines
    ]
    assert b"secret" not in log + output
    assert TOKEN.encode() not in log + output


@pytest.mark.parametrize("lines", [TextLines(), JsonLines()])
def test_an_error_in_the_log_is_told_by_its_kind_and_place_alone(lines: logging.Formatter) -> None:
    def fail() -> None:
        raise ValueError("somebody's secret words")

    try:
        fail()
    except ValueError:
        caught: Any = sys.exc_info()
    record = logging.LogRecord("bot", logging.ERROR, __file__, 1, "it %s", ("failed",), caught)
    line = lines.format(record)
    assert "it failed" in line
    assert "ValueError" in line
    assert "in fail" in line
    assert "secret" not in line


def test_a_webhook_s_address_is_taken_as_the_setting_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str | None] = []

    async def note(_engine: object, settings: Settings, *_: object, **__: object) -> None:
        told.append(settings.webhook_url)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setattr("bot.run.serve", note)
    monkeypatch.setattr("bot.engine.open_engine", lambda *_, **__: FakeEngine())
    for given in ("https://likeness.example/x/", ""):
        assert _run("--webhook", given).exit_code == 0
    monkeypatch.setenv("LIKENESS_WEBHOOK_URL", "https://set.example")
    assert _run("--webhook", "").exit_code == 0
    assert told == ["https://likeness.example/x", None, "https://set.example"]
    refused = _run("--webhook", "hello")
    assert refused.exit_code == 2
    assert "'--webhook': must be a URL that begins with https or http." in refused.output


def test_a_platform_that_is_named_twice_is_served_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    async def note(
        _engine: object, _settings: Settings, platforms: object, *_: object, **__: object
    ) -> None:
        told.append(platforms)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setattr("bot.run.serve", note)
    monkeypatch.setattr("bot.engine.open_engine", lambda *_, **__: FakeEngine())
    assert _run("telegram").exit_code == 0
    assert told == [("telegram",)]


def _run(*options: str) -> Result:
    return CliRunner().invoke(main, ["serve", "me", "telegram", *options])
