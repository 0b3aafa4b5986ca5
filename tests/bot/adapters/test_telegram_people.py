"""Who may talk to the Telegram bot, and what they may order: over HTTP, with buttons."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from bot.adapters.delivery import Patience
from bot.adapters.telegram import serve
from bot.adapters.telegram_chats import refusal
from bot.conversation import Conversation
from bot.history import ChatId
from bot.outlet import Reply
from bot.settings import Settings
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.fake_telegram import ANN, GROUP, TOKEN, FakeTelegram, buttons
from tests.bot.adapters.fake_telegram_wire import Fault

Run = Callable[..., Any]

pytestmark = pytest.mark.slow

OLGA = {"id": 1, "is_bot": False, "first_name": "Olga"}
EVE = {"id": 66, "is_bot": False, "first_name": "Eve"}


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest.fixture
def running(telegram: FakeTelegram, history: FakeHistory, hasty: Patience, fake_engine: Any) -> Run:
    """Return a context in which Olga's bot runs; it gives the engine."""

    @asynccontextmanager
    async def running(*scripts: Any, **more: Any) -> AsyncIterator[Any]:
        settings = Settings(
            telegram_token=SecretStr(TOKEN),
            telegram_base_url=telegram.url,
            **{"LIKENESS_OWNER": "telegram:1", **more},
        )
        engine = fake_engine(*scripts)
        patience = replace(hasty, again_seconds=0.05)
        bot = asyncio.create_task(serve(settings, Conversation(history, engine), patience))
        try:
            yield engine
        finally:
            bot.cancel()
            await asyncio.gather(bot, return_exceptions=True)

    return running


