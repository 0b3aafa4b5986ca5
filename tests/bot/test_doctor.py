"""The doctor finds what keeps the bot from working, and says where to click."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner
from pydantic import SecretStr

from bot import doctor
from bot.engine.remote import RemoteEngine
from bot.findings import Finding
from bot.settings import Settings
from bot.store import Store
from likeness.card import RunCard
from likeness.cli import main
from likeness.errors import ModelNotFound
from likeness.tokenizer import FolderTokenizer
from tests.bot.adapters import fake_discord
from tests.bot.adapters.fake_discord import FakeDiscord
from tests.bot.adapters.fake_telegram import BOT, TOKEN, FakeTelegram
from tests.bot.adapters.fake_telegram_wire import CUT, UNAUTHORIZED

MESSAGE_CONTENT = 1 << 18

Examine = Callable[..., Any]


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


@pytest.fixture
def settings(telegram: FakeTelegram, discord: FakeDiscord, tmp_path: Path) -> Settings:
    return Settings(
        telegram_token=SecretStr(TOKEN),
        telegram_base_url=telegram.url,
        discord_token=SecretStr(fake_discord.TOKEN),
        discord_api_url=discord.api_url,
        LIKENESS_DATABASE=f"sqlite+aiosqlite:///{tmp_path}/likeness.db",
    )


@pytest.fixture
def examine(settings: Settings, fake_engine: Any) -> Examine:
    """Return a function that gives what was found, by subject."""

    async def examine(
        *platforms: str, open_model: Any = fake_engine, **changed: Any
    ) -> dict[str, Finding]:
        told = settings.model_copy(update=changed)
        found = [one async for one in doctor.examine(told, platforms, open_model)]
        assert all(one.says.endswith((".", "?")) or "https://" in one.says for one in found)
        assert not any(TOKEN in one.says or fake_discord.TOKEN in one.says for one in found)
        return {one.subject: one for one in found}

    return examine


@asynccontextmanager
async def answering(answered: web.Response) -> AsyncIterator[str]:
    """Run a server that answers everything with the same; yield its address."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=answered.body, headers=answered.headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_bot_that_works_is_told_so(
    examine: Examine, telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(fake_discord.APPLICATION, "flags", MESSAGE_CONTENT)
    found = await examine("telegram", "discord")
    assert {one.state for one in found.values()} == {"ok", "note"}
    assert "@LikenessBot" in found["Telegram token"].says
    assert "/setprivacy" in found["Telegram groups"].says
    assert "https://discord.com/oauth2/authorize?client_id=4711" in found["Discord servers"].says
    assert "will be made" in found["Database"].says
    assert found["Clock"].says == "It is right."
    assert "Robin" in found["Model"].says
    changing = {"getUpdates", "deleteWebhook", "setMyCommands", "setWebhook"}
    assert not changing & {call.method for call in telegram.calls}


async def test_a_token_that_is_refused_is_said_with_where_to_get_another(
    examine: Examine, telegram: FakeTelegram
) -> None:
    telegram.faults["getMe"].append(UNAUTHORIZED)
    found = await examine("telegram", "discord", discord_token=SecretStr("wrong"))
    assert found["Telegram token"].state == found["Discord token"].state == "fault"
    assert "@BotFather" in found["Telegram token"].says
    assert "Reset Token" in found["Discord token"].says


async def test_a_token_that_is_missing_is_said(examine: Examine) -> None:
    found = await examine("telegram", "discord", telegram_token=None, discord_token=None)
    assert "/newbot" in found["Telegram token"].says
    assert "developers/applications" in found["Discord token"].says
    assert (await examine())["Platforms"].state == "fault"


async def test_a_missing_intent_is_said_with_where_to_switch_it_on(examine: Examine) -> None:
    found = await examine("discord")
    assert found["Discord intents"].state == "fault"
    assert "switch on Message Content Intent" in found["Discord intents"].says
    found = await examine("discord", discord_reads="mentions")
    assert found["Discord intents"].state == "ok"


async def test_a_platform_out_of_reach_is_said(
    examine: Examine, telegram: FakeTelegram, discord: FakeDiscord
) -> None:
    telegram.faults["getMe"].append(CUT)
    discord.faults["users/@me"].append(503)
    found = await examine("telegram", "discord")
    assert found["Telegram"].state == found["Discord"].state == "fault"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<html>It works!</html>", "text/html"),
        ('{"hello": "you"}', "application/json"),
        ('["hello"]', "application/json"),
        ('{"ok": true, "result": [], "id": {}}', "application/json"),
    ],
)
async def test_something_else_that_answers_is_said(examine: Examine, body: str, kind: str) -> None:
    # discord.py reads JSON only if the header is exactly this.
    answered = web.Response(body=body.encode(), headers={"Content-Type": kind})
    async with answering(answered) as url:
        found = await examine(
            "telegram", "discord", telegram_base_url=f"{url}/bot", discord_api_url=url
        )
    assert found["Telegram"].state == found["Discord"].state == "fault"
    assert "does not speak as Telegram does" in found["Telegram"].says
    assert "does not speak as Discord does" in found["Discord"].says


