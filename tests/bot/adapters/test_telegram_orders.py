"""What people order on Telegram, and how the commands are shown: over HTTP, on loopback."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.adapters.delivery import NOT_NOW, Patience
from bot.adapters.telegram import serve
from bot.commands import COMMANDS, STARTED_OVER
from bot.conversation import Conversation
from bot.history import ChatId
from bot.settings import Settings
from likeness.errors import DatabaseError
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.fake_telegram import ANN, GROUP, FakeTelegram
from tests.bot.adapters.fake_telegram_wire import Fault

pytestmark = pytest.mark.slow

Run = Callable[..., Any]


@pytest.mark.parametrize("command", ["/start", "/help", "/HELP@LikenessBot"])
async def test_start_and_help_say_that_it_is_a_bot(
    telegram: FakeTelegram, running: Run, command: str, history: FakeHistory
) -> None:
    async with running():
        await telegram.say(command)
        [text] = await telegram.until_sent(1)
    assert text.startswith("I am a bot. I imitate how Robin writes")
    assert not history.chats


async def test_reset_starts_over(telegram: FakeTelegram, running: Run) -> None:
    async with running() as engine:
        await telegram.say("my name is Ann")
        await telegram.until_sent(1)
        await telegram.say("/reset")
        await telegram.until_sent(2)
        await telegram.say("who am I?")
        await telegram.until_sent(3)
    assert [message.text for message in engine.asked[1]] == ["who am I?"]


async def test_a_file_that_telegram_does_not_take_is_excused_once(
    telegram: FakeTelegram, running: Run
) -> None:
    telegram.faults["sendDocument"].extend([Fault(413, "Request Entity Too Large")] * 9)
    async with running():
        await telegram.say("/mydata")
        assert await telegram.until_sent(1) == [NOT_NOW]


async def test_what_is_written_right_after_a_reset_is_answered(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    await telegram.say("/reset")
    await telegram.say("hi there")
    async with running():
        assert set(await telegram.until_sent(2)) == {STARTED_OVER, "ok"}
    found = await history.recent(ChatId("telegram", "42"), 9)
    assert [message.text for message in found] == ["hi there", "ok"]


async def test_commands_for_others_are_left_alone(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running():
        await telegram.say("/reset@OtherBot", chat=GROUP)
        await telegram.say("/dance@OtherBot", chat=GROUP)
        await telegram.say("/help", chat=GROUP)
        await telegram.until_sent(1)
        await telegram.until_confirmed()
    assert len(telegram.sent) == 1
    assert not history.chats


async def test_what_only_looks_like_a_command_is_a_message(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running():
        await telegram.say("/dance all night", chat=GROUP)
        await telegram.say("/home is full, what shall I do?")
        assert await telegram.until_sent(1) == ["ok"]
        await telegram.until_confirmed()
    assert history.texts("telegram", 42) == ["/home is full, what shall I do?", "ok"]
    assert history.texts("telegram", -100) == ["/dance all night"]


async def test_commands_are_registered_only_when_they_changed(
    telegram: FakeTelegram, running: Run
) -> None:
    for _ in range(2):
        async with running():
            await telegram.until(lambda: bool(telegram.of("getUpdates")))
        telegram.calls[:] = [call for call in telegram.calls if call.method == "setMyCommands"]
    assert len(telegram.calls) == 1


async def test_only_the_owner_s_menu_shows_what_only_the_owner_may_order(
    telegram: FakeTelegram, settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    owned = settings.model_copy(update={"owner": "telegram:1,telegram:42"})
    telegram.unknown.add("42")  # she has not written to the bot yet
    bot = asyncio.create_task(serve(owned, Conversation(FakeHistory(), fake_engine()), hasty))
    await telegram.until(lambda: bool(telegram.of("getUpdates")))
    shown = {chat: [one["command"] for one in menu] for chat, menu in telegram.commands.items()}
    public = [name for name, command in COMMANDS.items() if not command.owner]
    assert shown == {"": public, "1": list(COMMANDS)}
    telegram.unknown.clear()
    await telegram.say("/start")
    await telegram.until(lambda: "42" in telegram.commands)
    bot.cancel()
    await asyncio.wait([bot])


async def test_an_order_that_comes_twice_is_obeyed_once(
    telegram: FakeTelegram, running: Run
) -> None:
    async with running(["one"], ["another"]) as engine:
        await telegram.say("hello")
        await telegram.until_sent(1)
        order = await telegram.say("/again")
        await telegram.push({"message": order})
        await telegram.until_sent(3)
        await telegram.say("/settings")
        await telegram.until_sent(4)
        button = {"id": "1", "from": ANN, "chat_instance": "1", "data": "help"}
        for _ in range(2):
            await telegram.push({"callback_query": {**button, "message": telegram.sent[3]}})
        await telegram.until_confirmed()
    assert telegram.texts[1:3] == ["Let me try again.", "another"]
    assert (len(telegram.sent), len(engine.asked)) == (4, 2)
    assert len(telegram.of("editMessageText")) == 1


@pytest.mark.parametrize("method", ["getMyCommands", "setMyCommands"])
async def test_commands_that_cannot_be_registered_do_not_keep_it_from_answering(
    telegram: FakeTelegram, running: Run, method: str
) -> None:
    telegram.faults[method].append(Fault(400, "Bad Request"))
    async with running():
        await telegram.say("hello")
        assert await telegram.until_sent(1) == ["ok"]


async def test_a_command_that_fails_says_so(
    telegram: FakeTelegram, running: Run, history: FakeHistory, monkeypatch: Any
) -> None:
    async def standings(*_: Any) -> dict[str, Any]:
        raise DatabaseError("The database is full.")

    async with running():
        await telegram.until(lambda: bool(telegram.of("getUpdates")))
        monkeypatch.setattr(history, "standings", standings)
        await telegram.say("/help")
        assert await telegram.until_sent(1) == [NOT_NOW]


async def test_again_gives_another_answer_and_undo_forgets_the_last(
    telegram: FakeTelegram, running: Run, history: FakeHistory
) -> None:
    async with running(["one"], ["another"], ["three"]) as engine:
        await telegram.say("hello")
        await telegram.until_sent(1)
        await telegram.say("/again")
        assert (await telegram.until_sent(3))[1:] == ["Let me try again.", "another"]
        await telegram.say("/undo")
        await telegram.until_sent(4)
        await telegram.say("so?")
        await telegram.until_sent(5)
    asked = [[message.text for message in messages] for messages in engine.asked]
    assert asked == [["hello"], ["hello"], ["so?"]]
