"""What the model expects of a chat, in place of fixed rules: whether they are done, whose turn."""

import asyncio
import dataclasses
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.access import EVERYONE, Access, Visitor
from bot.conversation import Conversation
from bot.engine import Outlook
from bot.history import ChatId
from bot.pace import Chattiness, Manner
from bot.reception import Reception
from bot.store import Store
from likeness.errors import ModelError
from likeness.messages import Message
from tests.bot.adapters.fake_history import FakeHistory

ANN = ChatId("telegram", "7")
GROUP = ChatId("telegram", "-100")
ADAM = Visitor("telegram", "7", "user7", "Adam", ("-100",), "The band", group=True)
NOW = datetime(2024, 5, 1, 12, 0, 30, tzinfo=UTC)
Make = Callable[..., Any]


@pytest.fixture
def seer(fake_engine: Make) -> Make:
    """Return a function that makes an engine that was trained to look ahead."""

    def seer(finished: float = 0.5, my_turn: float = 0.5) -> Any:
        engine = fake_engine()
        engine.card = dataclasses.replace(engine.card, foresight={"finished": [1.0, 0.0]})
        engine.foreseen = Outlook(finished, my_turn, silence_seconds=10.0)
        return engine

    return seer


def test_the_surer_they_are_done_the_shorter_it_waits() -> None:
    manner = Manner(pause_seconds=2.0)
    assert manner.pause(None) == pytest.approx(2.0)
    assert manner.pause(2 / 3) == pytest.approx(2.0)
    assert manner.pause(1.0) == 0
    assert manner.pause(0.0) == pytest.approx(6.0)


async def test_who_is_surely_done_is_answered_at_once(
    store: Store, seer: Make, fake_outlet: Make, message: Make
) -> None:
    talk = Conversation(
        store, seer(finished=1.0), manner=Manner(pause_seconds=60), clock=lambda: NOW
    )
    assert await talk.hear(ANN, message("lunch?"))
    outlet = fake_outlet()
    await asyncio.wait_for(talk.respond(outlet), 30)
    assert outlet.sent == ["ok"]


@pytest.mark.slow
async def test_who_surely_goes_on_is_waited_for(
    store: Store, seer: Make, fake_outlet: Make, message: Make
) -> None:
    manner = Manner(pause_seconds=20, longest_pause_seconds=100)
    talk = Conversation(store, seer(finished=0.0), manner=manner, clock=lambda: NOW)
    assert await talk.hear(ANN, message("so"))
    outlet = fake_outlet()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(talk.respond(outlet), 0.3)
    assert outlet.sent == []


@pytest.mark.slow
async def test_nobody_is_waited_for_longer_than_the_longest_pause(
    store: Store, seer: Make, fake_outlet: Make, message: Make
) -> None:
    manner = Manner(pause_seconds=20, longest_pause_seconds=0.3)
    talk = Conversation(store, seer(finished=0.0), manner=manner, clock=lambda: NOW)
    assert await talk.hear(ANN, message("so"))
    outlet = fake_outlet()
    await asyncio.wait_for(talk.respond(outlet), 10)
    assert outlet.sent == ["ok"]


async def test_a_model_that_cannot_look_ahead_leaves_the_rule_as_it_is(
    store: Store, seer: Make, fake_outlet: Make, message: Make, caplog: pytest.LogCaptureFixture
) -> None:
    engine = seer()

    async def fail(*_: object, **__: object) -> None:
        raise ModelError("lunch?")

    engine.outlook = fail
    talk = Conversation(store, engine, manner=Manner(pause_seconds=0.01), clock=lambda: NOW)
    assert await talk.hear(ANN, message("lunch?"))
    outlet = fake_outlet()
    await asyncio.wait_for(talk.respond(outlet), 30)
    assert outlet.sent == ["ok"]
    assert "failed to look ahead" in caplog.text
    assert "lunch" not in caplog.text


async def test_a_model_that_breaks_as_it_looks_ahead_loses_no_message(
    seer: Make, fake_outlet: Make, message: Make, caplog: pytest.LogCaptureFixture
) -> None:
    engine, history = seer(), FakeHistory()

    async def fail(messages: list[Message], *_: object, **__: object) -> None:
        raise MemoryError(messages[-1].text)

    engine.outlook = fail
    manner = Manner(pause_seconds=0.01, chattiness="chatty")
    talk = Conversation(history, engine, manner=manner, clock=lambda: NOW)
    access, outlet = Access("telegram", history, ("1",), (EVERYONE,)), fake_outlet(GROUP)
    door = Reception(talk, access, dice=random.Random(4))  # noqa: S311 (no secret)
    assert await door.hear(ADAM, GROUP, message("secret", id="1"), addressed=False) is not None
    assert (await door.hear(ADAM, GROUP, message("secret, too", id="2"), addressed=True))[0]
    await talk.respond(outlet)
    assert outlet.sent == ["ok"]
    assert history.texts("telegram", "-100") == ["secret", "secret, too", "ok"]
    assert "The model failed in telegram -100: MemoryError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.slow
async def test_a_model_that_is_slow_to_look_ahead_holds_up_no_message(
    seer: Make, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.conversation.FORECAST_SECONDS", 0.01)
    engine, history = seer(my_turn=1.0), FakeHistory()

    async def take_for_ever(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    engine.outlook = take_for_ever
    talk = Conversation(history, engine, manner=Manner(chattiness="lively"), clock=lambda: NOW)
    access = Access("telegram", history, ("1",), (EVERYONE,))
    door = Reception(talk, access, dice=random.Random(4))  # noqa: S311 (no secret)
    asked = 0
    async with asyncio.timeout(30):
        for number in range(100):
            said: Message = message("x", id=str(number))
            asked += (await door.hear(ADAM, GROUP, said, addressed=False))[0]
    assert asked == 1  # by chance, and then not for some minutes
    assert len(history.texts("telegram", "-100")) == 100


@pytest.mark.parametrize(
    ("chattiness", "my_turn", "least", "most"),
    [
        ("silent", 1.0, 0, 0),
        ("chatty", 0.0, 0, 0),
        ("chatty", 1.0, 200, 200),
        ("chatty", 0.3, 40, 80),
        ("lively", 0.3, 15, 45),
        ("quiet", 0.3, 1, 15),
    ],
)
async def test_in_a_group_it_chimes_in_as_often_as_the_person_would(
    seer: Make, message: Make, chattiness: Chattiness, my_turn: float, least: int, most: int
) -> None:
    manner, history = Manner(chattiness=chattiness), FakeHistory()
    talk = Conversation(history, seer(my_turn=my_turn), manner=manner, clock=lambda: NOW)
    access = Access("telegram", history, ("1",), (EVERYONE,))
    door = Reception(talk, access, dice=random.Random(4))  # noqa: S311 (no secret)
    asked = 0
    for number in range(200):
        said: Message = message("x", id=str(number))
        asked += (await door.hear(ADAM, GROUP, said, addressed=False))[0]
    assert least <= asked <= most
