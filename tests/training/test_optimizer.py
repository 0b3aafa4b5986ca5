"""The optimiser is that of torch, takes no memory at a step, and lets only matrices decay."""

from pathlib import Path

import torch

from tests.training.conftest import random_windows, steady_model
from training.config import TrainConfig
from training.loop import Trainer
from training.optimizer import adamw
from training.plan import Plan

CPU = torch.device("cpu")


def test_a_step_of_the_optimiser_takes_no_memory(plain_gpt2: Path) -> None:
    ours, theirs = steady_model(plain_gpt2), steady_model(plain_gpt2)
    config = TrainConfig(weight_decay=0.1)
    prepared = adamw(ours.parameters(), config)
    before = {place: len(state) for place, state in prepared.state_dict()["state"].items()}
    assert set(before.values()) == {3}
    plain = torch.optim.AdamW(
        [
            {"params": [one for one in theirs.parameters() if one.ndim >= 2], "weight_decay": 0.1},
            {"params": [one for one in theirs.parameters() if one.ndim < 2], "weight_decay": 0.0},
        ],
        lr=0.01, eps=config.adam_epsilon, fused=True,
    )  # fmt: skip
    for group in prepared.param_groups:
        group["lr"] = 0.01
    for model, optimizer in ((ours, prepared), (theirs, plain)):
        for step in range(3):
            torch.manual_seed(step)
            for weight in model.parameters():
                weight.grad = torch.randn_like(weight)
            optimizer.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_biases_and_norms_do_not_decay(plain_gpt2: Path) -> None:
    trainer = Trainer(steady_model(plain_gpt2), Plan(random_windows([9]), TrainConfig()), CPU)
    decaying, others = trainer.state()["optimizer"]["param_groups"]
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.01, 0)
    shapes = [weight.ndim for weight in trainer.model.parameters()]
    assert len(decaying["params"]) == sum(ndim == 2 for ndim in shapes)
    assert len(others["params"]) == sum(ndim == 1 for ndim in shapes)
