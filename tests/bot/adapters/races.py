"""A race between a message that is heard and the look at what is owed."""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime

from bot.history import ChatId, Place
from likeness.messages import Message
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.conftest import FakeEngine


def race(history: FakeHistory, slower: str, engine: FakeEngine) -> asyncio.Event:
    """Let a new message be found as owed while it is heard.

    Args:
        history: What both go to.
        slower: `add` or `owed`, which tells of the message only once it is being answered.
        engine: Who is asked for that answer.

    Returns:
        Set once what is owed is being looked up.
    """
    add, owed, looking = history.add, history.owed, asyncio.Event()

    async def until(true: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not true():  # noqa: ASYNC110 (it may be about anything)
                await asyncio.sleep(0.001)

    async def add_slowly(chat: ChatId, message: Message, *, asks: bool = False) -> bool:
        new = await add(chat, message, asks=asks)
        await until(lambda: slower != "add" or engine.asked)
        return new

    async def owed_once_kept(
        platform: str, since: datetime, limit: int, busy: Collection[ChatId] = ()
    ) -> list[Place]:
        looking.set()
        await until(lambda: history.chats)
        found = await owed(platform, since, limit, busy)
        await until(lambda: slower != "owed" or engine.asked)
        return found

    history.add, history.owed = add_slowly, owed_once_kept  # type: ignore[method-assign]
    return looking
