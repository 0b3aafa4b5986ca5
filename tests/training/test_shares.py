"""However many processes there are, and whatever fits into each, every row teaches once."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from transformers import GPT2LMHeadModel

from likeness.dialogue import Encoded
from training.base import quiet
from training.config import TrainConfig
from training.loop import Trainer
from training.plan import Plan
from training.rows import Batch, Windows, WindowsBuilder
from training.scored import Scored
from training.team import Team

CPU = torch.device("cpu")


@dataclass(frozen=True)
class _Apart(Team):
    """One of several processes, from which nothing comes from the others."""

    told: list[torch.Tensor] = field(default_factory=list)

    def total(self, numbers: torch.Tensor) -> torch.Tensor:
        self.told.append(numbers.clone())
        return numbers

    def agree(self, weights: object) -> None:
        pass

    def mean_gradients(self, weights: object, share: float) -> None:
        pass


class _Listening:
    def __init__(self, trainer: Trainer) -> None:
        self.scorer = trainer.scorer
        self.seen: list[int] = []

    def __call__(self, batch: Batch) -> Scored:
        self.seen += batch.ids[:, 0].tolist()
        return self.scorer(batch)


def _windows(count: int) -> Windows:
    builder = WindowsBuilder()
    for number in range(count):
        builder.add(Encoded([number, *range(9)], [1.0] * 10))
    return builder.windows()


def _trainer(folder: Path, rows: int, team: Team) -> Trainer:
    config = TrainConfig(batch_rows=4, accumulation=2, dropout=0, precision="fp32")
    with quiet():
        model = GPT2LMHeadModel.from_pretrained(folder)
    return Trainer(model, Plan(_windows(rows), config), CPU, team)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 3, 5])
@pytest.mark.parametrize("odd", [0, 1])
def test_every_row_teaches_once_where_less_fits_into_one_process(
    plain_gpt2: Path, processes: int, odd: int
) -> None:
    seen = []
    for rank in range(processes):
        trainer = _trainer(plain_gpt2, 8, _Apart(rank, processes))
        trainer.rows_at_once = 4 if rank == odd else 8
        listening = trainer.scorer = _Listening(trainer)  # type: ignore[assignment]
        trainer.take_step()
        seen += listening.seen
    assert sorted(seen) == list(range(8))


def test_a_process_without_rows_counts_nothing(plain_gpt2: Path) -> None:
    team = _Apart(2, 3)
    taken = _trainer(plain_gpt2, 2, team).take_step()
    assert team.told[0].tolist() == [0, 0, 0, 0]
    assert float(taken.loss) == 0
