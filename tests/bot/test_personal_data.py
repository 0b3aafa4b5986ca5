"""What `/mydata` shows a person."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.access import Access, Guest, Standing, Visitor
from bot.commands import obey
from bot.conversation import Conversation
from bot.orders import Order
from bot.store import Store
from tests.bot.conftest import ANN

VISITOR = Visitor("telegram", "7", "user1", "Ann")


async def shown(store: Store, engine: Any) -> list[dict[str, Any]]:
    """Return the lines of the file that Ann gets."""
    talk, access = Conversation(store, engine), Access("telegram", store)
    reply = await obey(Order(talk, access, VISITOR, ANN, owner=False, name="mydata", words=""))
    assert reply.file
    return [json.loads(line) for line in reply.file[1].splitlines()]


@pytest.mark.parametrize("standing", ["waiting", "allowed"])
async def test_who_is_on_the_owner_s_list_is_shown_as_what_and_since_when(
    store: Store, fake_engine: Any, standing: Standing
) -> None:
    before = datetime.now(UTC)
    await store.sign(Guest("telegram", "7", "Ann B.", standing))
    await store.sign(Guest("telegram", "8", "Ben", standing))
    await store.sign(Guest("discord", "7", "Cleo", standing))
    [person] = await shown(store, fake_engine())
    since = datetime.fromisoformat(person.pop("since"))
    assert before <= since <= datetime.now(UTC)
    assert person == {"platform": "telegram", "id": "7", "standing": standing, "name": "Ann B."}


async def test_who_is_on_no_list_is_shown_what_they_wrote(
    store: Store, fake_engine: Any, message: Any
) -> None:
    await store.add(ANN, message("hi"))
    person, said = await shown(store, fake_engine())
    assert person["standing"] is person["name"] is person["since"] is None
    assert said["text"] == "hi"


async def test_a_question_that_was_put_to_somebody_else_stays_theirs(
    store: Store, fake_engine: Any, message: Any
) -> None:
    await store.add(ANN, message("hi"))
    talk, access = Conversation(store, fake_engine()), Access("telegram", store)
    order = Order(talk, access, VISITOR, ANN, owner=False, name="forgetme", words="8")
    assert (await obey(order)).refuses
    assert await store.recent(ANN, 9)
