"""A Discord bot whose database fails: Discord tells everything once, and nothing gets lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.adapters.delivery import Patience
from bot.adapters.discord import serve
from bot.conversation import Conversation
from bot.settings import Settings
from likeness.errors import DatabaseError
from tests.bot.adapters.fake_discord import ANN, FakeDiscord, said_before
from tests.bot.adapters.fake_history import FakeHistory

pytestmark = pytest.mark.slow

Run = Callable[..., Any]

FULL = DatabaseError("The database is full.")


def failing(call: Callable[..., Awaitable[Any]], times: int) -> Callable[..., Awaitable[Any]]:
    """Return a call to a history that fails so many times before it works."""
    faults = [FULL] * times

    async def call_in_vain(*args: Any) -> Any:
        if faults:
            raise faults.pop()
        return await call(*args)

    return call_in_vain


async def test_a_message_is_kept_however_long_the_database_fails_and_before_the_next(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    async with online(["hi"]):
        await server.until(lambda: server.identified == 1)
        history.faults = [FULL] * 12
        for text in ("while it is full", "once there is room"):
            await server.say(text)
        await server.until(lambda: server.sent == ["hi"])
    assert history.texts("discord", 7) == ["while it is full", "once there is room", "hi"]


async def test_what_could_not_be_kept_until_a_stop_is_looked_up_after_the_next_start(
    server: FakeDiscord,
    discord_settings: Settings,
    history: FakeHistory,
    hasty: Patience,
    fake_engine: Any,
) -> None:
    def start() -> asyncio.Task[None]:
        return asyncio.create_task(
            serve(discord_settings, Conversation(history, fake_engine()), hasty)
        )

    bot = start()
    await server.until(lambda: server.identified == 1)
    await server.say("hello")
    await server.until(lambda: server.sent == ["ok"])
    history.faults = [FULL] * 1000
    for text in ("while it is full", "and still"):
        await server.say(text)
    await server.until(lambda: len(history.faults) < 990)
    bot.cancel()
    await asyncio.wait([bot], timeout=5)
    assert bot.done()
    history.faults.clear()
    await asyncio.sleep(0.2)  # longer than between two tries
    assert history.texts("discord", 7) == ["hello", "ok"]
    bot = start()
    await server.until(lambda: len(server.sent) == 2)
    bot.cancel()
    await asyncio.wait([bot])
    assert history.texts("discord", 7) == ["hello", "ok", "while it is full", "and still", "ok"]


async def test_a_database_that_fails_at_the_start_keeps_nothing_from_being_heard_and_answered(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    await said_before(history, "hello", asks=True)
    server.post(ANN, "anybody?")
    history.newest = failing(history.newest, 6)  # type: ignore[method-assign]
    async with online():
        await server.until(lambda: server.sent == ["ok"])
    assert history.texts("discord", 7) == ["hello", "anybody?", "ok"]


async def test_an_edit_waits_until_what_it_is_about_is_kept_and_is_tried_again_as_that(
    server: FakeDiscord, online: Run, history: FakeHistory
) -> None:
    await said_before(history, "hi")
    missed = server.post(ANN, "helo")
    history.faults = [FULL] * 3
    history.edit = failing(history.edit, 6)  # type: ignore[method-assign]
    async with online():
        await server.until(lambda: len(history.faults) < 3)
        await server.edit(missed, "hello")
        await server.until(lambda: history.texts("discord", 7) == ["hi", "hello", "ok"], 10)
