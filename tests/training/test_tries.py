"""The size that is fastest is found in a few steps, and costs no step."""

from pathlib import Path

import pytest
import torch
from transformers import GPT2LMHeadModel

from likeness.dialogue import Encoded
from training.base import quiet
from training.config import TrainConfig
from training.loop import Trainer
from training.plan import Plan
from training.rows import WindowsBuilder
from training.tries import Tries


def _tried(pace: dict[int, float], most: int, holds: int = 99) -> tuple[int, list[int]]:
    """Return what is found where so many rows take so long a token, and what was tried."""
    tries, rows, tried = Tries(most), most, list[int]()
    while not tries.over:
        rows = min(rows, holds)
        first = rows not in tried
        tried.append(rows)
        rows = tries.after(rows, pace[rows] * (9 if first else 1))
    return rows, tried


@pytest.mark.parametrize(
    ("pace", "fastest", "sizes"),
    [
        ({8: 1.0, 4: 1.2}, 8, [8, 4]),
        ({8: 1.0, 4: 0.99}, 8, [8, 4]),
        ({8: 1.0, 4: 0.8, 2: 0.9}, 4, [8, 4, 2]),
        ({8: 1.0, 4: 0.8, 2: 0.7, 1: 0.6}, 1, [8, 4, 2, 1]),
    ],
)
def test_sizes_are_halved_as_long_as_that_is_faster(
    pace: dict[int, float], fastest: int, sizes: list[int]
) -> None:
    found, tried = _tried(pace, 8)
    assert found == fastest
    assert tried == [size for size in sizes for _ in range(3)]


def test_what_memory_does_not_hold_is_not_tried_again() -> None:
    assert _tried({4: 1.0, 2: 1.5}, 16, holds=4) == (4, [4] * 3 + [2] * 3)


@pytest.mark.slow
def test_steps_that_are_timed_learn_as_others_do(plain_gpt2: Path) -> None:
    builder = WindowsBuilder()
    for length in (30, 7, 19, 12, 25, 8, 9, 14):
        builder.add(Encoded(list(range(length)), [1.0] * length))
    config = TrainConfig(batch_rows=2, accumulation=4, dropout=0, precision="fp32", epochs=12)
    losses = []
    for timed in (False, True):
        with quiet():
            model = GPT2LMHeadModel.from_pretrained(
                plain_gpt2, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0
            )
        trainer = Trainer(model, Plan(builder.windows(), config), torch.device("cpu"))
        if timed:
            trainer.rows_at_once = 8
            trainer._tries = Tries(8)
        losses.append([float(trainer.take_step().loss) for _ in range(12)])
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert trainer._tries is None
    assert trainer.rows_at_once in (1, 2, 4, 8)
