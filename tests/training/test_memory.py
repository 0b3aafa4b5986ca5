"""Where memory gives out, smaller batches go on to the same end, down to one row."""

from pathlib import Path

import pytest
import torch

from likeness.errors import TrainingError
from tests.training.conftest import random_windows, steady_model
from training.config import TrainConfig
from training.loop import Trainer
from training.plan import Plan
from training.rows import Batch
from training.scored import Scored

CPU = torch.device("cpu")


class _Cramped:
    """Stands in for a trainer's scorer where no more than some rows fit into the memory."""

    def __init__(self, trainer: Trainer, most_rows: int, error: RuntimeError) -> None:
        self.scorer = trainer.scorer
        self.most_rows = most_rows
        self.error = error
        self.seen: list[int] = []

    def __call__(self, batch: Batch) -> Scored:
        self.seen.append(len(batch.ids))
        if len(self.seen) > 1 and len(batch.ids) > self.most_rows:
            raise self.error
        return self.scorer(batch)


@pytest.mark.slow
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
    ],
)
def test_where_memory_gives_out_smaller_batches_go_on_to_the_same_end(
    plain_gpt2: Path, caplog: pytest.LogCaptureFixture, error: RuntimeError
) -> None:
    windows = random_windows([30, 7, 19, 12, 25, 8, 9, 14])
    config = TrainConfig(batch_rows=4, accumulation=2, dropout=0, warmup_steps=0, precision="fp32")
    roomy = Trainer(steady_model(plain_gpt2), Plan(windows, config), CPU)
    expected = [float(roomy.take_step().loss) for _ in range(3)]
    trainer = Trainer(steady_model(plain_gpt2), Plan(windows, config), CPU)
    cramped = trainer.scorer = _Cramped(trainer, 2, error)
    losses = [float(trainer.take_step().loss) for _ in range(3)]
    assert losses == pytest.approx(expected, rel=1e-5)
    assert cramped.seen == [4, 4] + [2] * 12
    assert caplog.messages == ["out of memory: going on with 2 rows at once, to the same end"]
    again = Trainer(steady_model(plain_gpt2), Plan(windows, config), CPU)
    again.restore(trainer.state())
    assert again.rows_at_once == 2


@pytest.mark.slow
def test_where_memory_gives_out_at_clipping_the_step_begins_anew(
    plain_gpt2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainConfig(batch_rows=4, accumulation=1, dropout=0, precision="fp32")
    windows = random_windows([30, 7, 19, 12])
    roomy = Trainer(steady_model(plain_gpt2), Plan(windows, config), CPU)
    expected = [float(roomy.take_step().loss) for _ in range(3)]
    clip, calls = torch.nn.utils.clip_grad_norm_, []

    def full(*told: object) -> torch.Tensor:
        calls.append(told)
        if len(calls) == 2:
            raise torch.OutOfMemoryError("no")
        return clip(*told)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", full)
    trainer = Trainer(steady_model(plain_gpt2), Plan(windows, config), CPU)
    assert [float(trainer.take_step().loss) for _ in range(3)] == pytest.approx(expected, rel=1e-5)
    assert trainer.rows_at_once == 2


@pytest.mark.slow
def test_a_memory_that_holds_no_row_is_said_in_one_sentence(plain_gpt2: Path) -> None:
    trainer = Trainer(steady_model(plain_gpt2), Plan(random_windows([9] * 8), TrainConfig()), CPU)
    trainer.scorer = _Cramped(trainer, 0, torch.OutOfMemoryError("no"))
    with pytest.raises(TrainingError, match="does not hold one row: lower context_tokens"):
        trainer.take_step()


def test_rows_of_several_batches_may_go_through_at_once_to_the_same_end(plain_gpt2: Path) -> None:
    windows = random_windows([30, 7, 19, 12, 25, 8, 9, 14])
    config = TrainConfig(batch_rows=2, accumulation=4, dropout=0, precision="fp32")
    parted, whole = (
        Trainer(steady_model(plain_gpt2), Plan(windows, config), CPU) for _ in range(2)
    )
    whole.rows_at_once = 8
    whole.scorer = _Cramped(whole, 8, RuntimeError("none"))
    expected = [float(parted.take_step().loss) for _ in range(3)]
    assert [float(whole.take_step().loss) for _ in range(3)] == pytest.approx(expected, rel=1e-5)
    assert whole.scorer.seen == [8] * 3


def test_another_error_is_no_lack_of_memory(plain_gpt2: Path) -> None:
    trainer = Trainer(steady_model(plain_gpt2), Plan(random_windows([9] * 8), TrainConfig()), CPU)
    trainer.scorer = _Cramped(trainer, 0, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        trainer.take_step()
