"""What the bot does when it is told to."""

from pathlib import Path
from typing import Any

import pytest

from bot.access import Access, Guest, Visitor
from bot.commands import COMMANDS, obey
from bot.conversation import Conversation
from bot.orders import Order
from bot.outlet import Reply
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.conftest import ANN

VISITOR = Visitor("telegram", "7", "user7", "Ann")


async def ordered(engine: Any, line: str, *, owner: bool = False) -> Reply:
    """Obey Ann."""
    talk = Conversation(FakeHistory(), engine)
    name, _, words = line.partition(" ")
    access = Access("telegram", talk.history)
    return await obey(Order(talk, access, VISITOR, ANN, owner, name, words))


@pytest.mark.parametrize("command", ["start", "help"])
async def test_start_and_help_say_that_it_is_a_bot_and_whom_it_imitates(
    fake_engine: Any, command: str
) -> None:
    text = (await ordered(fake_engine(), command, owner=True)).text
    assert "I am a bot" in text
    assert "I am not Robin" in text
    for name in COMMANDS if command == "help" else ():
        assert f"/{name} – " in text


@pytest.mark.parametrize("owner", [True, False])
async def test_only_the_owner_who_starts_it_is_asked_about_those_who_wait(
    fake_engine: Any, owner: bool
) -> None:
    talk = Conversation(FakeHistory(), fake_engine())
    await talk.history.sign(Guest("discord", "9", "Eve", "waiting"))
    order = Order(talk, Access("telegram", talk.history), VISITOR, ANN, owner, "start")
    asked = {id_: reply.buttons[0][0].line for id_, reply in (await obey(order)).tells}
    assert asked == ({"7": "allow discord:9"} if owner else {})


@pytest.mark.parametrize("command", ["again", "undo"])
async def test_there_is_nothing_to_take_back_before_anything_was_said(
    fake_engine: Any, command: str
) -> None:
    text = (await ordered(fake_engine(), command)).text
    assert text == "I have said nothing yet that I could take back."


def test_every_command_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "running-a-bot.md").read_text()
    assert [name for name in COMMANDS if f"`/{name}`" not in page] == []
