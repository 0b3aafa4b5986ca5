"""What a history promises, in a database or in memory: what is owed, planned, set and erased."""

from collections.abc import AsyncIterator, Callable

import pytest

from bot.access import Guest
from bot.history import ChatId, Counts, History, Place, Question
from bot.pace import Customs
from bot.store import Store
from likeness.messages import Message
from tests.bot.adapters.fake_history import FakeHistory
from tests.bot.conftest import ANN, BEN, NOON

MakeMessage = Callable[..., Message]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow), "memory"])
async def history(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[History]:
    """Yield the real thing on both databases, and then the fake that the adapters' tests use."""
    if request.param == "memory":
        yield FakeHistory()
        return
    server = request.param == "postgresql"
    store = await Store.open(
        request.getfixturevalue("postgresql").new_database() if server else sqlite_url
    )
    yield store
    await store.close()


async def test_what_asks_waits_until_an_answer_to_it_is_planned(
    history: History, message: MakeMessage
) -> None:
    assert await history.question(ANN) is None
    await history.add(ANN, message("a", id="1", speaker_id="user1"), asks=True)
    await history.add(ANN, message("b", id="2", speaker_id="user2"))
    await history.add(ANN, message("c", id="3", speaker_id="user3"), asks=True)
    assert await history.question(ANN) == Question("3", "user3")
    await history.plan(ANN, "2", [], "text")
    assert await history.question(ANN) == Question("3", "user3")
    await history.plan(ANN, "3", [], "text")
    assert await history.question(ANN) is None


async def test_what_is_planned_is_sent_in_order_and_then_said(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"), asks=True)
    planned = await history.plan(ANN, "1", ["one", "two"], "text")
    assert planned == await history.drafts(ANN)
    assert [draft.text for draft in planned] == ["one", "two"]
    assert len({draft.nonce for draft in planned}) == 2
    assert await history.drafts(BEN) == []
    await history.sent(planned[0], "2", "Robin", NOON)
    assert await history.drafts(ANN) == planned[1:]
    said = (await history.recent(ANN, 9))[-1]
    assert (said.text, said.id, said.outgoing, said.sent_at) == ("one", "2", True, NOON)
    await history.withdraw(ANN)
    assert await history.drafts(ANN) == []
    await history.sent(planned[1], "3", "Robin", NOON)
    assert len(await history.recent(ANN, 9)) == 2


async def test_nothing_is_planned_that_has_regard_to_what_was_forgotten_meanwhile(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"), asks=True)
    await history.forget(ANN)
    assert await history.plan(ANN, "1", ["one"], "text") == []
    await history.add(ANN, message("b", id="2"), asks=True)
    [draft] = await history.plan(ANN, "2", ["two"], "text")
    await history.sent(draft, "3", "Robin", NOON)
    await history.hide_last(ANN, question=True)
    assert await history.plan(ANN, "2", ["more"], "text") == []
    await history.add(ANN, message("c", id="4"), asks=True)
    await history.erase("telegram", "user1")
    assert await history.plan(ANN, "4", ["three"], "text") == []
    assert await history.drafts(ANN) == []


async def test_who_asked_before_what_was_deleted_meanwhile_goes_on_waiting(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1", speaker_id="user1"), asks=True)
    await history.add(ANN, message("b", id="2", speaker_id="user2"))
    await history.erase("telegram", "user2")
    assert await history.plan(ANN, "2", ["to b"], "text") == []
    assert await history.question(ANN) == Question("1", "user1")
    assert len(await history.plan(ANN, "1", ["to a"], "text")) == 1


async def test_what_is_owed_is_a_message_a_chat_and_not_too_old(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("old", id="1", seconds=-60), asks=True)
    await history.add(ANN, message("new", id="2"), asks=True)
    await history.add(BEN, message("old", id="1", seconds=-60), asks=True)
    await history.add(ChatId("discord", "7"), message("elsewhere"), asks=True)
    assert await history.owed("telegram", NOON, 9) == [Place(ANN, "2")]
    await history.forget(ANN)
    assert await history.owed("telegram", NOON, 9) == []


async def test_of_what_is_owed_busy_chats_are_left_out_and_told_apart_by_what_asks_there(
    history: History, message: MakeMessage
) -> None:
    for id_ in ("1", "2"):
        await history.add(ANN, message("a", id=id_), asks=True)
    await history.add(BEN, message("b", id="1"), asks=True)
    await history.add(ChatId("telegram", "9"), message("c", id="1"), asks=True)
    await history.plan(BEN, "1", ["planned"], "text", "")
    assert await history.asking([ANN, BEN]) == [Place(ANN, "2")]
    assert await history.asking([]) == []
    left = await history.owed("telegram", NOON, 1, [ANN, BEN])
    assert left == [Place(ChatId("telegram", "9"), "1")]
    assert await history.owed("telegram", NOON, 0) == []


async def test_what_is_heard_behind_a_mark_is_not_forgotten_and_what_was_answered_before_it_is(
    history: History, message: MakeMessage
) -> None:
    assert await history.mark(ANN) == 0
    await history.add(ANN, message("old", id="1"), asks=True)
    await history.add(BEN, message("elsewhere", id="1"), asks=True)
    through = await history.mark(ANN)
    for number, chat in enumerate((ANN, BEN)):
        [draft] = await history.plan(chat, "1", ["rest of an answer"], "text")
        await history.sent(draft, f"said{number}", "Robin", NOON)
    await history.add(ANN, message("new", id="2"), asks=True)
    await history.forget(ANN, through=through)
    assert [found.text for found in await history.recent(ANN, 9)] == ["new"]
    assert await history.question(ANN) == Question("2", "user1")
    assert len(await history.recent(BEN, 9)) == 2


async def test_an_edit_changes_what_others_said_alone(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"))
    [draft] = await history.plan(ANN, "1", ["mine"], "text")
    await history.sent(draft, "2", "Robin", NOON)
    for id_ in ("1", "2", "3"):
        await history.edit(ANN, id_, "changed", "user1")
    assert [found.text for found in await history.recent(ANN, 9)] == ["changed", "mine"]


async def test_an_edit_brings_nothing_back_that_was_deleted_and_changes_nobody_else_s_words(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("secret", id="1", speaker_id="Ann"))
    await history.add(ANN, message("b", id="2", speaker_id="Ben"))
    await history.erase("telegram", "Ann")
    for id_ in ("1", "2"):
        await history.edit(ANN, id_, "secret", "Ann")
        await history.edit(ANN, "1", "secret", "")
    await history.edit(ANN, "2", "changed", "Ben")
    assert [found.text for found in await history.of_person("telegram", "Ben")] == ["changed"]
    assert await history.of_person("telegram", "Ann") == []
    assert await history.of_person("telegram", "") == []


async def test_the_chats_in_which_nobody_else_writes_are_known(
    history: History, message: MakeMessage
) -> None:
    await lived(history, message)
    assert await history.alone_with("telegram", "Ann") == [ANN]
    assert await history.alone_with("telegram", "Ben") == []


async def test_a_chat_that_moves_takes_everything_along_and_its_ids_begin_anew(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"), asks=True)
    [draft] = await history.plan(ANN, "1", ["mine"], "text")
    await history.add(BEN, message("already there", id="9"))
    await history.move(ANN, BEN)
    assert [kept.nonce for kept in await history.drafts(BEN)] == [draft.nonce]
    assert await history.recent(ANN, 9) == []
    assert await history.add(BEN, message("new", id="1"))
    assert len(await history.recent(BEN, 9)) == 3


async def test_the_newest_message_of_each_chat_is_known(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"))
    await history.add(BEN, message("b", id="7"))
    await history.add(ANN, message("c", id="2"))
    assert set(await history.newest("telegram", 9)) == {Place(ANN, "2"), Place(BEN, "7")}
    assert await history.newest("discord", 9) == []


async def test_the_list_of_guests_keeps_the_newest_standing_and_a_name_once_told(
    history: History,
) -> None:
    ann = Guest("telegram", "7", "Ann", "waiting")
    assert await history.knock(ann, 2)
    assert not await history.knock(ann, 2)
    assert await history.knock(Guest("discord", "7", "Ben", "waiting"), 2)
    assert not await history.knock(Guest("telegram", "9", "Eve", "waiting"), 2)
    await history.sign(Guest("telegram", "7", "", "allowed"))
    assert await history.standings("telegram", ["7", "9"]) == {"7": "allowed"}
    assert await history.guests("allowed", 9) == [Guest("telegram", "7", "Ann", "allowed")]
    await history.sign(Guest("telegram", "8", "Cleo", "allowed"))
    assert [guest.id for guest in await history.guests("allowed", 9)] == ["8", "7"]
    assert [guest.id for guest in await history.guests("allowed", 1)] == ["8"]
    assert await history.guests("waiting", 9, "telegram") == []
    await history.strike("telegram", "7")
    assert await history.standings("telegram", ["7", "8"]) == {"8": "allowed"}


async def test_what_a_chat_sets_for_itself_is_its_own(
    history: History, message: MakeMessage
) -> None:
    assert await history.customs(ANN) == Customs()
    await history.set_customs(ANN, Customs(0.5, "quick", "chatty"))
    await history.add(ANN, message("hi"))
    assert await history.customs(ANN) == Customs(0.5, "quick", "chatty")
    assert await history.customs(BEN) == Customs()
    await history.set_customs(ANN, Customs())
    assert await history.customs(ANN) == Customs()


async def test_each_other_answer_that_is_asked_for_is_counted(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("hi"), asks=True)
    for attempt in range(3):
        assert (await history.customs(ANN)).attempts == attempt
        [draft] = await history.plan(ANN, "1", ["yes"], "text")
        await history.sent(draft, f"said{attempt}", "Robin", NOON)
        assert await history.hide_last(ANN, question=False)
        await history.set_customs(ANN, Customs(temperature=1.5))
    assert (await history.customs(ANN)).attempts == 3


async def test_while_it_is_stopped_nothing_asks_and_nothing_is_owed(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"), asks=True)
    await history.add(BEN, message("b", id="1"), asks=True)
    await history.plan(BEN, "1", ["planned"], "text")
    assert not (await history.counts()).stopped
    await history.stop()
    await history.stop()
    await history.add(ANN, message("c", id="2"), asks=True)
    assert await history.question(ANN) is None
    assert await history.drafts(BEN) == []
    assert await history.owed("telegram", NOON, 9) == []
    assert await history.counts() == Counts(chats=2, messages=3, owed=0, stopped=True)
    await history.go()
    assert await history.question(ANN) is None
    await history.add(ANN, message("d", id="3"), asks=True)
    assert await history.question(ANN) == Question("3", "user1")


async def test_one_chat_can_be_released_from_what_it_is_owed(
    history: History, message: MakeMessage
) -> None:
    for chat in (ANN, BEN):
        await history.add(chat, message("a", id="1"), asks=True)
    await history.release(ANN)
    assert await history.owed("telegram", NOON, 9) == [Place(BEN, "1")]


async def lived(history: History, message: MakeMessage) -> None:
    """Let Ann write in private and, with Ben, in a group; the bot answers in both."""
    group = ChatId("telegram", "-1")
    for chat, people in ((ANN, ["Ann"]), (group, ["Ann", "Ben"])):
        for number, name in enumerate(people):
            said = message(f"{name} said", id=str(number), speaker_id=name, speaker=name)
            await history.add(chat, said, asks=True)
        [draft] = await history.plan(chat, str(number), [f"answer to {people[-1]}"], "text")
        await history.sent(draft, "9", "Robin", NOON)
    other = ChatId("discord", "7")
    await history.add(other, message("elsewhere", speaker_id="Ann"))


async def test_what_is_kept_of_a_person_is_what_they_wrote_and_what_was_answered_to_them_alone(
    history: History, message: MakeMessage
) -> None:
    await lived(history, message)
    found = [kept.text for kept in await history.of_person("telegram", "Ann")]
    assert found == ["Ann said", "answer to Ann", "Ann said"]
    assert [kept.text for kept in await history.of_person("telegram", "Ben")] == ["Ben said"]


async def test_what_is_erased_is_gone_and_does_not_come_again(
    history: History, message: MakeMessage
) -> None:
    await lived(history, message)
    assert await history.erase("telegram", "Ann") == 3
    assert await history.of_person("telegram", "Ann") == []
    assert await history.recent(ANN, 9) == []
    left = await history.recent(ChatId("telegram", "-1"), 9)
    assert [kept.text for kept in left] == ["Ben said", "answer to Ben"]
    assert [kept.text for kept in await history.of_person("discord", "Ann")] == ["elsewhere"]
    assert not await history.add(ANN, message("Ann said", id="0"))
    assert await history.erase("telegram", "Ann") == 0
