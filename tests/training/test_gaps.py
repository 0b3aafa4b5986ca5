"""The gap that ends a conversation follows each chat's own rhythm."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.messages import Message
from training.config import TrainConfig
from training.gaps import (
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    USUAL_SECONDS,
    find_gap,
    median_gap,
    step_of,
)
from training.portions import portions
from training.survey import Survey, survey

HOUR = 3600.0


def _silences(*kinds: tuple[float, float, int]) -> Counter[int]:
    """Draw silences around medians: (median in seconds, spread in factors of e, how many)."""
    dice = np.random.default_rng(0)
    drawn = np.concatenate([
        median * np.exp(spread * dice.standard_normal(count)) for median, spread, count in kinds
    ])  # fmt: skip
    return Counter(step for one in drawn if (step := step_of(float(one))) is not None)


def test_a_lively_chat_ends_its_talks_after_hours() -> None:
    gap = find_gap(_silences((30, 1.2, 3000), (14 * HOUR, 0.6, 150)))
    assert HOUR <= gap <= 6 * HOUR


def test_a_slow_chat_ends_its_talks_after_days() -> None:
    gap = find_gap(_silences((3 * HOUR, 0.7, 300), (12 * 24 * HOUR, 0.5, 60)))
    assert 12 * HOUR <= gap <= LONGEST_SECONDS


def test_the_minutes_of_an_export_without_seconds_change_nothing_much() -> None:
    dice = np.random.default_rng(0)
    exact = np.concatenate([
        40 * np.exp(1.2 * dice.standard_normal(3000)),
        14 * HOUR * np.exp(0.6 * dice.standard_normal(150)),
    ])  # fmt: skip
    gaps = [
        find_gap(Counter(step for one in some if (step := step_of(float(one))) is not None))
        for some in (exact, 60 * np.round(exact / 60))
    ]
    assert 0.5 < gaps[0] / gaps[1] < 2


@pytest.mark.parametrize(
    "silences", [Counter[int](), _silences((600, 0.1, 20)), _silences((90, 0.7, 4000))]
)
def test_a_chat_that_shows_no_border_has_the_usual_gap(silences: Counter[int]) -> None:
    assert find_gap(silences) == USUAL_SECONDS


@given(st.dictionaries(st.integers(0, 63), st.integers(1, 10_000)))
def test_any_chat_has_a_gap_within_reason(silences: dict[int, int]) -> None:
    assert SHORTEST_SECONDS <= find_gap(silences) <= LONGEST_SECONDS


@given(st.floats(0, 1e12))
def test_any_silence_has_a_step(seconds: float) -> None:
    step = step_of(seconds)
    assert (step is None) == (seconds <= 60)
    assert step is None or 0 <= step < 64


def test_each_chat_has_its_own_gap_and_the_card_the_usual_one(
    say: Callable[..., Message], write: Callable[[Iterable[Message]], Path]
) -> None:
    def talks(chat_id: str, count: int, pause: float, rest: float) -> list[Message]:
        return [
            say(
                "me" if number % 2 else "ann", "hi", chat_id=chat_id,
                after=rest if number % 10 == 0 else pause * (1 + number % 3),
            )
            for number in range(count)
        ]  # fmt: skip

    path = write([*talks("lively", 400, 70, 9 * HOUR), *talks("slow", 200, 2 * HOUR, 200 * HOUR)])
    found, config = survey(path), TrainConfig(held_out_share=0)
    lively, slow = (found.gap_seconds(("test", chat), config) for chat in ("lively", "slow"))
    assert 1800 <= lively < 6 * HOUR < slow
    assert found.usual_gap_seconds(config) == lively
    lengths = {len(portion.messages) for portion in portions(path, found, config)}
    assert lengths == {10}
    fixed = TrainConfig(gap_seconds=60, reply_gap_seconds=60, held_out_share=0)
    assert found.usual_gap_seconds(fixed) == 60
    assert {len(portion.messages) for portion in portions(path, found, fixed)} == {1}


def test_the_usual_gap_is_that_of_most_of_my_targets() -> None:
    assert median_gap({60.0: 1, 3600.0: 5, 86_400.0: 2}) == 3600
    found = Survey(targets=Counter({("t", "a"): 0}), silences={("t", "a"): Counter()})
    assert found.usual_gap_seconds(TrainConfig()) == USUAL_SECONDS
