"""At the door of a group: what calls it, when it chimes in."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.access import EVERYONE, Access, Guest, Visitor
from bot.conversation import Conversation
from bot.history import ChatId
from bot.pace import Manner
from bot.reception import TOO_MUCH, Reception
from likeness.messages import Message
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.conftest import NOON

ADAM = Visitor("telegram", "7", "user7", "Adam", ("-100",), "The band", group=True)
GROUP = ChatId("telegram", "-100")
Make = Callable[..., Message]


@pytest.fixture
def door(history: FakeHistory, fake_engine: Any) -> Callable[..., Reception]:
    """Make a door that is open to everyone."""

    def make(*, me: str = "Robin", manner: Manner | None = None, **more: Any) -> Reception:
        engine = fake_engine()
        engine.card = replace(engine.card, me=me)
        talk = Conversation(history, engine, manner=manner, clock=lambda: NOON)
        return Reception(talk, Access("telegram", history, allowed=[EVERYONE]), **more)

    return make


@pytest.fixture
def history() -> FakeHistory:
    return FakeHistory()


async def test_a_group_that_moves_stands_on_the_owner_s_list_once(
    door: Any, history: FakeHistory
) -> None:
    await history.sign(Guest("telegram", "-100", "", "allowed"))
    for _ in range(2):  # Telegram tells of it twice
        await door().access.move("-100", "-200")
    assert [guest.id for guest in await history.guests("allowed", 9)] == ["-200"]


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("Robin, lunch?", True),
        ("what says robin", True),
        ("Bobby!", True),
        ("robins sing", False),
        ("so do aerobins", False),
        ("lunch?", False),
    ],
)
async def test_in_a_group_it_answers_to_its_name_and_nicknames(
    door: Any, message: Make, text: str, called: bool
) -> None:
    reception = door(aliases=["Bobby"])
    respond, _ = await reception.hear(ADAM, GROUP, message(text), addressed=False)
    assert respond is called


@pytest.mark.parametrize(
    ("aliases", "text", "called"),
    [
        ([], "is Will there?", True),
        ([], "is Will Smith there?", True),
        (["Willy"], "is Willy there?", True),
        (["Willy"], "is Will Smith there?", True),
        (["Willy"], "will anybody come?", False),
        (["Will Smith"], "will anybody come?", False),
        (["Will"], "is Will there?", True),
    ],
)
async def test_the_first_word_of_its_name_calls_it_unless_other_nicknames_are_given(
    door: Any, message: Make, aliases: list[str], text: str, called: bool
) -> None:
    reception = door(me="Will Smith", aliases=aliases)
    respond, _ = await reception.hear(ADAM, GROUP, message(text), addressed=False)
    assert respond is called


async def test_it_chimes_in_as_often_as_set_and_rests_then(
    door: Any, history: FakeHistory, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("bot.reception.time.monotonic", lambda: now[0])
    counts = {}
    for chattiness in ("silent", "quiet", "lively", "chatty"):
        history.__init__()  # type: ignore[misc]
        manner = Manner(chattiness=chattiness)  # type: ignore[arg-type]
        reception = door(manner=manner, dice=random.Random(4))  # noqa: S311
        counts[chattiness] = 0
        for n in range(600):
            now[0] += 1_000
            said = message("x", id=str(n))
            counts[chattiness] += (await reception.hear(ADAM, GROUP, said, addressed=False))[0]
    assert counts["silent"] == 0
    assert 2 < counts["quiet"] < 30 < counts["lively"] < 120 < counts["chatty"] < 250
    now[0] += 1_000
    hundred = [
        await reception.hear(ADAM, GROUP, message("x", id=f"b{n}"), addressed=False)
        for n in range(100)
    ]
    assert sum(respond for respond, _ in hundred) == 1


async def test_nobody_is_told_to_wait_who_did_not_talk_to_it(door: Any, message: Make) -> None:
    dice = random.Random(4)  # noqa: S311
    reception = door(manner=Manner(chattiness="chatty"), dice=dice, chat_rate=1)
    assert (await reception.hear(ADAM, GROUP, message("Robin?"), addressed=False))[0]
    for n in range(30):
        said = message("so she said no", id=f"to Eve {n}")
        assert await reception.hear(ADAM, GROUP, said, addressed=False) == (False, None)
    _, reply = await reception.hear(ADAM, GROUP, message("Robin!", id="2"), addressed=False)
    assert reply.text == TOO_MUCH
