"""How often each row is taken, and the rate at which a step learns from it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.conftest import random_windows
from training.config import TrainConfig
from training.plan import Plan
from training.rows import Windows


def test_the_rate_rises_and_falls_in_a_line() -> None:
    config = TrainConfig(batch_rows=1, accumulation=1, epochs=1, warmup_steps=4)
    plan = Plan(random_windows([5] * 20), replace(config, learning_rate=1.0))
    rates = [plan.rate(step) for step in range(plan.steps)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4] == 1
    assert rates[-1] == pytest.approx(1 / 16)
    assert all(
        Plan(plan.windows, replace(plan.config, warmup_steps=steps)).rate(0) > 0
        for steps in (0, 99)
    )


def test_every_row_is_taken_once_an_epoch() -> None:
    plan = Plan(random_windows([5] * 23), TrainConfig(batch_rows=3, accumulation=2, epochs=2.5))
    assert (plan.steps_per_epoch, plan.steps) == (4, 10)
    for epoch in range(2):
        steps = plan.epoch(epoch)
        assert len(steps) == plan.steps_per_epoch
        assert sorted(one for step in steps for rows in step for [one] in rows) == list(range(23))


@pytest.mark.parametrize(("tokens", "epochs"), [(1_000, 8), (1_000_000, 4), (9_000_000, 2)])
def test_few_words_are_read_more_often_than_many(tokens: int, epochs: int) -> None:
    empty = np.zeros(0, np.uint16)
    windows = Windows(empty, np.zeros(0, np.float32), np.array([0, tokens]))
    assert Plan(windows, TrainConfig()).epochs == epochs
    assert Plan(windows, TrainConfig(epochs=3)).epochs == 3
