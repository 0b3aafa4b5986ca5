"""Muon: a matrix moves by an orthogonal one, as far in every direction.

Source: "Muon: An optimizer for hidden layers in neural networks" (Jordan et al., 2024); how far, so
that rates and decay that suit AdamW suit it too: "Muon is Scalable for LLM Training" (Liu et al.,
2025).

torch's own class computes in 16 bits, which takes a processor without such instructions 25 to 50
times as long as 32, and it takes GPT-2's queries, keys and values for one matrix.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

_ROUNDS = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315
"""Of Jordan's polynomial, which is steep at 0: few rounds do."""
_LIKE_ADAMW = 0.2
"""The root mean square of what AdamW adds to a weight, in learning rates."""
_EPSILON = 1e-7
_AT_ONCE = 1 << 23
"""Numbers of the weights that are moved together: small matrices one by one would waste time."""


class Muon(torch.optim.Optimizer):
    """Moves matrices; their momenta exist before the first step."""

    def __init__(
        self,
        matrices: Mapping[nn.Parameter, int],
        *,
        weight_decay: float,
        width: torch.dtype,
        momentum: float = 0.95,
    ) -> None:
        """Remember what to move.

        Args:
            matrices: Weights of two dimensions, each with the number of equal matrices that stand
                in it beside each other.
            weight_decay: By how much a weight shrinks, in learning rates.
            width: What products are computed in.
            momentum: How much of the past a gradient is mixed with.
        """
        groups = [
            {"params": [weight for weight, of in matrices.items() if of == parts], "parts": parts}
            for parts in sorted(set(matrices.values()))
        ]
        super().__init__(groups, {"lr": 0.0, "weight_decay": weight_decay, "momentum": momentum})
        self._width = width
        for weight in matrices:
            self.state[weight] = {"momentum": torch.zeros_like(weight)}

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Move every matrix that has a gradient; those of one shape together."""
        for group in self.param_groups:
            alike = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    alike[weight.shape].append(weight)
            for shape, weights in alike.items():
                many = max(1, _AT_ONCE // shape.numel())
                for start in range(0, len(weights), many):
                    self._move(weights[start : start + many], group)

    def _move(self, weights: Sequence[torch.Tensor], group: dict[str, Any]) -> None:
        parts = [part for weight in weights for part in weight.chunk(group["parts"], dim=1)]
        ahead = [self._ahead(weight, group["momentum"]) for weight in weights]
        ways = torch.stack([way for one in ahead for way in one.chunk(group["parts"], dim=1)])
        far = group["lr"] * _LIKE_ADAMW * math.sqrt(max(ways.shape[1:]))
        for part, way in zip(parts, orthogonal(ways, self._width), strict=True):
            part.mul_(1 - group["lr"] * group["weight_decay"]).add_(way, alpha=-far)

    def _ahead(self, weight: torch.Tensor, momentum: float) -> torch.Tensor:
        """Return where a weight is drawn by its gradient and the past, as Nesterov adds them."""
        gradient, past = weight.grad, self.state[weight]["momentum"]
        past.lerp_(gradient, 1 - momentum)
        drawn: torch.Tensor = past.lerp(gradient, 1 - momentum)
        return drawn


def orthogonal(matrices: torch.Tensor, width: torch.dtype = torch.float32) -> torch.Tensor:
    """Return nearly the orthogonal matrix next to each: singular values are 0.7 to 1.2, not 1.

    Args:
        matrices: Shape (matrices, rows, columns).
        width: What products are computed in.
    """
    tall = matrices.size(1) > matrices.size(2)
    found = (matrices.mT if tall else matrices).to(width)
    found = found / found.norm(dim=(1, 2), keepdim=True).clamp(min=_EPSILON)
    for _ in range(_ROUNDS):
        square = found @ found.mT
        polynomial = torch.baddbmm(square, square, square, beta=_B, alpha=_C)
        found = torch.baddbmm(found, polynomial, found, beta=_A)
    return (found.mT if tall else found).to(matrices.dtype)


def hidden_matrices(model: PreTrainedModel) -> dict[nn.Parameter, int]:
    """Return the matrices of a model's layers that learn: not those of tokens and positions.

    Returns:
        For each weight how many matrices stand in it beside each other: GPT-2 keeps queries, keys
        and values in one.
    """
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    outer = {
        id(module.weight)
        for module in model.modules()
        if isinstance(module, nn.Embedding) or module is head
    }
    found: dict[nn.Parameter, int] = {}
    for module in model.modules():
        for weight in module.parameters(recurse=False):
            if weight.requires_grad and weight.ndim == 2 and id(weight) not in outer:
                joined = isinstance(module, Conv1D) and weight.size(1) == 3 * weight.size(0)
                found[weight] = 3 if joined else 1
    return found
