"""What a history promises of single messages that were deleted on their platform."""

from collections.abc import Callable
from pathlib import Path

from bot.history import ChatId, History, Question
from bot.store import Store
from likeness.messages import Message
from tests.bot import test_history
from tests.bot.conftest import ANN, BEN, NOON
from tests.bot.test_store import on_disk, url

MakeMessage = Callable[..., Message]

history = test_history.history


async def test_what_is_deleted_is_out_of_sight_and_not_answered_and_does_not_come_again(
    history: History, message: MakeMessage
) -> None:
    for chat in (ANN, BEN):
        for number in "123":
            await history.add(chat, message(f"{number}?", id=number), asks=True)
    await history.delete("telegram", "7", {"2", "3", "unknown"})
    assert [found.text for found in await history.recent(ANN, 9)] == ["1?"]
    assert await history.question(ANN) == Question("1", "user1")
    await history.edit(ANN, "3", "my secret", "user1")
    assert not await history.add(ANN, message("3?", id="3"), asks=True)
    kept = await history.of_person("telegram", "user1")
    assert [found.text for found in kept] == ["1?", "1?", "2?", "3?"]
    assert len(await history.recent(BEN, 9)) == 3


async def test_nothing_is_sent_any_more_in_answer_to_what_was_deleted(
    history: History, message: MakeMessage
) -> None:
    planned = []
    for number in "12":
        await history.add(ANN, message("hello", id=number), asks=True)
        planned += await history.plan(ANN, number, [f"to {number}"], "text")
    await history.delete("telegram", "7", {"1"})
    assert [draft.text for draft in await history.drafts(ANN)] == ["to 2"]
    assert [await history.stands(draft) for draft in planned] == [False, True]
    assert await history.plan(ANN, "1", ["again"], "text") == []
    assert await history.plan(ANN, "2", ["again"], "text", "1") == []


async def test_the_rest_of_an_answer_that_is_taken_back_is_not_sent(
    history: History, message: MakeMessage
) -> None:
    for number, question in (("1", False), ("2", True)):
        await history.add(ANN, message("hello", id=number), asks=True)
        [first, _] = await history.plan(ANN, number, ["one", "two"], "text")
        await history.sent(first, f"said{number}", "Robin", NOON)
        await history.add(ANN, message("and?", id=f"{number}?"), asks=True)
        [other] = await history.plan(ANN, f"{number}?", ["to that"], "text")
        assert await history.hide_last(ANN, question=question)
        assert await history.drafts(ANN) == [other]
        await history.withdraw(ANN)


async def test_nothing_is_sent_any_more_in_a_group_in_answer_to_whom_was_forgotten(
    history: History, message: MakeMessage
) -> None:
    await history.add(BEN, message("a", id="2", speaker_id="user2"), asks=True)
    await history.plan(BEN, "2", ["to user2 elsewhere"], "text")
    for number in "12":
        await history.add(ANN, message("a", id=number, speaker_id=f"user{number}"), asks=True)
        await history.plan(ANN, number, [f"to user{number}"], "text")
    await history.erase("telegram", "user1")
    assert [draft.text for draft in await history.drafts(ANN)] == ["to user2"]
    assert len(await history.drafts(BEN)) == 1


