"""What goes wrong while something is sent to Telegram, and what becomes of it: over HTTP."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.delivery import Patience
from bot.adapters.telegram import serve
from bot.conversation import Conversation
from bot.settings import Settings
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.fake_telegram import BOT, GROUP, FakeTelegram
from tests.bot.adapters.fake_telegram_wire import (
    BAD_GATEWAY,
    BLOCKED,
    CUT,
    LOST_ANSWER,
    MAY_BE_LIMITED,
    TOO_MANY,
    Fault,
)

pytestmark = [pytest.mark.slow, MAY_BE_LIMITED]

Run = Callable[..., Any]

BOT_SAID = {"message_id": 9, "date": 1, "chat": GROUP, "text": "hi", "from": BOT}


@pytest.mark.parametrize("fault", [TOO_MANY, BAD_GATEWAY, Fault(503), CUT])
async def test_a_message_that_could_not_be_sent_is_sent_again(
    telegram: FakeTelegram, running: Run, fault: Fault
) -> None:
    telegram.faults["sendMessage"].extend([fault, fault])
    async with running():
        await telegram.say("hello")
        assert await telegram.until_sent(1) == ["ok"]
    assert len(telegram.of("sendMessage")) == 3


async def test_a_message_whose_confirmation_is_lost_may_appear_twice_but_is_not_lost(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    telegram.faults["sendMessage"].append(LOST_ANSWER)
    async with running():
        await telegram.say("hello")
        assert await telegram.until_sent(2) == ["ok", "ok"]
    assert history.texts("telegram", 42) == ["hello", "ok"]


async def test_a_message_that_does_not_go_through_is_kept_and_goes_out_before_the_next(
    telegram: FakeTelegram, running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.faults["sendMessage"].extend([BAD_GATEWAY] * 4)
    async with running(["first"], ["second"]):
        await telegram.say("hello")
        await telegram.until(lambda: "could not be sent" in caplog.text)
        await telegram.say("still there?")
        assert await telegram.until_sent(2) == ["first", "second"]


async def test_who_blocked_the_bot_costs_one_try_and_one_line(
    telegram: FakeTelegram, running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.faults["sendMessage"].append(BLOCKED)
    async with running():
        await telegram.say("hello")
        await telegram.until(lambda: len(telegram.of("sendMessage")) == 1)
        await telegram.say("hello", sender={"id": 43, "is_bot": False, "first_name": "Ben"})
        await telegram.until_sent(1)
    assert len(telegram.of("sendMessage")) == 2
    assert caplog.text.count("telegram 42: an answer could not be sent: Forbidden") == 1


async def test_a_group_that_became_a_supergroup_is_answered_there(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    moved = Fault(
        400, "Bad Request: group chat was upgraded", parameters={"migrate_to_chat_id": -200}
    )
    telegram.faults["sendMessage"].append(moved)
    async with running():
        await telegram.say("@LikenessBot hi", chat=GROUP)
        await telegram.until_sent(1)
    assert telegram.sent[0]["chat"]["id"] == -200
    assert history.texts("telegram", -200) == ["@LikenessBot hi", "ok"]


async def test_a_deleted_message_is_answered_all_the_same(
    telegram: FakeTelegram, running: Run
) -> None:
    gate = asyncio.Event()
    async with running([gate, "ok"]) as engine:
        message = await telegram.say("@LikenessBot hi", chat=GROUP)
        await telegram.until(lambda: bool(engine.asked))
        telegram.delete(message)
        gate.set()
        await telegram.until_sent(1)
    assert "reply_to_message" not in telegram.sent[0]


async def test_what_was_not_answered_before_a_stop_is_answered_after_the_next_start(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    telegram.faults["sendMessage"].extend([CUT] * 4)
    async with running(["one"]):
        await telegram.say("hello", chat=GROUP | {"id": -300}, reply_to_message=BOT_SAID)
        await telegram.until(lambda: len(telegram.of("sendMessage")) == 4)
        await telegram.until_confirmed()
    async with running(["never"]) as engine:
        assert await telegram.until_sent(1) == ["one"]
    assert engine.asked == []
    assert telegram.sent[0]["chat"]["id"] == -300
    assert history.texts("telegram", -300) == ["hello", "one"]


async def test_what_did_not_go_through_is_tried_again_after_a_while(
    telegram: FakeTelegram, settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    telegram.faults["sendMessage"].extend([BAD_GATEWAY] * 4)
    engine = fake_engine(["first"])
    soon = replace(hasty, again_seconds=0.05)
    bot = asyncio.create_task(serve(settings, Conversation(FakeHistory(), engine), soon))
    await telegram.say("hello")
    assert await telegram.until_sent(1) == ["first"]
    assert len(engine.asked) == 1
    bot.cancel()
    await asyncio.wait([bot])


async def test_a_failure_that_calls_itself_a_success_is_a_failure(
    telegram: FakeTelegram, running: Run
) -> None:
    polite = [replace(fault, http_status=200) for fault in (TOO_MANY, Fault(500), BLOCKED)]
    telegram.faults["sendMessage"].extend(polite)
    async with running():
        await telegram.say("hello")
        await telegram.until(lambda: not telegram.faults["sendMessage"])
        await telegram.say("hello?")
        assert await telegram.until_sent(1) == ["ok"]
