"""What goes wrong at the login to Telegram and while news is fetched from it: over HTTP."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.delivery import Patience
from bot.adapters.telegram import serve
from bot.conversation import Conversation
from bot.settings import Settings
from likeness.errors import BadSettings, DatabaseError, PlatformUnavailable, TokenRefused
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.fake_telegram import TOKEN, FakeTelegram
from tests.bot.adapters.fake_telegram_wire import (
    BAD_GATEWAY,
    CUT,
    MAY_BE_LIMITED,
    TAKEN,
    TOO_MANY,
    UNAUTHORIZED,
    Fault,
)

pytestmark = [pytest.mark.slow, MAY_BE_LIMITED]

Run = Callable[..., Any]


async def test_what_it_has_not_kept_is_not_confirmed_and_comes_again(
    telegram: FakeTelegram, running: Run, history: FakeHistory, caplog: pytest.LogCaptureFixture
) -> None:
    history.faults.append(DatabaseError("The database is locked."))
    async with running():
        await telegram.say("hello")
        assert await telegram.until_sent(1) == ["ok"]
    assert history.texts("telegram", 42) == ["hello", "ok"]
    assert "The database is locked." in caplog.text


async def test_an_update_that_cannot_be_read_does_not_hide_the_others(
    telegram: FakeTelegram, running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    await telegram.push({"message": {"text": "a secret in no message at all"}})
    await telegram.say("hello")
    async with running():
        assert await telegram.until_sent(1) == ["ok"]
        await telegram.until_confirmed()
    assert "an update cannot be read" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("method", ["getMe", "deleteWebhook", "getUpdates"])
@pytest.mark.parametrize("fault", [BAD_GATEWAY, CUT, TOO_MANY])
async def test_a_platform_that_is_down_is_waited_for(
    telegram: FakeTelegram,
    running: Run,
    method: str,
    fault: Fault,
    caplog: pytest.LogCaptureFixture,
) -> None:
    telegram.faults[method].extend([fault, fault])
    await telegram.say("hello")
    async with running():
        assert await telegram.until_sent(1) == ["ok"]
    assert caplog.text.count("trying again") == 2


async def test_no_network_at_the_start_is_waited_for(
    telegram: FakeTelegram,
    settings: Settings,
    hasty: Patience,
    fake_engine: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    nowhere = settings.model_copy(update={"telegram_base_url": "http://127.0.0.1:9/bot"})
    bot = asyncio.create_task(serve(nowhere, Conversation(FakeHistory(), fake_engine()), hasty))
    await telegram.until(lambda: caplog.text.count("trying again") > 1)
    bot.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bot


@pytest.mark.parametrize("method", ["getMe", "getUpdates"])
@pytest.mark.parametrize("fault", [UNAUTHORIZED, Fault(404, "Not Found")])
async def test_a_refused_token_is_one_clear_sentence(
    telegram: FakeTelegram,
    settings: Settings,
    hasty: Patience,
    fake_engine: Any,
    method: str,
    fault: Fault,
) -> None:
    telegram.faults[method].append(fault)
    with pytest.raises(TokenRefused, match="TELEGRAM_TOKEN") as caught:
        await serve(settings, Conversation(FakeHistory(), fake_engine()), hasty)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert TOKEN not in str(caught.value)


async def test_no_token_is_one_clear_sentence(
    settings: Settings, history: FakeHistory, fake_engine: Any
) -> None:
    bare = settings.model_copy(update={"telegram_token": None})
    with pytest.raises(BadSettings, match="TELEGRAM_TOKEN is not set"):
        await serve(bare, Conversation(history, fake_engine()))


async def test_of_two_instances_one_stops_with_a_clear_word_and_the_other_answers(
    telegram: FakeTelegram, settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    bots = {
        asyncio.create_task(serve(settings, Conversation(FakeHistory(), fake_engine()), hasty))
        for _ in range(2)
    }
    [stopped], [left] = await asyncio.wait(bots, return_when=asyncio.FIRST_COMPLETED)
    with pytest.raises(PlatformUnavailable, match="Another program fetches"):
        await stopped
    await telegram.say("hello")
    assert await telegram.until_sent(1) == ["ok"]
    left.cancel()
    await asyncio.wait([left])


async def test_a_short_overlap_with_the_instance_before_is_no_reason_to_stop(
    telegram: FakeTelegram, running: Run
) -> None:
    telegram.faults["getUpdates"].extend([TAKEN, TAKEN])
    async with running():
        await telegram.say("hello")
        assert await telegram.until_sent(1) == ["ok"]


async def test_a_webhook_is_taken_away_and_nothing_dropped(
    telegram: FakeTelegram, running: Run
) -> None:
    telegram.webhook = True
    await telegram.say("hello")
    async with running():
        assert await telegram.until_sent(1) == ["ok"]


@pytest.mark.parametrize("fault", [Fault(hang_seconds=60), Fault(torn=True)])
async def test_a_poll_that_hangs_or_is_cut_off_in_the_middle_is_asked_again(
    telegram: FakeTelegram, settings: Settings, hasty: Patience, fake_engine: Any, fault: Fault
) -> None:
    telegram.faults["getUpdates"].append(fault)
    hurried = replace(hasty, poll_seconds=0, send_seconds=0.3)
    bot = asyncio.create_task(serve(settings, Conversation(FakeHistory(), fake_engine()), hurried))
    await telegram.say("hello")
    assert await telegram.until_sent(1) == ["ok"]
    bot.cancel()
    await asyncio.wait([bot])


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("getMe", '{"ok": true, "result": {}}'),
        ("getUpdates", "no JSON"),
        ("getUpdates", "[]"),
        ("getUpdates", '{"ok": true}'),
        ("getUpdates", '{"ok": true, "result": [5, {"no": "number"}]}'),
    ],
)
async def test_an_answer_that_makes_no_sense_is_asked_for_again(
    telegram: FakeTelegram, running: Run, method: str, body: str
) -> None:
    telegram.faults[method].append(Fault(200, body=body))
    await telegram.say("hello")
    async with running():
        assert await telegram.until_sent(1) == ["ok"]


async def test_a_server_that_does_not_hold_polls_is_not_asked_without_a_pause(
    telegram: FakeTelegram,
    settings: Settings,
    hasty: Patience,
    fake_engine: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.adapters.telegram.IDLE_SECONDS", 3600)
    rash = replace(hasty, poll_seconds=0)
    bot = asyncio.create_task(serve(settings, Conversation(FakeHistory(), fake_engine()), rash))
    await telegram.until(lambda: bool(telegram.of("getUpdates")))
    await asyncio.sleep(0.1)
    assert len(telegram.of("getUpdates")) == 1
    bot.cancel()
    await asyncio.wait([bot])


async def test_updates_that_come_out_of_order_are_taken_in_order(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    for number, text in ((9002, "two"), (9001, "one")):
        message = await telegram.say(text)
        telegram.renumber(message, number)
    async with running():
        await telegram.until_confirmed()
        await telegram.until_sent(1)
    assert history.texts("telegram", 42)[:2] == ["one", "two"]


async def test_a_bot_without_a_name_hears_all_the_same(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    telegram.me = {"id": 4711, "is_bot": True, "first_name": "Likeness"}
    async with running():
        await telegram.say("hello")
        assert await telegram.until_sent(1) == ["ok"]


async def test_what_nobody_knows_yet_is_passed_over(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    await telegram.push({"telepathy": {"thought": "hm"}})
    async with running():
        await telegram.say("hello", aura="blue", hologram={"of": [1, 2]})
        assert await telegram.until_sent(1) == ["ok"]
        await telegram.until_confirmed()
    assert history.texts("telegram", 42) == ["hello", "ok"]