async def test_what_was_forgotten_stays_so_when_an_older_order_is_obeyed_later(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"))
    older = await history.mark(ANN)
    await history.add(ANN, message("b", id="2"))
    for through in (await history.mark(ANN), older):
        await history.forget(ANN, through=through)
        assert await history.recent(ANN, 9) == []


async def test_who_asked_before_the_answered_message_that_was_deleted_goes_on_waiting(
    history: History, message: MakeMessage
) -> None:
    for number in "123":
        await history.add(ANN, message(number, id=number), asks=number < "3")
    await history.delete("telegram", "7", {"2"})
    assert await history.plan(ANN, "3", [], "text", "2") == []
    assert await history.question(ANN) == Question("1", "user1")


async def test_what_asks_is_not_hidden_with_an_answer_that_was_on_its_way(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"), asks=True)
    [draft] = await history.plan(ANN, "1", ["to a"], "text")
    await history.add(ANN, message("b", id="2"), asks=True)
    await history.sent(draft, "3", "Robin", NOON)
    assert await history.hide_last(ANN, question=True)
    assert [found.text for found in await history.recent(ANN, 9)] == ["b"]
    assert await history.question(ANN) == Question("2", "user1")


async def test_an_answer_to_what_was_deleted_stays_in_sight_where_nothing_could_be_answered_anew(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("a", id="1"), asks=True)
    [draft] = await history.plan(ANN, "1", ["to a"], "text")
    await history.sent(draft, "2", "Robin", NOON)
    await history.delete("telegram", "7", {"1"})
    assert not await history.hide_last(ANN, question=False)
    assert [found.text for found in await history.recent(ANN, 9)] == ["to a"]
    assert await history.hide_last(ANN, question=True)
    assert await history.recent(ANN, 9) == []


async def test_no_byte_of_what_is_deleted_stays_in_the_files(
    tmp_path: Path, message: MakeMessage
) -> None:
    store = await Store.open(url(tmp_path / "likeness.db"))
    await store.add(ANN, message("a-secret-that-shall-be-forgotten " * 300, id="1"))
    await store.delete("telegram", "7", {"1"})
    kept = on_disk(tmp_path)
    assert b"SQLite" in kept
    assert b"a-secret-that" not in kept
    await store.close()


async def test_what_was_said_in_a_place_that_is_deleted_is_gone_with_its_threads_and_its_name(
    history: History, message: MakeMessage
) -> None:
    thread, other = ChatId("telegram", "7", "8"), ChatId("telegram", "9", "10")
    for chat in (ANN, BEN, thread, other):
        await history.add(chat, message("hello", id="1"), asks=True)
        await history.plan(chat, "1", ["to that"], "text", "")
    await history.delete("telegram", "8")
    assert [len(await history.recent(chat, 9)) for chat in (ANN, BEN, thread)] == [1, 0, 0]
    await history.delete("telegram", "7")
    await history.delete("discord", "9")
    await history.delete("telegram", "11")
    for chat, left in ((ANN, 0), (BEN, 0), (thread, 0), (other, 1)):
        assert len(await history.recent(chat, 9)) == len(await history.drafts(chat)) == left
    await history.add(ANN, message("again", id="2", chat=""))
    assert [found.chat for found in await history.recent(ANN, 9)] == [""]


async def test_nothing_is_planned_in_a_chat_that_has_moved(
    history: History, message: MakeMessage
) -> None:
    await history.add(ANN, message("hello", id="1"), asks=True)
    await history.move(ANN, BEN)
    assert await history.plan(ANN, "1", ["to that"], "text", "1") == []
    assert await history.question(BEN) == Question("7:1", "user1")


async def test_who_is_left_alone_in_a_group_is_not_shown_what_was_answered_to_others(
    history: History, message: MakeMessage
) -> None:
    for number, who in (("1", "user1"), ("2", "user2")):
        await history.add(ANN, message("hi", id=number, speaker_id=who), asks=True)
        [draft] = await history.plan(ANN, number, [f"to {who}"], "text")
        await history.sent(draft, f"1{number}", "Robin", NOON)
    assert await history.erase("telegram", "user2") == 1
    assert [found.text for found in await history.of_person("telegram", "user1")] == ["hi"]
    assert await history.alone_with("telegram", "user1") == []
    assert await history.erase("telegram", "user1") == 1
    assert [found.text for found in await history.recent(ANN, 9)] == ["to user1", "to user2"]


async def test_who_forgets_themselves_in_private_is_alone_there_as_before(
    history: History, message: MakeMessage
) -> None:
    for number in "12":
        await history.add(ANN, message("hi", id=number), asks=True)
        [draft] = await history.plan(ANN, number, ["to you"], "text")
        await history.sent(draft, f"1{number}", "Robin", NOON)
        assert await history.erase("telegram", "user1") == 2
        assert await history.of_person("telegram", "user1") == []
