"""The doctor knows the addresses that the settings name, whom nobody named, and a stop."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from bot.store import Store
from tests.bot import test_doctor
from tests.bot.adapters.fake_telegram import FakeTelegram
from tests.bot.test_doctor import Examine

telegram, discord = test_doctor.telegram, test_doctor.discord
settings, examine = test_doctor.settings, test_doctor.examine


@pytest.mark.slow
@pytest.mark.parametrize(
    ("at_telegram", "ours", "state", "says"),
    [
        (False, None, "ok", "None is set. 0 messages wait there."),
        (False, "https://mine.example", "ok", "None is set: `likeness serve` sets that of"),
        (True, "https://mine.example", "ok", "Another one is set: `likeness serve` sets that of"),
        (True, "https://likeness.example", "ok", "That of LIKENESS_WEBHOOK_URL is set."),
    ],
)
async def test_a_webhook_of_the_settings_is_not_said_to_be_taken_away(
    examine: Examine,
    telegram: FakeTelegram,
    at_telegram: bool,
    ours: str | None,
    state: str,
    says: str,
) -> None:
    telegram.webhook = at_telegram
    found = (await examine("telegram", webhook_url=ours))["Telegram webhook"]
    assert found.state == state
    assert says in found.says
    assert "takes it away" not in found.says


async def test_an_address_of_the_settings_is_named_where_nothing_answers(examine: Examine) -> None:
    nowhere = "http://127.0.0.1:9"
    found = await examine(
        "telegram", "discord", telegram_base_url=f"{nowhere}/bot", discord_api_url=nowhere
    )
    assert found["Telegram"].says.endswith("is the network up, and TELEGRAM_BASE_URL right?")
    assert found["Discord"].says.endswith("is the network up, and DISCORD_API_URL right?")


async def test_a_model_of_nobody_is_said(examine: Examine, fake_engine: Any) -> None:
    def nameless() -> Any:
        engine = fake_engine()
        engine.card = dataclasses.replace(engine.card, me="")
        return engine

    found = (await examine(open_model=nameless))["Model"]
    assert found.state == "note"
    assert 'put a name behind "me" in likeness.json' in found.says


@pytest.mark.parametrize("url", ["http://mine.example", "https://mine.example:8080/likeness"])
async def test_a_webhook_that_telegram_does_not_take_is_said(
    examine: Examine, telegram: FakeTelegram, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await examine("telegram", webhook_url=url))["Telegram webhook"].state == "ok"
    monkeypatch.setattr(Settings.model_fields["telegram_base_url"], "default", telegram.url)
    found = (await examine("telegram", webhook_url=url))["Telegram webhook"]
    assert found.state == "fault"
    assert "must begin with https://" in found.says


async def test_a_bot_that_its_owner_has_stopped_is_said(
    examine: Examine, settings: Settings
) -> None:
    store = await Store.open(settings.database)
    await store.stop()
    assert "tell it /go." in (await examine())["Database"].says
    await store.go()
    await store.close()
    assert "/go" not in (await examine())["Database"].says


async def test_a_database_in_a_folder_that_is_not_there_is_said(
    examine: Examine, tmp_path: Path
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/nowhere/likeness.db"
    found = (await examine(database=url))["Database"]
    assert found.state == "fault"
    assert f"there is no folder {tmp_path}/nowhere" in found.says
