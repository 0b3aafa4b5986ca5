"""The Discord adapter over real sockets: what a login, a fault and a stop look like."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from discord import RateLimited, VoiceClient
from discord.gateway import DiscordWebSocket
from discord.http import Route
from discord.utils import _ActiveDecompressionContext
from pydantic import SecretStr

from bot.adapters.delivery import Patience
from bot.adapters.discord import serve, urls
from bot.adapters.discord_chats import pause
from bot.adapters.discord_client import ShardedClient, make_client
from bot.conversation import Conversation
from bot.reception import Reception
from bot.settings import Settings
from likeness.errors import (
    BadSettings,
    DatabaseError,
    IntentMissing,
    PlatformUnavailable,
    TokenRefused,
)
from tests.bot.adapters.conftest import FakeHistory, race
from tests.bot.adapters.fake_discord import ANN, TOKEN, FakeDiscord

Run = Callable[..., Any]


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


@pytest.fixture
def settings(server: FakeDiscord) -> Settings:
    return Settings(
        discord_token=SecretStr(TOKEN),
        discord_api_url=server.api_url,
        discord_gateway_url=server.gateway_url,
        LIKENESS_ALLOW="everyone",
    )


@pytest.fixture
def running(settings: Settings, history: FakeHistory, hasty: Patience, fake_engine: Any) -> Run:
    """Return a context in which the bot runs; it gives the engine."""

    @asynccontextmanager
    async def running(*scripts: Any) -> AsyncIterator[Any]:
        engine = fake_engine(*scripts)
        bot = asyncio.create_task(serve(settings, Conversation(history, engine), hasty))
        try:
            yield engine
        finally:
            bot.cancel()
            await asyncio.gather(bot, return_exceptions=True)

    return running


async def test_it_answers_over_the_servers_that_the_settings_name(
    server: FakeDiscord, running: Run, history: FakeHistory
) -> None:
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with running(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])
    await server.until(lambda: server.closed_by_bot == 1)
    assert history.texts("discord", 7) == ["hello", "hi"]
    assert before == (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY)


async def test_a_refused_token_is_one_clear_sentence(
    settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    wrong = settings.model_copy(update={"discord_token": SecretStr("another-secret")})
    with pytest.raises(TokenRefused, match="DISCORD_TOKEN") as caught:
        await serve(wrong, Conversation(FakeHistory(), fake_engine()), hasty)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_no_token_is_one_clear_sentence(settings: Settings, fake_engine: Any) -> None:
    bare = settings.model_copy(update={"discord_token": None})
    with pytest.raises(BadSettings, match="DISCORD_TOKEN is not set"):
        await serve(bare, Conversation(FakeHistory(), fake_engine()))


@pytest.mark.parametrize(
    ("code", "error", "sentence"),
    [
        (4014, IntentMissing, "switch on Message Content Intent"),
        (4004, TokenRefused, "DISCORD_TOKEN"),
    ],
)
async def test_a_gateway_that_sends_the_bot_away_is_one_clear_sentence(
    server: FakeDiscord,
    settings: Settings,
    hasty: Patience,
    fake_engine: Any,
    code: int,
    error: type[Exception],
    sentence: str,
) -> None:
    server.close_codes.append(code)
    with pytest.raises(error, match=sentence):
        await serve(settings, Conversation(FakeHistory(), fake_engine()), hasty)


async def test_a_wrong_address_is_one_clear_sentence(
    server: FakeDiscord, settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    server.faults["users/@me"].append(404)
    with pytest.raises(PlatformUnavailable, match="DISCORD_API_URL"):
        await serve(settings, Conversation(FakeHistory(), fake_engine()), hasty)


async def test_a_platform_that_is_down_at_the_start_is_waited_for(
    server: FakeDiscord, running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults["users/@me"].append(503)
    server.refused = 1
    async with running(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])
    assert caplog.text.count("trying again") == 2


async def test_no_network_at_the_start_is_waited_for(
    server: FakeDiscord,
    settings: Settings,
    hasty: Patience,
    fake_engine: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    nowhere = settings.model_copy(update={"discord_api_url": "http://127.0.0.1:9/api"})
    bot = asyncio.create_task(serve(nowhere, Conversation(FakeHistory(), fake_engine()), hasty))
    await server.until(lambda: caplog.text.count("trying again") > 1)
    bot.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bot


async def test_an_event_that_cannot_be_read_does_not_end_the_bot(
    server: FakeDiscord, running: Run
) -> None:
    async with running(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])
        await server.dispatch("MESSAGE_CREATE", {"no": "message"})
        await server.until(lambda: server.identified == 2)
        await server.say("still there?")
        await server.until(lambda: server.sent == ["hi", "ok"])


async def test_stopping_finishes_the_answer_being_written(
    server: FakeDiscord, settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    gate = asyncio.Event()
    engine = fake_engine([gate, "done"])
    bot = asyncio.create_task(serve(settings, Conversation(FakeHistory(), engine), hasty))
    await server.until(lambda: server.identified == 1)
    await server.say("hello")
    await server.until(lambda: bool(engine.asked))
    bot.cancel()
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await bot
    assert server.sent == ["done"]


async def test_the_token_is_never_logged(
    server: FakeDiscord, running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "bot")
    server.faults["users/@me"].append(503)
    async with running(["a secret answer"]):
        await server.until(lambda: server.identified == 1)
        await server.say("a secret question")
        await server.until(lambda: bool(server.sent))
    assert "logging in" in caplog.text
    assert "secret" not in caplog.text


async def test_what_was_missed_between_two_runs_is_looked_up_and_answered(
    server: FakeDiscord, running: Run, history: FakeHistory
) -> None:
    async with running(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])
    for text in ("are you", "there?"):
        server.post(ANN, text)
    async with running(["now I am"]):
        await server.until(lambda: len(server.sent) > 1)
    assert server.sent == ["hi", "now I am"]
    assert history.texts("discord", 7) == ["hello", "hi", "are you", "there?", "now I am"]


async def test_a_reply_that_discord_has_got_before_the_crash_is_not_sent_again(
    server: FakeDiscord, settings: Settings, hasty: Patience, fake_engine: Any
) -> None:
    history, server.lost_answers = FakeHistory(), 1
    once = replace(hasty, sends=1)
    for engine in (fake_engine(["hi"]), fake_engine(["never"])):
        bot = asyncio.create_task(serve(settings, Conversation(history, engine), once))
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


async def test_a_farewell_that_is_cut_short_leaves_no_connection_open(
    settings: Settings, history: FakeHistory, hasty: Patience, fake_engine: Any
) -> None:
    reception = Reception.of("discord", settings, Conversation(history, fake_engine()))
    leaving = asyncio.Event()

    async def hang() -> None:
        leaving.set()
        await asyncio.Event().wait()

    with urls(settings):
        client = make_client(reception, hasty, settings)
        await client.login(TOKEN)
    client._connection.close = hang  # type: ignore[method-assign]
    stopping = asyncio.create_task(client.stop())
    await leaving.wait()
    assert not client.http.connector.closed
    stopping.cancel()
    await asyncio.wait([stopping])
    assert client.http.connector.closed


@pytest.mark.parametrize("how", ["ask_to_reconnect", "drop"])
async def test_a_session_that_goes_on_misses_nothing_and_answers_nothing_twice(
    server: FakeDiscord, running: Run, history: FakeHistory, how: str
) -> None:
    async with running():
        await server.until(lambda: server.identified == 1)
        await server.say("one")
        await server.until(lambda: len(server.sent) == 1)
        await getattr(server, how)()
        await server.say("two")
        await server.until(lambda: len(server.sent) == 2)
        assert (server.resumed, server.identified) == (1, 1)
    assert history.texts("discord", 7) == ["one", "ok", "two", "ok"]


@pytest.mark.slow
async def test_what_a_session_that_cannot_go_on_has_lost_is_looked_up(
    server: FakeDiscord, running: Run, history: FakeHistory
) -> None:
    async with running():
        await server.until(lambda: server.identified == 1)
        await server.say("one")
        await server.until(lambda: len(server.sent) == 1)
        server.resumable = False
        await server.drop()
        server.post(ANN, "lost?")
        await server.until(lambda: len(server.sent) == 2, seconds=40)
        assert server.identified == 2
    assert history.texts("discord", 7) == ["one", "ok", "lost?", "ok"]


async def test_it_keeps_its_heart_beating_while_the_model_writes(
    server: FakeDiscord, running: Run
) -> None:
    server.heartbeat_interval, gate = 50, asyncio.Event()
    async with running([gate, "hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        beaten = server.heartbeats
        await server.until(lambda: server.heartbeats > beaten + 3)
        gate.set()
        await server.until(lambda: server.sent == ["hi"])


@pytest.mark.parametrize("slower", ["add", "owed"])
async def test_a_message_found_as_owed_while_it_is_heard_is_answered_once_and_not_interrupted(
    server: FakeDiscord, running: Run, history: FakeHistory, slower: str
) -> None:
    gate = asyncio.Event()
    async with running([gate, "one"], ["two"]) as engine:
        await race(history, slower, engine).wait()
        await server.say("hello")
        await server.until(lambda: bool(engine.asked))
        await asyncio.sleep(0.05)
        gate.set()
        await server.until(lambda: bool(server.sent))
    assert (server.sent, len(engine.asked), engine.stopped) == (["one"], 1, 0)


async def test_a_database_that_is_busy_does_not_lose_a_message(
    server: FakeDiscord, running: Run, history: FakeHistory, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(["hi"]):
        await server.until(lambda: server.identified == 1)
        history.faults = [DatabaseError("The database is locked.")] * 2
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])
    assert caplog.text.count("The database is locked.; trying again") == 2


async def test_an_edit_changes_what_was_said_and_is_not_answered(
    server: FakeDiscord, running: Run, history: FakeHistory
) -> None:
    async with running():
        await server.until(lambda: server.identified == 1)
        await server.say("helo")
        await server.until(lambda: server.sent == ["ok"])
        await server.edit(server.posted[0], "hello")
        await server.until(lambda: history.texts("discord", 7) == ["hello", "ok"])
    assert server.sent == ["ok"]


MESSAGES = "channels/7/messages"


async def test_where_discord_limits_it_it_waits_as_told_and_sends_once(
    server: FakeDiscord, running: Run
) -> None:
    server.limits[MESSAGES].extend([0.1, 0.1])
    async with running(["one", "two"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["one", "two"])
    assert [sent["content"] for sent in server.tries] == ["one", "one", "one", "two"]
    assert len({sent["nonce"] for sent in server.tries}) == 2


def test_a_limit_that_lasts_is_waited_out_without_asking_again_and_again() -> None:
    assert pause(RateLimited(90.0)) == 90.0


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_a_proxy_that_stands_in_between_does_not_lose_a_message(
    server: FakeDiscord, running: Run, status: int
) -> None:
    server.faults[MESSAGES].append(status)
    async with running(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello")
        await server.until(lambda: server.sent == ["hi"])


async def test_a_message_that_discord_takes_and_never_answers_is_sent_again(
    server: FakeDiscord, settings: Settings, hasty: Patience, fake_engine: Any, history: FakeHistory
) -> None:
    server.hangs, hurried = 1, replace(hasty, send_seconds=0.2)
    bot = asyncio.create_task(serve(settings, Conversation(history, fake_engine()), hurried))
    await server.until(lambda: server.identified == 1)
    await server.say("hello")
    await server.until(lambda: history.texts("discord", 7) == ["hello", "ok"])
    assert server.sent == ["ok"]
    assert len({sent["nonce"] for sent in server.tries}) == 1
    bot.cancel()
    await asyncio.wait([bot])


@pytest.mark.skipif(
    _ActiveDecompressionContext.COMPRESSION_TYPE != "zlib-stream",
    reason="discord.py asks for zstd here, which the fake gateway does not speak",
)
async def test_a_compressed_gateway_is_understood(server: FakeDiscord, running: Run) -> None:
    server.compressed = 0
    async with running(["hi"]):
        await server.until(lambda: server.identified == 1)
        await server.say("hello 👋🏽 " * 50)
        await server.until(lambda: server.sent == ["hi"])
        await server.drop()
        await server.say("again")
        await server.until(lambda: len(server.sent) == 2)
    assert server.asked_to_compress == "zlib-stream"
    assert server.compressed > 8


@pytest.mark.slow
async def test_a_line_that_went_dead_without_a_word_is_dialled_again_and_nothing_is_missed(
    server: FakeDiscord, settings: Settings, hasty: Patience, fake_engine: Any, history: FakeHistory
) -> None:
    server.heartbeat_interval, alert = 100, replace(hasty, silence_seconds=1)
    bot = asyncio.create_task(serve(settings, Conversation(history, fake_engine()), alert))
    await server.until(lambda: server.identified == 1)
    await server.say("one")
    await server.until(lambda: len(server.sent) == 1)
    server.deaf = True
    await server.until(lambda: server.resumed > 0, seconds=30)
    server.deaf = False
    await server.say("two")
    await server.until(lambda: len(server.sent) == 2)
    assert server.identified == 1
    assert history.texts("discord", 7) == ["one", "ok", "two", "ok"]
    bot.cancel()
    await asyncio.wait([bot])


async def test_it_does_not_warn_of_voice_which_it_has_no_use_for(
    server: FakeDiscord, running: Run, caplog: pytest.LogCaptureFixture
) -> None:
    VoiceClient.warn_nacl = VoiceClient.warn_dave = True
    async with running():
        await server.until(lambda: server.identified == 1)
    assert "voice" not in caplog.text


async def test_what_is_written_in_one_order_is_heard_in_it(
    server: FakeDiscord, running: Run, history: FakeHistory
) -> None:
    add, slow = history.add, iter([0.1, 0.0, 0.0])

    async def add_slowly(*parts: Any, **more: Any) -> bool:
        await asyncio.sleep(next(slow))
        return await add(*parts, **more)

    history.add = add_slowly  # type: ignore[method-assign]
    async with running(["hi"]):
        await server.until(lambda: server.identified == 1)
        for text in ("one", "two", "three"):
            await server.say(text)
        await server.until(lambda: bool(server.sent))
    assert history.texts("discord", 7)[:3] == ["one", "two", "three"]


@pytest.mark.parametrize(("wanted", "shards"), [(0, 2), (3, 3)])
async def test_it_hears_over_several_connections_if_asked_to(
    server: FakeDiscord,
    settings: Settings,
    history: FakeHistory,
    hasty: Patience,
    fake_engine: Any,
    monkeypatch: pytest.MonkeyPatch,
    wanted: int,
    shards: int,
) -> None:
    async def at_once(*_: object, **__: object) -> None:
        pass

    monkeypatch.setattr(ShardedClient, "before_identify_hook", at_once)  # it waits five seconds
    many = settings.model_copy(update={"discord_shards": wanted})
    bot = asyncio.create_task(serve(many, Conversation(history, fake_engine(["hi"])), hasty))
    await server.until(lambda: server.identified == shards, seconds=30)
    assert sorted(server.shards) == [[number, shards] for number in range(shards)]
    await server.say("hello")
    await server.until(lambda: server.sent == ["hi"])
    bot.cancel()
    await asyncio.gather(bot, return_exceptions=True)