async def test_a_stranger_is_let_in_by_a_button_and_answered_from_then_on(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running():
        await telegram.say("hello")
        await telegram.until_sent(2)
        texts = {sent["chat"]["id"]: sent["text"] for sent in telegram.sent}
        assert "I only talk with people whom my owner has let in." in texts[42]
        assert texts[1] == "Ann (42) wants to talk to me."
        await telegram.say("hello??")
        await telegram.until_confirmed()
        question = await telegram.press("allow telegram:42", sender=OLGA)
        await telegram.until_sent(3)
        assert telegram.texts[2] == "My owner has let you in: write to me!"
        await telegram.until(lambda: question["text"] == "I talk with telegram:42 now.")
        assert not buttons(question)
        await telegram.say("may I?")
        assert (await telegram.until_sent(4))[3] == "ok"
    assert history.texts("telegram", 42) == ["may I?", "ok"]
    assert len(telegram.of("answerCallbackQuery")) == 1


async def test_a_button_of_the_owner_s_does_nothing_for_others(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running():
        await telegram.say("hello")
        await telegram.until_sent(2)
        await telegram.press("allow telegram:42")
        await telegram.until(lambda: bool(telegram.of("answerCallbackQuery")))
        await telegram.say("may I?")
        await telegram.until_confirmed()
    assert history.signed["telegram", "42"].standing == "waiting"
    assert len(telegram.sent) == 2


@pytest.mark.parametrize(
    ("panel", "line", "who", "told"),
    [
        ("/stop", "go", ANN, "Only my owner can tell me that."),
        ("/settings", "settings pace off", EVE, "I only talk with people whom my owner"),
        ("/settings", "settings pace off", ANN, "That is a lot at once."),
    ],
)
async def test_whoever_may_not_press_a_button_is_told_so_and_the_panel_stays(
    telegram: FakeTelegram, running: Run, panel: str, line: str, who: dict[str, Any], told: str
) -> None:
    async with running(LIKENESS_ALLOW="telegram:42", LIKENESS_PERSON_RATE=1) as engine:
        if "a lot" in told:
            await telegram.say("/help", sender=who)
            await telegram.until_sent(1)
        before = len(telegram.sent)
        await telegram.say(panel, sender=OLGA, chat=GROUP)
        await telegram.until_sent(before + 1)
        shown = telegram.sent[before]["text"]
        message = await telegram.press(line, sender=who)
        await telegram.until(lambda: bool(telegram.of("answerCallbackQuery")))
        [answer] = telegram.of("answerCallbackQuery")
        await telegram.until_confirmed()
    assert told in answer["text"]
    assert answer["show_alert"]
    assert len(answer["text"]) <= 200
    assert (message["text"], line in buttons(message)) == (shown, True)
    assert not engine.asked


async def test_a_refusal_that_is_too_long_for_telegram_is_cut() -> None:
    told = refusal(Reply("🥁 " * 150, refuses=True))["text"]
    assert 190 < len(told.encode("utf-16-le")) / 2 <= 200


async def test_whoever_has_the_code_of_the_log_owns_the_bot(
    telegram: FakeTelegram, running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(LIKENESS_OWNER=""):
        await telegram.until(lambda: "the bot has no owner" in caplog.text)
        code = caplog.text.partition("/start ")[2].split()[0]
        await telegram.say(f"/start {code}")
        [text] = await telegram.until_sent(1)
        assert text.startswith("You are my owner now.")
        await telegram.say("hi")
        assert (await telegram.until_sent(2))[1] == "ok"


async def test_who_becomes_the_owner_is_asked_about_those_who_came_before(
    telegram: FakeTelegram, running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(LIKENESS_OWNER=""):
        await telegram.say("hello")
        await telegram.until_sent(1)
        code = caplog.text.partition("/start ")[2].split()[0]
        await telegram.say(f"/start {code}", sender=OLGA)
        assert (await telegram.until_sent(3))[1].startswith("You are my owner now.")
        assert telegram.sent[2]["chat"]["id"] == 1
        await telegram.press("allow telegram:42", sender=OLGA)
        assert (await telegram.until_sent(4))[3] == "My owner has let you in: write to me!"


async def test_the_owner_is_asked_about_a_stranger_who_cannot_be_told_anything(
    telegram: FakeTelegram, running: Run
) -> None:
    telegram.blocked.add(42)
    async with running():
        await telegram.say("hello")
        assert await telegram.until_sent(1) == ["Ann (42) wants to talk to me."]


async def test_a_question_to_the_owner_that_does_not_go_through_is_asked_later(
    telegram: FakeTelegram, running: Run
) -> None:
    telegram.blocked.add(42)
    telegram.faults["sendMessage"].extend([Fault(502)] * 10)
    async with running():
        await telegram.say("hello")
        assert await telegram.until_sent(1) == ["Ann (42) wants to talk to me."]


async def test_settings_are_changed_by_buttons_in_the_place_of_the_message(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running() as engine:
        await telegram.say("/settings", sender=OLGA)
        await telegram.until_sent(1)
        message = await telegram.press("settings temperature 0.5", sender=OLGA)
        await telegram.until(lambda: "Temperature: 0.5." in message["text"])
        await telegram.press("settings temperature 0.5", sender=OLGA)  # nothing changes
        await telegram.say("/settings pace off", sender=OLGA)
        await telegram.until_sent(2)
        await telegram.say("hi", sender=OLGA)
        await telegram.until_sent(3)
    assert engine.samplings[0].temperature == 0.5
    assert history.settings[ChatId("telegram", "1")].pace == "off"
    assert not any("chattiness" in line for line in buttons(message))


async def test_mydata_is_a_file_of_what_is_kept_and_forgetme_deletes_it_once_confirmed(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running(LIKENESS_ALLOW="telegram:42"):
        await telegram.say("my name is Ann")
        await telegram.until_sent(1)
        await telegram.say("/mydata", chat=GROUP)
        assert (await telegram.until_sent(2))[1].startswith("Ask me that in private")
        await telegram.say("/mydata")
        await telegram.until_sent(3)
        lines = [json.loads(line) for line in telegram.sent[2]["document"].splitlines()]
        assert lines[0]["id"] == "42"
        assert [line["text"] for line in lines[1:]] == ["my name is Ann", "ok"]
        await telegram.say("/forgetme")
        await telegram.until_sent(4)
        assert history.texts("telegram", 42) == ["my name is Ann", "ok"]
        await telegram.press("forgetme 42", sender=OLGA)  # not hers
        await telegram.press("forgetme 42")
        await telegram.until(lambda: history.texts("telegram", 42) == ["", ""])
        await telegram.until(lambda: "deleted 2 messages" in telegram.texts[3])


async def test_the_owner_stops_it_at_once_and_lets_it_go_on(
    telegram: FakeTelegram, running: Run
) -> None:
    async with running(["one", asyncio.Event(), "never"], ["two"]) as engine:
        await telegram.say("hello", sender=OLGA)
        await telegram.until_sent(1)
        await telegram.say("/stop", sender=OLGA)
        await telegram.until_sent(2)
        assert engine.stopped == 1
        await telegram.say("hello?", sender=OLGA)
        await telegram.until_confirmed()
        await telegram.press("go", sender=OLGA)
        await telegram.until(lambda: telegram.texts[1].startswith("I answer again"))
        await telegram.say("and now?", sender=OLGA)
        assert (await telegram.until_sent(3))[2] == "two"
        await telegram.say("/status", sender=OLGA)
        status = (await telegram.until_sent(4))[3]
    assert "I am answering.\nModel: fake, as Robin" in status
    assert "Chats: 1\n" in status


async def test_who_asks_too_much_gets_one_line(telegram: FakeTelegram, running: Run) -> None:
    async with running(LIKENESS_ALLOW="everyone", LIKENESS_PERSON_RATE=1) as engine:
        await telegram.say("one")
        await telegram.until_sent(1)
        for text in ("two", "three", "four"):
            await telegram.say(text)
        await telegram.until_sent(2)
        await telegram.until_confirmed()
    assert telegram.texts == ["ok", "That is a lot at once. Give me a minute, please."]
    assert len(engine.asked) == 1


async def test_who_blocks_the_bot_is_owed_nothing_more(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    telegram.faults["sendMessage"].extend([Fault(502)] * 4)
    user = {"user": {"id": 4711, "is_bot": True, "first_name": "Likeness"}}
    change = {
        "chat": {"id": 42, "type": "private", "first_name": "Ann"},
        "from": ANN,
        "date": 1_700_000_000,
        "old_chat_member": {"status": "member", **user},
        "new_chat_member": {"status": "kicked", "until_date": 0, **user},
    }
    async with running(LIKENESS_ALLOW="everyone"):
        await telegram.say("hello")
        await telegram.until(lambda: not telegram.faults["sendMessage"])
        await telegram.until_confirmed()
        await telegram.push({"my_chat_member": change})
        await telegram.until_confirmed()
    assert history.planned[ChatId("telegram", "42")] == []
    assert telegram.sent == []


async def test_a_group_is_answered_in_by_name_and_chimed_in_as_set(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running(LIKENESS_ALLOW="telegram:-100", LIKENESS_ALIASES="Bobby"):
        await telegram.say("nobody in particular", chat=GROUP)
        asked = await telegram.say("bobby, lunch?", chat=GROUP)
        await telegram.until_sent(1)
        await telegram.say("Robin?", chat=GROUP)
        await telegram.until_sent(2)
    assert telegram.sent[0]["reply_to_message"]["message_id"] == asked["message_id"]
    assert len(history.texts("telegram", -100)) == 5
