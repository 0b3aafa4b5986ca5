"""The Telegram adapter: python-telegram-bot over HTTP against a Bot API server on loopback."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.delivery import Patience
from bot.adapters.telegram import serve
from bot.conversation import Conversation
from bot.settings import Settings
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.fake_telegram import ANN, GROUP, TOKEN, FakeTelegram
from tests.bot.adapters.fake_telegram_wire import (
    BAD_GATEWAY,
    BLOCKED,
    MAY_BE_LIMITED,
    UNAUTHORIZED,
    Fault,
)
from tests.bot.adapters.races import race

pytestmark = MAY_BE_LIMITED

Run = Callable[..., Any]


async def test_it_answers_a_private_message(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running(["hi", "how are you?"]):
        await telegram.say("hello 👋🏽")
        assert await telegram.until_sent(2) == ["hi", "how are you?"]
    assert [sent["chat"]["id"] for sent in telegram.sent] == [42, 42]
    assert history.texts("telegram", 42) == ["hello 👋🏽", "hi", "how are you?"]
    assert not any("reply_parameters" in data for data in telegram.of("sendMessage"))


async def test_it_shows_a_typing_sign_while_it_writes(telegram: FakeTelegram, running: Run) -> None:
    gate = asyncio.Event()
    async with running([gate, "hi"]):
        await telegram.say("hello")
        await telegram.until(lambda: bool(telegram.of("sendChatAction")))
        assert not telegram.sent
        gate.set()
        await telegram.until_sent(1)
    assert telegram.of("sendChatAction")[0] == {"chat_id": 42, "action": "typing"}


async def test_a_typing_sign_that_fails_does_not_matter(
    telegram: FakeTelegram, running: Run
) -> None:
    telegram.faults["sendChatAction"].append(Fault(403, "Forbidden"))
    async with running():
        await telegram.say("hello")
        assert await telegram.until_sent(1) == ["ok"]


async def test_bots_edits_channels_and_notices_are_not_answered(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    channel = {"id": -7, "type": "channel", "title": "News"}
    async with running():
        await telegram.say("beep", sender=ANN | {"is_bot": True})
        await telegram.say("a gif", via_bot={"id": 5, "is_bot": True, "first_name": "gif"})
        await telegram.say("hello!", kind="edited_message", edit_date=1_700_000_005)
        await telegram.push({"channel_post": {"message_id": 5, "date": 1, "chat": channel}})
        await telegram.say(None, chat=GROUP, new_chat_title="The new band")
        await telegram.say("a person")
        await telegram.until_sent(1)
        await telegram.until_confirmed()
    assert telegram.texts == ["ok"]
    assert history.texts("telegram", 42) == ["a gif", "a person", "ok"]
    assert [message.kind for chat in history.chats.values() for message in chat] == [
        "automated",
        "text",
        "text",
    ]


async def test_a_picture_is_read_by_its_caption_and_a_sticker_by_its_emoji(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    photo = [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]
    sticker = {"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1, "emoji": "🥁"}
    sticker |= {"type": "regular", "is_animated": False, "is_video": False}
    async with running():
        await telegram.say(None, photo=photo)
        await telegram.say(None, photo=photo, caption="my drums")
        await telegram.until_sent(1)
        await telegram.say(None, sticker=sticker)
        await telegram.until_sent(2)
    kinds = [(message.text, message.kind) for message in next(iter(history.chats.values()))]
    assert kinds[:2] == [("", "media"), ("my drums", "media")]
    assert ("🥁", "media") in kinds


async def test_a_slow_chat_does_not_hold_up_another(telegram: FakeTelegram, running: Run) -> None:
    gate = asyncio.Event()
    async with running([gate, "slow"], ["quick"]) as engine:
        await telegram.say("hello")
        await telegram.until(lambda: bool(engine.asked))
        await telegram.say("hello", sender={"id": 43, "is_bot": False, "first_name": "Ben"})
        assert await telegram.until_sent(1) == ["quick"]
        gate.set()
        assert await telegram.until_sent(2) == ["quick", "slow"]


async def test_a_long_answer_is_cut_into_messages_that_telegram_takes(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    long = "🥁" * 5000
    async with running([long]):
        await telegram.say("hello")
        await telegram.until_sent(3)
    assert "".join(telegram.texts) == long
    assert history.texts("telegram", 42) == ["hello", *telegram.texts]


async def test_a_message_that_comes_twice_is_answered_once(
    telegram: FakeTelegram, running: Run
) -> None:
    async with running() as engine:
        message = await telegram.say("hello")
        await telegram.until_sent(1)
        await telegram.push({"message": message})
        await telegram.until_confirmed()
    assert len(engine.asked) == 1


@pytest.mark.parametrize("slower", ["add", "owed"])
async def test_a_message_found_as_owed_while_it_is_heard_is_answered_once_and_not_interrupted(
    telegram: FakeTelegram, running: Run, history: FakeHistory, slower: str
) -> None:
    gate = asyncio.Event()
    async with running([gate, "one"], ["two"]) as engine:
        await race(history, slower, engine).wait()
        await telegram.say("hello")
        await telegram.until_confirmed()
        await asyncio.sleep(0.05)
        gate.set()
        await telegram.until_sent(1)
    assert (telegram.texts, len(engine.asked), engine.stopped) == (["one"], 1, 0)


async def test_what_is_older_than_it_answers_is_only_heard(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running() as engine:
        await telegram.say("a week ago", date=int(time.time()) - 7 * 86_400)
        await telegram.until_confirmed()
        assert engine.asked == []
        await telegram.say("now")
        await telegram.until_sent(1)
    assert history.texts("telegram", 42) == ["a week ago", "now", "ok"]


async def test_an_edit_changes_what_was_said_and_is_not_answered(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running() as engine:
        message = await telegram.say("helo")
        await telegram.until_sent(1)
        await telegram.push({"edited_message": message | {"text": "hello", "edit_date": 5}})
        await telegram.until_confirmed()
    assert history.texts("telegram", 42) == ["hello", "ok"]
    assert len(engine.asked) == 1


@pytest.mark.slow
async def test_no_more_chats_are_answered_at_once_than_are_allowed_and_none_is_forgotten(
    telegram: FakeTelegram,
    settings: Settings,
    history: FakeHistory,
    hasty: Patience,
    fake_engine: Any,
) -> None:
    gate = asyncio.Event()
    engine = fake_engine([gate, "ok"], [gate, "ok"])
    two = replace(hasty, answers=2)
    bot = asyncio.create_task(serve(settings, Conversation(history, engine), two))
    for number in range(1, 11):
        await telegram.say("hello", sender=ANN | {"id": number})
    await telegram.until_confirmed()
    assert len(engine.asked) == 2
    gate.set()
    await telegram.until_sent(10)
    assert {sent["chat"]["id"] for sent in telegram.sent} == set(range(1, 11))
    bot.cancel()
    await asyncio.gather(bot, return_exceptions=True)


async def test_stopping_finishes_the_answer_and_confirms_what_was_taken(
    telegram: FakeTelegram, settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    gate = asyncio.Event()
    engine = fake_engine([gate, "done"])
    bot = asyncio.create_task(serve(settings, Conversation(FakeHistory(), engine), hasty))
    await telegram.say("hello")
    await telegram.until(lambda: bool(engine.asked))
    bot.cancel()
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await bot
    assert telegram.texts == ["done"]
    assert telegram.waiting == []


async def test_stopping_abandons_an_answer_that_takes_too_long(
    telegram: FakeTelegram, settings: Settings, fake_engine: Any
) -> None:
    engine = fake_engine([asyncio.Event()])
    hurried = Patience(grace_seconds=0.05)
    bot = asyncio.create_task(serve(settings, Conversation(FakeHistory(), engine), hurried))
    await telegram.say("hello")
    await telegram.until(lambda: bool(engine.asked))
    bot.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bot
    assert engine.stopped == 1


async def test_words_names_and_the_token_are_never_logged(
    telegram: FakeTelegram, running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "bot")
    telegram.faults["sendMessage"].extend([BAD_GATEWAY, BLOCKED])
    zoe = {"id": 44, "is_bot": False, "first_name": "Zoe-secret"}
    async with running(["a secret answer"], [RuntimeError("a secret word")]):
        await telegram.say("a secret question", sender=zoe)
        await telegram.until(lambda: "an answer could not be sent" in caplog.text)
        await telegram.say("another secret", sender=zoe)
        await telegram.until_sent(1)
        telegram.faults["getUpdates"].append(UNAUTHORIZED)
        await telegram.say("the last secret", sender=zoe)
        await telegram.until(lambda: not telegram.faults["getUpdates"])
    assert len(telegram.of("sendMessage")) > 2
    assert "The model failed" in caplog.text
    assert "secret" not in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.slow
async def test_a_send_that_hangs_is_given_up_and_tried_again(
    telegram: FakeTelegram, settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    telegram.faults["sendMessage"].append(Fault(hang_seconds=60))
    hurried = replace(hasty, send_seconds=0.3)
    talk = Conversation(FakeHistory(), fake_engine())
    bot = asyncio.create_task(serve(settings, talk, hurried))
    await telegram.say("hello")
    assert await telegram.until_sent(1) == ["ok"]
    bot.cancel()
    await asyncio.wait([bot])


async def test_what_looks_like_markup_or_is_blank_is_sent_as_it_is(
    telegram: FakeTelegram, running: Run
) -> None:
    async with running(["*a_b [x](y", "  "]):
        await telegram.say("hello")
        assert await telegram.until_sent(2) == ["*a_b [x](y", "…"]
    assert not any("parse_mode" in data for data in telegram.of("sendMessage"))


async def test_a_command_that_is_edited_in_is_not_obeyed(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running():
        message = await telegram.say("hello")
        await telegram.until_sent(1)
        await telegram.push({"edited_message": message | {"text": "/reset", "edit_date": 5}})
        await telegram.until_confirmed()
    assert len(telegram.sent) == 1
    assert len(await history.recent(next(iter(history.chats)), 9)) == 2
