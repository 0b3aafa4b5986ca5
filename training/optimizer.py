"""What changes a model's weights, with all the memory that it will ever need."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from likeness.errors import BadSetting
from training.adapter import is_adapted
from training.config import TrainConfig
from training.muon import Muon, hidden_matrices

_BY_MUON = "by_muon"
"""Where a state has that of the matrices, beside that of all else."""


class Optimizer:
    """AdamW, alone or with Muon beside it."""

    def __init__(self, adamw: torch.optim.Optimizer, muon: Muon | None = None) -> None:
        """Put together what changes all weights, none of them twice."""
        self._adamw, self._muon = adamw, muon

    def _both(self) -> Iterator[torch.optim.Optimizer]:
        yield self._adamw
        if self._muon is not None:
            yield self._muon

    def step(self, rate: float) -> None:
        """Change every weight by its gradient, at a learning rate."""
        for one in self._both():
            for group in one.param_groups:
                group["lr"] = rate
            one.step()

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for one in self._both():
            one.zero_grad(set_to_none=True)

    @property
    def weights(self) -> list[torch.Tensor]:
        """The weights that AdamW changes, as its state counts them."""
        return [weight for group in self._adamw.param_groups for weight in group["params"]]

    def state_dict(self) -> dict[str, Any]:
        """Return what the next step follows from, beside weights and gradients."""
        state: dict[str, Any] = self._adamw.state_dict()
        return state if self._muon is None else {**state, _BY_MUON: self._muon.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what `state_dict` returned."""
        of_adamw = {name: value for name, value in state.items() if name != _BY_MUON}
        self._adamw.load_state_dict(of_adamw)
        if self._muon is not None:
            self._muon.load_state_dict(state[_BY_MUON])


def optimizer_for(
    model: PreTrainedModel, config: TrainConfig, width: torch.dtype, *, parted: bool = False
) -> Optimizer:
    """Return the optimiser of a setting.

    Args:
        model: On its device already.
        config: The run's settings.
        width: What products are computed in.
        parted: Whether the model is parted among processes; Muon needs whole matrices.

    Raises:
        BadSetting: Muon is asked for, and the model is parted.
    """
    if config.optimizer == "muon" and parted:
        raise BadSetting(
            "optimizer=muon does not go together with a model that is parted among processes: set "
            "optimizer=adamw, or shard=no."
        )
    if config.optimizer == "adamw" or is_adapted(model):
        # What LoRA adds is small: AdamW changes all of it.
        return Optimizer(adamw(model.parameters(), config))
    matrices = hidden_matrices(model)
    others = [weight for weight in model.parameters() if weight not in matrices]
    muon = Muon(matrices, weight_decay=config.weight_decay, width=width)
    return Optimizer(adamw(others, config), muon)


def adamw(weights: Iterable[nn.Parameter], config: TrainConfig) -> torch.optim.AdamW:
    """Return an optimiser whose moments exist before its first step.

    By default they come into being within that step, one group of weights after the other: where
    memory gave out between two, one would have changed and the other not. As it is, memory gives
    out while the gradients are sought, and that can be done again with fewer rows at once.

    Args:
        weights: On their device already; those that do not learn are left out.
        config: The run's settings; matrices decay, biases and norms do not.
    """
    learning = [weight for weight in weights if weight.requires_grad]
    groups = [
        {
            "params": [weight for weight in learning if weight.ndim >= 2],
            "weight_decay": config.weight_decay,
        },
        {"params": [weight for weight in learning if weight.ndim < 2], "weight_decay": 0.0},
    ]
    fused = all(weight.device.type in ("cuda", "cpu") for weight in learning)
    optimizer = torch.optim.AdamW(groups, lr=0.0, eps=config.adam_epsilon, fused=fused)
    for weight in learning:
        # What AdamW itself would put there, bit for bit: a test holds it to that.
        optimizer.state[weight] = {
            "step": torch.zeros((), device=weight.device if fused else None),
            "exp_avg": torch.zeros_like(weight, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(weight, memory_format=torch.preserve_format),
        }
    return optimizer
