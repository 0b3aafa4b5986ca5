"""The ways to train that are compared take part on the same terms."""

import argparse
import json
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import trainers, training
from benchmarks.trainers import Round, Shape
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


def test_so_few_words_that_no_batch_is_full_are_not_sought_without_end() -> None:
    rows = torch.arange(9).view(9, 1)
    taken = [next(trainers._forever(rows, at_once)).tolist() for at_once in (4, 9)]
    assert taken == [[[0], [1], [2], [3]], rows.tolist()]
    with pytest.raises(SystemExit, match="--conversations"):
        next(trainers._forever(rows, 10))


def test_an_engine_that_dies_on_the_way_is_named_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    done = json.dumps(Round(tokens=6, taught=3, seconds=1, flops=1).as_values())
    program = tmp_path / "engine"
    program.write_text(
        f"""#!/bin/sh
[ "$4" = "ours, fp32" ] && kill -9 $$
echo ready
rounds=0
while read line; do
    rounds=$((rounds + 1))
    [ "$4 $rounds" = "workshop 2" ] && echo "MemoryError: no room" >&2 && exit 1
    echo '{done}'
done
"""
    )
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(training, "peak_flops", lambda *_: 1.0)
    training.compare(
        argparse.Namespace(
            engines=["workshop", "ours, fp32", "ours"],
            shape="small",
            device="cpu",
            threads=1,
            rounds=3,
            seconds=0,
            conversations=1,
        )
    )
    said, complained = capsys.readouterr()
    assert complained == "workshop in round 2: MemoryError: no room\n"
    assert "| workshop | 6 | 1.00 | 3 " in said
    assert "| ours, fp32 | killed by SIGKILL |" in said
    assert "| ours | 6 | 1.00 | 3 " in said
