"""The ways to train that are compared take part on the same terms."""

import pytest
import torch

from benchmarks import trainers
from benchmarks.trainers import Shape
from benchmarks.training import conversations
from training.loop import Taken
from training.plan import Plan


class FakeTrainer:
    """Takes steps of nothing; in the first ones it tries how many rows at once are fastest."""

    def __init__(self, plan: Plan) -> None:
        self.rows = plan.config.batch_rows * plan.config.accumulation
        self.tried = 0

    @property
    def _tries(self) -> bool:
        return self.tried < 18

    def take_step(self) -> Taken:
        self.tried += 1
        return Taken(torch.zeros(()), tokens=1, targets=1, flops=1.0, weight=1.0)


def test_on_a_gpu_ours_takes_a_trainers_rows_and_has_found_how_many_at_once_are_fastest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpu, made = torch.device("cuda"), list[FakeTrainer]()

    def begin(_model: object, plan: Plan, _device: torch.device) -> FakeTrainer:
        made.append(FakeTrainer(plan))
        return made[-1]

    monkeypatch.setattr(trainers, "pick_device", lambda _: gpu)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: None)
    monkeypatch.setattr(trainers, "Trainer", begin)
    trainers.ours(conversations(10, 100), Shape(8, 1, 1, 100), "cuda")
    assert made[0].rows == trainers._rows_a_step(gpu) == 32
    assert made[0].tried == 18
