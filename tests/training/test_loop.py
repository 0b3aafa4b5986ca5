"""A step learns by the weights, however its rows are cut into batches."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from likeness.errors import BadSetting
from tests.training.conftest import random_windows, steady_model
from training import compiling
from training.compiling import worth_compiling
from training.config import TrainConfig
from training.device import pick_device
from training.loop import Trainer
from training.loss import token_losses
from training.plan import Plan
from training.rows import Batch

CPU = torch.device("cpu")


def _loss(model: PreTrainedModel, batch: Batch) -> float:
    with torch.no_grad():
        losses = token_losses(model, batch, CPU).numpy()
    return float((losses * batch.weights[batch.weights > 0]).sum())


def test_the_loss_is_that_of_transformers_where_all_weigh_one(plain_gpt2: Path) -> None:
    model, batch = steady_model(plain_gpt2), random_windows([20, 20], (1.0,)).batch([[0], [1]])
    ids = torch.from_numpy(batch.ids)
    with torch.no_grad():
        theirs = model(input_ids=ids, labels=ids).loss.item()
    assert _loss(model, batch) / batch.weight == pytest.approx(theirs, rel=1e-5)


def test_a_target_without_weight_has_no_influence(plain_gpt2: Path) -> None:
    model, batch = steady_model(plain_gpt2), random_windows([20]).batch([[0]])
    batch.weights[0, -1] = 0
    before = _loss(model, batch)
    batch.ids[0, -1] = (batch.ids[0, -1] + 1) % 250
    assert _loss(model, batch) == before
    batch.weights[0, -1] = 1
    assert _loss(model, batch) != before


def test_padding_changes_nothing(plain_gpt2: Path) -> None:
    model, windows = steady_model(plain_gpt2), random_windows([30, 7, 19])
    together = _loss(model, windows.batch([[0], [1], [2]]))
    alone = sum(_loss(model, windows.batch([[number]])) for number in range(3))
    assert together == pytest.approx(alone, rel=1e-5)


def test_accumulated_batches_are_one_big_batch(plain_gpt2: Path) -> None:
    windows = random_windows([30, 7, 19, 12])
    trained = []
    for batch_rows, accumulation in ((4, 1), (1, 4)):
        config = TrainConfig(
            batch_rows=batch_rows,
            accumulation=accumulation,
            dropout=0,
            warmup_share=0,
            precision="fp32",
        )
        trainer = Trainer(
            steady_model(plain_gpt2), Plan(windows, replace(config, learning_rate=1e-2)), CPU
        )
        loss = float(trainer.take_step().loss)
        trained.append((loss, trainer.model.transformer.wte.weight.detach().clone()))
    assert trained[0][0] == pytest.approx(trained[1][0], rel=1e-5)
    # Adam's first step is the sign of the gradient, so rounding may tip what is about 0.
    assert (trained[0][1] - trained[1][1]).abs().mean() < 1e-5


def test_compiling_is_left_to_long_runs_on_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "peak_flops", lambda *_: 1e15)
    cuda, small = torch.device("cuda"), 124_000_000
    bf16 = torch.bfloat16
    assert not worth_compiling("auto", small, 1e7, cuda, bf16)
    assert worth_compiling("auto", small, 1e9, cuda, bf16)
    assert not worth_compiling("auto", small, 1e12, CPU, bf16)
    assert worth_compiling("yes", small, 1, CPU, bf16)
    assert not worth_compiling("no", small, 1e12, cuda, bf16)


@pytest.mark.parametrize("name", ["cuda:99", "abacus", "meta-thing"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(BadSetting, match="device=auto"):
        pick_device(name)


def test_auto_finds_a_device() -> None:
    assert pick_device("auto").type in ("cpu", "cuda", "mps")
