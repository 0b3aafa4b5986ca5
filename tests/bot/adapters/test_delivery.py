"""What every adapter does alike: cut, insist, keep up a sign, describe an error."""

import asyncio
import gc

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.adapters.answers import Answers
from bot.adapters.delivery import NOTHING, Patience, insist, kept_up, split, wordless
from bot.adapters.telegram_chats import _utf16_units
from bot.history import ChatId
from bot.outlet import NotDelivered
from likeness.errors import DatabaseError

TEXTS = some.text(some.sampled_from(["a", " ", "\n", "🥁", "é", "\u3000"]), max_size=60)


@given(TEXTS, some.integers(2, 20))
def test_every_piece_fits_and_nothing_but_space_is_lost(text: str, limit: int) -> None:
    pieces = split(text, limit, _utf16_units)
    assert all(0 < _utf16_units(piece) <= limit and piece == piece.strip() for piece in pieces)
    assert "".join("".join(pieces).split()) == ("".join(text.split()) or NOTHING)


def test_a_text_is_cut_at_a_line_or_a_word_if_there_is_one() -> None:
    assert split("one two\nthree four", 10) == ["one two", "three four"]
    assert split("one two three", 8) == ["one two", "three"]
    assert split("onetwothree", 8) == ["onetwoth", "ree"]


def test_waits_double_up_to_the_longest() -> None:
    waits = Patience(first_wait_seconds=1, longest_wait_seconds=5).waits()
    assert [next(waits) for _ in range(5)] == [1, 2, 4, 5, 5]


async def test_what_will_not_pass_is_tried_once() -> None:
    tries = []

    async def attempt() -> None:
        tries.append(1)
        raise ValueError("somebody's words")

    with pytest.raises(NotDelivered, match=r"^ValueError$"):
        await insist(attempt, lambda _: None, Patience())
    assert len(tries) == 1


async def test_it_waits_at_least_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    faults, waits = [ValueError(), ValueError()], []

    async def attempt() -> str:
        if faults:
            raise faults.pop()
        return "sent"

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("bot.adapters.delivery.asyncio.sleep", sleep)
    assert await insist(attempt, lambda _: 1.5, Patience(first_wait_seconds=1)) == "sent"
    assert waits == [1.5, 2]


async def nothing(limit: int) -> int:
    """Owe nothing."""
    return 0


async def test_what_finds_no_room_is_looked_up_once_there_is_some() -> None:
    gate, room, begun = asyncio.Event(), [], []

    async def owed(limit: int) -> int:
        room.append(limit)
        return 0

    async def wait() -> None:
        begun.append(1)
        await gate.wait()

    answers = Answers(2, owed)
    for _ in range(5):
        answers.start(ChatId("telegram", "7"), wait())
    await asyncio.sleep(0)
    assert (len(begun), room) == (2, [])
    gate.set()
    await asyncio.sleep(0.01)
    assert len(room) == 1
    await answers.finish(1)


async def test_what_waits_is_looked_up_again_if_that_was_asked_for_meanwhile() -> None:
    gate, looked = asyncio.Event(), []

    async def owed(limit: int) -> int:
        looked.append(limit)
        await gate.wait()
        return 0

    answers = Answers(9, owed)
    answers.refill()
    await asyncio.sleep(0)
    answers.refill()
    answers.refill()
    gate.set()
    await asyncio.sleep(0.01)
    assert looked == [9, 9]
    await answers.finish(1)


async def test_what_waits_is_looked_up_until_the_database_can_be_read() -> None:
    faults, looked = [DatabaseError("It is locked.")] * 2, []

    async def owed(limit: int) -> int:
        looked.append(limit)
        if faults:
            raise faults.pop()
        return 0

    answers = Answers(9, owed, retry_seconds=0)
    answers.refill()
    await asyncio.sleep(0.01)
    assert len(looked) == 3
    await answers.finish(1)


async def test_an_answer_that_fails_is_told_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise ValueError("somebody's words")

    answers = Answers(9, nothing)
    answers.start(ChatId("telegram", "7", "3"), fail())
    await answers.finish(1)
    assert "telegram 7 3: an answer failed: ValueError" in caplog.text
    assert "somebody" not in caplog.text


async def test_answers_that_take_too_long_are_stopped() -> None:
    stopped = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    answers = Answers(9, nothing)
    answers.start(ChatId("telegram", "7"), wait())
    await asyncio.sleep(0)
    await answers.finish(0.01)
    assert stopped.is_set()


@pytest.mark.slow
async def test_what_is_stopped_before_its_first_step_leaves_nothing_behind() -> None:
    """Work that was never begun is closed: Python warns of any that is not when it is freed."""

    async def nothing(_: int) -> int:
        return 0

    answers = Answers(9, nothing)
    answers.refill()
    await answers.finish(grace_seconds=0)
    answers.start(ChatId("telegram", "1"), asyncio.sleep(60))
    for task in answers._tasks:
        task.cancel()
    await answers.finish(grace_seconds=0)
    gc.collect()


def test_an_error_is_described_by_where_it_arose() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 / 0
    assert wordless(caught.value).startswith("ZeroDivisionError, test_an_error_is_described")


async def test_a_sign_is_kept_up_until_left_whatever_becomes_of_it() -> None:
    signs = []

    async def sign() -> None:
        signs.append(1)
        raise ConnectionResetError

    async with kept_up(sign, every_seconds=0, room=asyncio.Semaphore(1)):
        await asyncio.sleep(0.05)
    count = len(signs)
    assert count > 2
    await asyncio.sleep(0.01)
    assert len(signs) == count


async def test_in_a_crowd_a_sign_waits_until_another_is_gone() -> None:
    room, signs = asyncio.Semaphore(1), list[str]()

    async def show(name: str, left: asyncio.Event) -> None:
        async def sign() -> None:
            signs.append(name)

        async with kept_up(sign, 60, room):
            await left.wait()

    first, second = asyncio.Event(), asyncio.Event()
    shown = [asyncio.create_task(show("one", first)), asyncio.create_task(show("two", second))]
    for _ in range(9):
        await asyncio.sleep(0)
    assert signs == ["one"]
    first.set()
    await shown[0]
    for _ in range(9):
        await asyncio.sleep(0)
    assert signs == ["one", "two"]
    second.set()
    await shown[1]
