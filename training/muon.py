"""Muon: a matrix moves by an orthogonal one, as far in every direction.

Source: "Muon: An optimizer for hidden layers in neural networks" (Jordan et al., 2024); how far, so
that rates and decay that suit AdamW suit it too: "Muon is Scalable for LLM Training" (Liu et al.,
2025).

torch's own class computes in 16 bits, which takes a processor without such instructions over thirty
times as long as 32, and it takes GPT-2's queries, keys and values for one matrix.
"""

import math
from collections.abc import Mapping
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
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group)

    def _move(self, weight: torch.Tensor, group: dict[str, Any]) -> None:
        past, momentum = self.state[weight]["momentum"], group["momentum"]
        past.lerp_(weight.grad, 1 - momentum)
        ahead = weight.grad.lerp(past, momentum)  # type: ignore[union-attr]  # it has one
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        parts = group["parts"]
        for part, way in zip(weight.chunk(parts, 1), ahead.chunk(parts, 1), strict=True):
            far = group["lr"] * _LIKE_ADAMW * math.sqrt(max(part.shape))
            part.add_(orthogonal(way, self._width), alpha=-far)


def orthogonal(matrix: torch.Tensor, width: torch.dtype = torch.float32) -> torch.Tensor:
    """Return nearly the orthogonal matrix next to one: its singular values are 0.7 to 1.2, not 1.

    Args:
        matrix: Of two dimensions.
        width: What products are computed in.
    """
    tall = matrix.size(0) > matrix.size(1)
    found = (matrix.mT if tall else matrix).to(width)
    found = found / found.norm().clamp(min=_EPSILON)
    for _ in range(_ROUNDS):
        square = found @ found.mT
        polynomial = torch.addmm(square, square, square, beta=_B, alpha=_C)
        found = torch.addmm(found, polynomial, found, beta=_A)
    return (found.mT if tall else found).to(matrix.dtype)


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