async def test_nothing_is_said_of_voice(
    examine: Examine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for library in ("warn_nacl", "warn_dave"):
        monkeypatch.setattr(f"discord.VoiceClient.{library}", True)
    await examine("discord")
    assert not caplog.records


@pytest.mark.slow
async def test_what_a_group_and_a_webhook_mean_is_said(
    examine: Examine, telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BOT, "can_join_groups", False)
    telegram.webhook = True
    found = await examine("telegram")
    assert "/setjoingroups" in found["Telegram groups"].says
    assert "takes it away" in found["Telegram webhook"].says
    monkeypatch.setitem(BOT, "can_join_groups", True)
    monkeypatch.setitem(BOT, "can_read_all_group_messages", True)
    assert (await examine("telegram"))["Telegram groups"].state == "ok"


async def test_a_wrong_clock_is_said(examine: Examine) -> None:
    dated = web.Response(headers={"Date": "Wed, 01 May 2024 12:00:00 GMT"})
    async with answering(dated) as url:
        found = await examine("telegram", telegram_base_url=f"{url}/bot")
    assert found["Clock"].state == "fault"
    assert "s fast" in found["Clock"].says


async def test_a_database_is_looked_at_and_left_as_it_is(
    examine: Examine, settings: Settings, tmp_path: Path, message: Any, fake_engine: Any
) -> None:
    store = await Store.open(settings.database)
    from tests.bot.conftest import ANN

    await store.add(ANN, message("hello"))
    await store.close()
    file = tmp_path / "likeness.db"
    before = file.read_bytes()
    assert "1 message in 1 chat." in (await examine())["Database"].says
    assert file.read_bytes() == before
    file.chmod(0o644)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.store.checks.os.name", "posix")
        found = [one async for one in doctor.examine(settings, [], fake_engine)]
    assert any(f"chmod 600 {file}" in one.says and one.state == "fault" for one in found)


@pytest.mark.parametrize(
    "url",
    ["sqlite+aiosqlite:////nowhere/at/all.db", "nosuch+driver://x/y", "postgresql+asyncpg://x:1/y"],
)
async def test_a_database_that_cannot_be_used_is_said(examine: Examine, url: str) -> None:
    assert (await examine(database=url))["Database"].state == "fault"


async def test_a_model_that_cannot_be_loaded_is_said(examine: Examine) -> None:
    def fail() -> None:
        raise ModelNotFound("There is no model in runs/robin.")

    assert (await examine(open_model=fail))["Model"] == Finding(
        "Model", "fault", "There is no model in runs/robin."
    )


async def test_a_server_of_the_model_that_is_not_there_is_said(
    examine: Examine, byte_tokenizer: Any
) -> None:
    card = RunCard(name="me", me="Robin", base="scratch", context_tokens=256, gap_seconds=3600.0)

    def gone() -> RemoteEngine:
        return RemoteEngine(
            card, FolderTokenizer(byte_tokenizer), "http://127.0.0.1:9", patience_seconds=()
        )

    found = (await examine(open_model=gone))["Model"]
    assert found.state == "fault"
    assert "http://127.0.0.1:9/v1 cannot be reached" in found.says


async def test_a_full_disk_is_said(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((10_000_000, "fault"), (500_000_000, "note")):
        usage = type("usage", (), {"free": free})
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _, usage=usage: usage)
        assert (await examine())["Disk"].state == state


def test_the_command_prints_what_it_finds_and_fails_if_something_must_be_mended(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TELEGRAM_TOKEN", "DISCORD_TOKEN", "LIKENESS_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(main, ["doctor", str(tiny_model)])
    assert result.exit_code == 1
    assert "fault Platforms: One token at least is needed: TELEGRAM_TOKEN is" in result.output
    assert "@BotFather" in result.output
    assert "https://discord.com/developers/applications" in result.output
    assert "has written a token" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", [["--engine", "http://here/v1"], []])
def test_a_model_at_a_server_needs_no_weights_here(
    given: list[str], fake_engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_remote(_folder: Path, url: str, *_: object) -> Any:
        opened.append(url)
        return fake_engine()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.engine.open_remote", open_remote)
    monkeypatch.setenv("LIKENESS_ENGINE_URL", "http://there/v1")
    result = CliRunner().invoke(main, ["doctor", "me", *given])
    assert "Robin has written a token" in result.output
    assert opened == [given[1] if given else "http://there/v1"]
