"""Messages to and from Discord over real sockets: each is heard, and answered once."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from discord import RateLimited

from bot.access import Guest
from bot.adapters.delivery import Patience
from bot.adapters.discord import serve
from bot.adapters.discord_chats import pause
from bot.conversation import Conversation
from bot.history import ChatId
from bot.settings import Settings
from likeness.errors import (
    DatabaseError,
)
from tests.bot.adapters.fake_discord import ANN, FakeDiscord, said_before
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.adapters.races import race
from tests.bot.conftest import write_message

pytestmark = pytest.mark.slow

Run = Callable[..., Any]

MESSAGES = "channels/7/messages"
SENDING = f"POST {MESSAGES}"


async def test_stopping_finishes_the_answer_being_written(
    server: FakeDiscord, discord_settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    gate = asyncio.Event()
    engine = fake_engine([gate, "done"])
    bot = asyncio.create_task(serve(discord_settings, Conversation(FakeHistory(), engine), hasty))
    await server.until(lambda: server.identified == 1)
    await server.say("hello")
    await server.until(lambda: bool(engine.asked))
    bot.cancel()
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await bot
    assert server.sent == ["done"]


async def test_what_was_missed_between_two_runs_is_looked_up_and_answered(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    async with online(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])
    for text in ("are you", "there?"):
        server.post(ANN, text)
    async with online(["now I am"]):
        await server.until(lambda: len(server.sent) > 1)
    assert server.sent == ["hi", "now I am"]
    assert history.texts("discord", 7) == ["hello", "hi", "are you", "there?", "now I am"]


async def test_what_was_missed_is_looked_up_again_where_that_fails_and_before_what_is_new(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    await said_before(history, "hello")
    server.post(ANN, "are you")
    server.faults[f"GET {MESSAGES}"].extend([503, 503])
    server.slow.add(MESSAGES)
    async with online():
        await server.until(lambda: not server.slow)
        await server.say("there?")
        await server.until(lambda: "ok" in server.sent)
    assert history.texts("discord", 7)[:3] == ["hello", "are you", "there?"]


async def test_what_was_missed_where_it_may_no_longer_read_is_given_up_at_once(
    server: FakeDiscord, online: Run, history: FakeHistory, caplog: pytest.LogCaptureFixture
) -> None:
    await said_before(history, "hello")
    server.faults[f"GET {MESSAGES}"].append(403)
    async with online(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("there?")
        await server.until(lambda: server.sent == ["hi"])
    assert caplog.text.count("nothing missed was looked up: Forbidden") == 1


async def test_whom_it_does_not_know_is_named_as_in_exports(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    async with online(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("ask <@99>")
        await server.until(lambda: server.sent == ["hi"])
    assert history.texts("discord", 7) == ["ask @Unknown", "hi"]


async def test_a_reply_that_discord_has_got_before_the_crash_is_not_sent_again(
    server: FakeDiscord, discord_settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    history, server.lost_answers = FakeHistory(), 1
    once = replace(hasty, sends=1)
    for engine in (fake_engine(["hi"]), fake_engine(["never"])):
        bot = asyncio.create_task(serve(discord_settings, Conversation(history, engine), once))
        await server.until(lambda: server.identified > 0)
        if not server.sent:
            await server.say("hello")
            await server.until(lambda: server.sent == ["hi"])
        else:
            await server.until(lambda: "hi" in history.texts("discord", 7))
        bot.cancel()
        await asyncio.gather(bot, return_exceptions=True)
    assert server.sent == ["hi"]
    assert history.texts("discord", 7) == ["hello", "hi"]


@pytest.mark.parametrize("slower", ["add", "owed"])
async def test_a_message_found_as_owed_while_it_is_heard_is_answered_once_and_not_interrupted(
    server: FakeDiscord, online: Run, history: FakeHistory, slower: str
) -> None:
    gate = asyncio.Event()
    async with online([gate, "one"], ["two"]) as engine:
        await race(history, slower, engine).wait()
        await server.say("hello")
        await server.until(lambda: bool(engine.asked))
        await asyncio.sleep(0.05)
        gate.set()
        await server.until(lambda: bool(server.sent))
    assert (server.sent, len(engine.asked), engine.stopped) == (["one"], 1, 0)


async def test_a_database_that_is_busy_does_not_lose_a_message(
    server: FakeDiscord, online: Run, history: FakeHistory, caplog: pytest.LogCaptureFixture
) -> None:
    async with online(["hi"]):
        await server.until(lambda: server.identified == 1)
        history.faults = [DatabaseError("The database is locked.")] * 2
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])
    assert caplog.text.count("The database is locked.; trying again") == 2


async def test_an_edit_changes_what_was_said_and_is_not_answered(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    async with online():
        await server.until(lambda: server.identified == 1)
        await server.say("helo")
        await server.until(lambda: server.sent == ["ok"])
        await server.edit(server.posted[0], "hello")
        await server.until(lambda: history.texts("discord", 7) == ["hello", "ok"])
        await history.sign(Guest("discord", ANN["id"], "Ann", "denied"))
        await server.edit(server.posted[0], "my secret")
        await asyncio.sleep(0.05)
    assert history.texts("discord", 7) == ["hello", "ok"]
    assert server.sent == ["ok"]


async def test_where_discord_limits_it_it_waits_as_told_and_sends_once(
    server: FakeDiscord, online: Run
) -> None:
    server.limits[SENDING].extend([0.1, 0.1])
    async with online(["one", "two"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["one", "two"])
    assert [sent["content"] for sent in server.tries] == ["one", "one", "one", "two"]
    assert len({sent["nonce"] for sent in server.tries}) == 2


def test_a_limit_that_lasts_is_waited_out_without_asking_again_and_again() -> None:
    assert pause(RateLimited(90.0)) == 90.0


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_a_proxy_that_stands_in_between_does_not_lose_a_message(
    server: FakeDiscord, online: Run, status: int
) -> None:
    server.faults[SENDING].append(status)
    async with online(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])


async def test_a_message_that_discord_takes_and_never_answers_is_sent_again(
    server: FakeDiscord,
    discord_settings: Settings,
    hasty: Patience,
    fake_engine: Any,
    history: FakeHistory,
) -> None:
    server.hangs, hurried = 1, replace(hasty, send_seconds=1)
    bot = asyncio.create_task(
        serve(discord_settings, Conversation(history, fake_engine()), hurried)
    )
    await server.until(lambda: server.identified == 1)
    await server.say("hello")
    await server.until(lambda: history.texts("discord", 7) == ["hello", "ok"])
    assert server.sent == ["ok"]
    assert len({sent["nonce"] for sent in server.tries}) == 1
    bot.cancel()
    await asyncio.wait([bot])


async def test_what_is_written_in_one_order_is_heard_in_it(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    add, slow = history.add, iter([0.1, 0.0, 0.0])

    async def add_slowly(*parts: Any, **more: Any) -> bool:
        await asyncio.sleep(next(slow))
        return await add(*parts, **more)

    history.add = add_slowly  # type: ignore[method-assign]
    async with online(["hi"]):
        await server.until(lambda: server.identified == 1)
        for text in ("one", "two", "three"):
            await server.say(text)
        await server.until(lambda: bool(server.sent))
    assert history.texts("discord", 7)[:3] == ["one", "two", "three"]


async def test_a_channel_whose_past_cannot_be_looked_up_in_time_holds_up_no_other(
    server: FakeDiscord,
    discord_settings: Settings,
    history: FakeHistory,
    hasty: Patience,
    fake_engine: Any,
) -> None:
    ben = {**ANN, "id": "43", "username": "Ben"}
    hurried = replace(hasty, send_seconds=1)
    for run, text in enumerate(("hello", "and now?")):
        talk = Conversation(history, fake_engine())
        bot = asyncio.create_task(serve(discord_settings, talk, hurried))
        await server.until(lambda run=run: server.identified > run)  # type: ignore[misc]
        for person in (ANN, ben):
            await server.say(text, person)
        await server.until(lambda run=run: len(server.sent) == 2 + 2 * run)  # type: ignore[misc]
        server.slow.add(MESSAGES)  # of the next run
        bot.cancel()
        await asyncio.gather(bot, return_exceptions=True)
    assert history.texts("discord", 7) == ["hello", "ok", "and now?", "ok"]


async def test_a_command_is_done_though_the_answer_to_taking_it_cannot_be_read(
    server: FakeDiscord, online: Run
) -> None:
    async with online():
        await server.until(lambda: server.identified == 1)
        await server.order("help")
        await server.until(lambda: bool(server.followed_up))
    assert server.followed_up[0].startswith("I am a bot.")


async def test_where_nothing_can_be_answered_any_more_nothing_is_owed(
    server: FakeDiscord, online: Run, history: FakeHistory, caplog: pytest.LogCaptureFixture
) -> None:
    gone = ChatId("discord", "999")
    message = write_message("hello", id="1", platform="discord", sent_at=datetime.now(UTC))
    await history.add(gone, message, asks=True)
    server.faults["channels/999"].extend([404, 404])  # it looks for what was missed, too
    async with online():
        await server.until(lambda: "it cannot be answered" in caplog.text)
        await server.say("hello")
        await server.until(lambda: server.sent == ["ok"])
    assert await history.question(gone) is None
