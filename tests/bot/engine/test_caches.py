"""What was read of a chat is found again, shared where it is equal, and forgotten in order."""

from typing import Any

import pytest

from bot.engine.caches import Caches, _Kept
from bot.engine.models import Reading

ROOM = 100_000


def read(caches: Caches, toy: Any, ids: list[int], reply: int = 0) -> int:
    """Read a text as a reply does; return how many of its tokens were read anew."""
    with caches.use(ids) as cache:
        new = len(ids) - cache.length
        assert cache.ids == ids[: cache.length]
        toy.read([Reading(cache, ids[cache.length :])])
        for id_ in range(reply):
            ids.append(id_)
            toy.read([Reading(cache, [id_])])
    return new


@pytest.fixture
def caches(toy: Any) -> Caches:
    return Caches(toy, ROOM)


def test_the_next_turn_of_a_chat_reads_only_what_is_new(caches: Caches, toy: Any) -> None:
    text = list(range(20))
    assert read(caches, toy, text, reply=10) == 20
    assert read(caches, toy, [*text, 99, 98]) == 2
    assert len(toy.open) == 1


def test_another_reply_to_the_same_prompt_reads_its_last_token(caches: Caches, toy: Any) -> None:
    assert read(caches, toy, list(range(20)), reply=8) == 20
    assert read(caches, toy, list(range(20)), reply=3) == 1
    assert len(toy.open) == 1


def test_texts_that_begin_alike_share_a_copy_and_keep_both(caches: Caches, toy: Any) -> None:
    shared = list(range(20))
    assert read(caches, toy, [*shared, *[101] * 20]) == 40
    assert read(caches, toy, [*shared, *[102] * 20]) == 20
    assert read(caches, toy, [*shared, *[101] * 20, 5]) == 1
    assert read(caches, toy, [*shared, *[102] * 20, 5]) == 1
    assert len(toy.open) == 2


def test_nothing_is_taken_of_a_text_that_begins_otherwise(caches: Caches, toy: Any) -> None:
    assert read(caches, toy, [1, *range(20)]) == 21
    assert read(caches, toy, [2, *range(20)]) == 21
    assert len(toy.open) == 2


def test_what_was_used_longest_ago_goes_first(caches: Caches, toy: Any) -> None:
    texts = [[number, *range(39)] for number in (201, 202, 203)]
    assert [read(caches, toy, texts[number], reply=0) for number in (0, 1, 0, 2)] == [40, 40, 1, 40]
    assert caches.size <= ROOM
    assert read(caches, toy, texts[0]) == 1
    assert read(caches, toy, texts[1]) == 40


def test_a_text_too_short_to_be_found_again_takes_no_room(caches: Caches, toy: Any) -> None:
    assert [read(caches, toy, list(range(15))) for _ in range(2)] == [15, 15]
    assert not toy.open
    assert [read(caches, toy, list(range(20))) for _ in range(2)] == [20, 1]


def test_a_text_longer_than_the_room_is_read_and_forgotten(caches: Caches, toy: Any) -> None:
    assert read(caches, toy, [7] * 101) == 101
    assert caches.size == 0
    assert not toy.open


def test_what_is_in_use_counts_and_leaves_less_room_for_the_rest(caches: Caches, toy: Any) -> None:
    read(caches, toy, [1] * 60)
    with caches.use([2] * 60) as cache:
        toy.read([Reading(cache, [2] * 60)])
        read(caches, toy, [3] * 20)
        assert len(toy.open) == 2
    assert read(caches, toy, [1] * 60) == 60


def test_what_failed_is_not_kept_and_what_was_stopped_is(caches: Caches, toy: Any) -> None:
    def work() -> Any:
        with caches.use([1] * 30) as cache:
            toy.read([Reading(cache, [1] * 20)])
            yield

    failing, stopped = work(), work()
    next(failing)
    with pytest.raises(ValueError, match="ill"):
        failing.throw(ValueError("ill"))
    assert not toy.open
    next(stopped)
    stopped.close()
    assert read(caches, toy, [1] * 30) == 10


def test_closing_gives_all_back(caches: Caches, toy: Any) -> None:
    read(caches, toy, [1] * 30)
    caches.close()
    assert not toy.open
    assert caches.size == 0


def test_only_texts_that_begin_alike_are_compared(
    toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    caches = Caches(toy, 50 * ROOM)
    compared: list[int] = []
    common = _Kept.common
    monkeypatch.setattr(
        _Kept, "common", lambda self, ids: compared.append(int(ids[0])) or common(self, ids)
    )
    for number in range(50):
        read(caches, toy, [number, *range(19)])
    assert read(caches, toy, [7, *range(19), 5]) == 1
    assert set(compared) == {7}
