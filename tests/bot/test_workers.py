"""Several processes on one PostgreSQL: each chat is answered by one, and never by a dead one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import SecretStr

from bot.adapters import discord as discord_adapter
from bot.adapters import telegram as adapter
from bot.adapters.delivery import Patience
from bot.conversation import Conversation
from bot.history import ChatId
from bot.pace import Manner
from bot.settings import Settings
from bot.store import Store
from likeness.errors import DatabaseError
from tests.bot.adapters import fake_discord
from tests.bot.adapters.fake_discord import FakeDiscord
from tests.bot.adapters.fake_telegram import ANN, TOKEN, FakeTelegram
from tests.bot.conftest import NOON, FakeEngine, write_message
from tests.bot.postgresql import PostgreSQL

pytestmark = pytest.mark.slow

CHATS = [ChatId("telegram", str(number)) for number in range(1, 11)]


@pytest.fixture
async def stores(postgresql: PostgreSQL) -> AsyncIterator[tuple[Store, Store]]:
    """Yield the same database as two processes see it."""
    url = postgresql.new_database()
    one, other = await Store.open(url), await Store.open(url)
    one.lease_seconds = other.lease_seconds = 0.5
    yield one, other
    await one.close()
    await other.close()


async def ask(store: Store, chats: list[ChatId] = CHATS) -> None:
    for chat in chats:
        await store.add(chat, write_message("hello", id="1"), asks=True)


async def test_what_waits_is_shared_out_and_no_chat_given_twice(
    stores: tuple[Store, Store],
) -> None:
    await ask(stores[0])
    found = await asyncio.gather(
        *(store.owed("telegram", NOON, 2) for _ in range(3) for store in stores)
    )
    given: dict[ChatId, int] = {}
    for number, places in enumerate(found):
        for place in places:
            assert given.setdefault(place.chat, number % 2) == number % 2
    assert {place.chat for places in found[:2] for place in places} < set(CHATS)
    assert len(given) >= 4


async def test_a_chat_is_answered_by_one_and_then_free(stores: tuple[Store, Store]) -> None:
    one, other = stores
    await ask(one, CHATS[:1])
    async with one.claimed(CHATS[0]) as mine, other.claimed(CHATS[0]) as theirs:
        assert (mine, theirs) == (True, False)
        await asyncio.sleep(1)  # twice the lease, which is renewed
        async with other.claimed(CHATS[0]) as still_theirs:
            assert not still_theirs
        assert await other.owed("telegram", NOON, 9) == []
    async with other.claimed(CHATS[0]) as theirs:
        assert theirs


async def test_a_chat_is_claimed_although_somebody_writes_in_it(
    stores: tuple[Store, Store],
) -> None:
    one, other = stores
    await ask(one, CHATS[:1])
    async with other._transaction() as session:
        await session.connection()
        await other.add(CHATS[0], write_message("more", id="2"))
        async with one.claimed(CHATS[0]) as mine:
            assert mine


async def test_the_chats_of_a_dead_process_are_free_after_its_lease(
    stores: tuple[Store, Store],
) -> None:
    one, other = stores
    await ask(one)
    assert len(await one.owed("telegram", NOON, 99)) == 10
    await one.close()
    assert await other.owed("telegram", NOON, 99) == []
    await asyncio.sleep(0.6)
    assert len(await other.owed("telegram", NOON, 99)) == 10


async def test_a_process_that_slept_through_its_lease_plans_nothing_any_more(
    stores: tuple[Store, Store],
) -> None:
    one, other = stores
    await ask(one)
    await one.owed("telegram", NOON, 99)
    await asyncio.sleep(0.6)
    await other.owed("telegram", NOON, 99)
    with pytest.raises(DatabaseError, match="Another process answers"):
        await one.plan(CHATS[0], "1", ["too late"], "text")
    assert [draft.text for draft in await other.plan(CHATS[0], "1", ["hi"], "text")] == ["hi"]


async def test_one_leads_and_when_it_is_cut_off_another_does(
    stores: tuple[Store, Store], postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.workers.LOOK_SECONDS", 0.05)
    at_work: list[str] = []

    def work(name: str) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            at_work.append(name)
            try:
                await asyncio.Event().wait()
            finally:
                at_work.remove(name)

        return work

    async def until(names: list[str]) -> None:
        async with asyncio.timeout(10):
            while at_work != names:  # noqa: ASYNC110 (it is about another task)
                await asyncio.sleep(0.01)

    first = asyncio.create_task(stores[0].lead("telegram", work("first")))
    await until(["first"])
    second = asyncio.create_task(stores[1].lead("telegram", work("second")))
    elsewhere = asyncio.create_task(stores[1].lead("discord", work("discord")))
    await until(["first", "discord"])
    elsewhere.cancel()
    await asyncio.wait([elsewhere])
    await asyncio.sleep(0.2)
    assert at_work == ["first"]
    first.cancel()
    await until(["second"])
    await asyncio.to_thread(postgresql.end_connections)
    with pytest.raises(DatabaseError, match="cannot be used"):
        await second
    assert at_work == []


async def test_two_processes_answer_every_chat_once_and_one_goes_on_alone(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.answers.SHARED_SECONDS", 0.05)
    monkeypatch.setattr("bot.store.workers.LOOK_SECONDS", 0.05)
    gate = asyncio.Event()
    engines = [FakeEngine(*[[gate, "ok"]] * 9) for _ in stores]
    async with AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(FakeTelegram())
        settings = Settings(
            telegram_token=SecretStr(TOKEN),
            telegram_base_url=telegram.url,
            LIKENESS_ALLOW="everyone",
        )
        few = Patience(poll_seconds=10, grace_seconds=2, answers=5)
        bots = [
            asyncio.create_task(adapter.serve(settings, Conversation(store, engine), few))
            for store, engine in zip(stores, engines, strict=True)
        ]
        for number in range(1, 11):
            await telegram.say("hello", sender=ANN | {"id": number})
        await telegram.until(lambda: [len(engine.asked) for engine in engines] == [5, 5])
        gate.set()
        await telegram.until_sent(10)
        bots[0].cancel()
        await asyncio.wait([bots[0]])
        await telegram.say("and now?", sender=ANN | {"id": 3})
        await telegram.until_sent(11)
        bots[1].cancel()
        await asyncio.wait([bots[1]])
    sent = Counter(message["chat"]["id"] for message in telegram.sent)
    assert sent == Counter(range(1, 11)) + Counter([3])


async def test_what_one_process_hears_interrupts_the_answer_that_another_writes(
    stores: tuple[Store, Store], fake_outlet: Any
) -> None:
    gate, chat = asyncio.Event(), CHATS[0]
    hearing = Conversation(stores[0], FakeEngine(), clock=lambda: NOON)
    engine = FakeEngine([gate, "too early"], ["to both"])
    answering = Conversation(stores[1], engine, clock=lambda: NOON)
    outlet = fake_outlet(chat)
    assert await hearing.hear(chat, write_message("one", id="1"))
    answer = asyncio.create_task(answering.respond(outlet))
    async with asyncio.timeout(10):
        while not engine.asked:  # noqa: ASYNC110 (it is about another task)
            await asyncio.sleep(0.01)
        await hearing.hear(chat, write_message("two", id="2"))
        assert await answering.owed("telegram", 9) == []
        await answer
    assert outlet.sent == ["to both"]
    assert [message.text for message in engine.asked[-1]] == ["one", "two"]


async def test_a_process_with_its_hands_full_takes_no_chat_from_another(
    stores: tuple[Store, Store], fake_outlet: Any
) -> None:
    one, other = stores
    one.lease_seconds = 30
    await ask(one, CHATS[:1])
    engine = FakeEngine([asyncio.Event()])
    full = Conversation(one, engine, clock=lambda: NOON)
    answer = asyncio.create_task(full.respond(fake_outlet(CHATS[0])))
    async with asyncio.timeout(10):
        while not engine.asked:  # noqa: ASYNC110 (it is about another task)
            await asyncio.sleep(0.01)
    await ask(one, CHATS[1:4])
    assert await full.owed("telegram", 0) == []
    assert len(await full.owed("telegram", 1)) == 1
    idle = Conversation(other, FakeEngine(), clock=lambda: NOON)
    assert len(await idle.owed("telegram", 9)) == 2
    answer.cancel()
    await asyncio.wait([answer])


async def test_what_a_process_is_sending_does_not_interrupt_it(
    stores: tuple[Store, Store], fake_outlet: Any
) -> None:
    chat, outlet = CHATS[0], fake_outlet(CHATS[0])
    engine = FakeEngine(["one", "a second message"])
    talk = Conversation(stores[0], engine, manner=Manner(pace="natural"), clock=lambda: NOON)
    assert await talk.hear(chat, write_message("hi all", id="1"), chimes=True)
    answer = asyncio.create_task(talk.respond(outlet))
    async with asyncio.timeout(10):
        while not (outlet.sent and await stores[1].drafts(chat)):  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.01)
        assert await talk.owed("telegram", 9) == []
        await answer
    assert outlet.sent == ["one", "a second message"]


async def test_of_two_processes_on_discord_one_listens_and_the_other_takes_over(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.answers.SHARED_SECONDS", 0.05)
    monkeypatch.setattr("bot.store.workers.LOOK_SECONDS", 0.05)
    async with FakeDiscord() as server:
        settings = Settings(
            discord_token=SecretStr(fake_discord.TOKEN),
            discord_api_url=server.api_url,
            discord_gateway_url=server.gateway_url,
            LIKENESS_ALLOW="everyone",
        )
        # Each of them would point the library elsewhere when it ends.
        with discord_adapter.urls(settings):
            one_chat = Patience(first_wait_seconds=0.05, grace_seconds=0.1, answers=1)
            gate = asyncio.Event()
            engines = [FakeEngine([asyncio.Event()]), FakeEngine([gate, "second"], ["third"])]
            bots = []
            for store, engine in zip(stores, engines, strict=True):
                store.lease_seconds = 30
                talk = Conversation(store, engine)
                bots.append(asyncio.create_task(discord_adapter.serve(settings, talk, one_chat)))
                await server.until(lambda: server.identified == 1)
            for number in ("42", "43"):  # either has its hands full with one chat
                await server.say("hello", {**fake_discord.ANN, "id": number})
            await server.until(lambda: [len(engine.asked) for engine in engines] == [1, 1])
            gate.set()
            await server.until(lambda: server.sent == ["second"])
            assert server.identified == 1
            bots[0].cancel()
            await asyncio.wait([bots[0]])
            await server.until(lambda: server.identified == 2)
            await server.until(lambda: len(server.sent) == 2)
            await server.say("and now?", {**fake_discord.ANN, "id": "43"})
            await server.until(lambda: len(server.sent) == 3)
            bots[1].cancel()
            await asyncio.wait([bots[1]])
    assert server.sent == ["second", "third", "ok"]
