"""Telegram's groups: whom the bot answers there, their topics, and where they move."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.delivery import Patience
from bot.adapters.telegram import serve
from bot.conversation import Conversation
from bot.history import ChatId
from bot.settings import Settings
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.fake_telegram import ANN, BOT, GROUP, FakeTelegram

Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("@likenessbot and you?", {}),
        ("and you, Likeness?", {"entities": [{"type": "text_mention", "offset": 9, "length": 8}]}),
        ("and you?", {"reply_to_message": {"from": BOT}}),
    ],
)
async def test_in_a_group_it_answers_who_addresses_it(
    telegram: FakeTelegram, running: Run, text: str, fields: dict[str, Any]
) -> None:
    for entity in fields.get("entities", []):
        entity["user"] = BOT
    if "reply_to_message" in fields:
        fields["reply_to_message"] |= {"message_id": 9, "date": 1, "chat": GROUP, "text": "hi"}
    async with running():
        message = await telegram.say(text, chat=GROUP, **fields)
        await telegram.until_sent(1)
    assert telegram.sent[0]["reply_to_message"]["message_id"] == message["message_id"]


async def test_in_a_group_it_only_listens_to_the_rest(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    original = {"message_id": 9, "date": 1, "chat": GROUP, "text": "what?", "from": ANN}
    async with running() as engine:
        await telegram.say("who brings the drums?", chat=GROUP)
        await telegram.say("me", chat=GROUP, reply_to_message=original)
        await telegram.say("@someone else", chat=GROUP)
        await telegram.say("@LikenessBot you?", chat=GROUP)
        await telegram.until_sent(1)
    heard = ["who brings the drums?", "me", "@someone else", "@LikenessBot you?"]
    assert [message.text for message in engine.asked[0]] == heard
    assert history.texts("telegram", -100) == [*heard, "ok"]
    assert len(telegram.sent) == 1


async def test_each_topic_is_a_chat_and_is_answered_in_itself(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    opened = {
        "message_id": 7,
        "date": 1,
        "chat": GROUP,
        "from": BOT,
        "forum_topic_created": {"name": "Drums", "icon_color": 1},
    }
    topic = {"message_thread_id": 7, "is_topic_message": True, "reply_to_message": opened}
    async with running():
        await telegram.say("nobody asked the bot", chat=GROUP, **topic)
        await telegram.say("@LikenessBot drums?", chat=GROUP, **topic)
        await telegram.say("@LikenessBot you?", chat=GROUP, message_thread_id=8)
        await telegram.until_sent(2)
    assert {sent.get("message_thread_id") for sent in telegram.sent} == {7, None}
    assert history.texts("telegram", -100, 7) == [
        "nobody asked the bot",
        "@LikenessBot drums?",
        "ok",
    ]
    assert history.texts("telegram", -100) == ["@LikenessBot you?", "ok"]


async def test_an_anonymous_admin_is_somebody(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    async with running():
        await telegram.say("@LikenessBot hi", chat=GROUP, sender=anonymous, sender_chat=GROUP)
        await telegram.until_sent(1)
    speaker = next(iter(history.chats.values()))[0]
    assert (speaker.speaker_id, speaker.speaker) == ("chat-100", "The band")


async def test_a_group_that_moves_takes_its_history_along(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    moved = GROUP | {"id": -200}
    async with running() as engine:
        old = await telegram.say("before", chat=GROUP)
        await telegram.say(None, chat=GROUP, migrate_to_chat_id=-200)
        again = {"message_id": old["message_id"]}  # a supergroup counts from one
        await telegram.say("@LikenessBot after", chat=moved, **again)
        await telegram.until_sent(1)
    assert [message.text for message in engine.asked[0]] == ["before", "@LikenessBot after"]
    assert history.texts("telegram", -200) == ["before", "@LikenessBot after", "ok"]
    assert history.texts("telegram", -100) == []


@pytest.mark.slow
async def test_who_asked_in_a_group_that_moves_while_the_answer_is_written_is_answered_there(
    telegram: FakeTelegram,
    settings: Settings,
    history: FakeHistory,
    hasty: Patience,
    fake_engine: Any,
) -> None:
    gate, moved = asyncio.Event(), ChatId("telegram", "-200")
    engine = fake_engine([gate, "never"], ["there"])
    patience = replace(hasty, again_seconds=0.2)
    bot = asyncio.create_task(serve(settings, Conversation(history, engine), patience))
    await telegram.say("@LikenessBot hi", chat=GROUP)
    await telegram.until(lambda: bool(engine.asked))
    await telegram.say(None, chat=GROUP, migrate_to_chat_id=-200)
    await telegram.until(lambda: moved in history.chats)
    gate.set()
    assert await telegram.until_sent(1) == ["there"]
    assert telegram.sent[0]["chat"]["id"] == -200
    bot.cancel()
    await asyncio.wait([bot])
