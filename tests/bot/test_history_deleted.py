"""What a history promises of single messages that were deleted on their platform."""

from collections.abc import Callable
from pathlib import Path

from bot.history import History, Question
from bot.store import Store
from likeness.messages import Message
from tests.bot import test_history
from tests.bot.conftest import ANN, BEN
from tests.bot.test_store import on_disk, url

MakeMessage = Callable[..., Message]

history = test_history.history


async def test_what_is_deleted_is_out_of_sight_and_not_answered_and_does_not_come_again(
    history: History, message: MakeMessage
) -> None:
    for chat in (ANN, BEN):
        for number in "123":
            await history.add(chat, message(f"{number}?", id=number), asks=True)
    await history.delete(ANN, {"2", "3", "unknown"})
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
    for number in "12":
        await history.add(ANN, message("hello", id=number), asks=True)
        await history.plan(ANN, number, [f"to {number}"], "text")
    await history.delete(ANN, {"1"})
    assert [draft.text for draft in await history.drafts(ANN)] == ["to 2"]
    assert await history.plan(ANN, "1", ["again"], "text") == []


async def test_no_byte_of_what_is_deleted_stays_in_the_files(
    tmp_path: Path, message: MakeMessage
) -> None:
    store = await Store.open(url(tmp_path / "likeness.db"))
    await store.add(ANN, message("a-secret-that-shall-be-forgotten " * 300, id="1"))
    await store.delete(ANN, {"1"})
    kept = on_disk(tmp_path)
    assert b"SQLite" in kept
    assert b"a-secret-that" not in kept
    await store.close()
