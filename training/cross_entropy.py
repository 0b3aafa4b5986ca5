"""Cross-entropy of a large vocabulary: its gradient made piece by piece, with the loss itself.

The logits of all tokens are the largest thing in a small model's training, and in 32 bits twice as
large. Here only some tokens' logits exist at a time, and what is left of them are the gradients of
what the head read and of the head itself, which costs not one product more.

Source: "Liger Kernel" (Hsu et al., 2024), whose fused linear cross-entropy does the same.
"""

from functools import cache
from typing import Any

import torch

from training.scored import Scored

_TOGETHER = {"cpu": 1024, "cuda": 8192}
"""Tokens whose logits exist at the same time: 0.1 or 0.8 GB of GPT-2's vocabulary in 16 bits."""
_WIDE_BYTES = {"cpu": 1 << 21, "cuda": 1 << 31}
"""What logits may take in 32 bits at the same time: so little that a processor's cache holds it."""
_ALIGNED = 64
"""A matrix whose rows begin at odd addresses is multiplied at two thirds of the speed."""


def cross_entropy(
    hidden: torch.Tensor,
    head: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
    *,
    compiled: bool = False,
) -> Scored:
    """Return the losses of a head's predictions.

    Args:
        hidden: What the head reads (N, D).
        head: Its weights (V, D), of any width: products have the width of `hidden`.
        targets: What is to be predicted (N).
        weights: How much each loss counts (N), in 32 bits.
        compiled: Whether torch is to make one kernel of what lies between the products.
    """
    # torch leaves `apply` without types.
    return Scored(*_CrossEntropy.apply(hidden, head, targets, weights, compiled))  # type: ignore[no-untyped-call]


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        head: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor,
        compiled: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        narrow = _padded(head, hidden.dtype)
        of_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        of_head = torch.zeros_like(head) if ctx.needs_input_grad[1] else None
        losses = torch.empty(len(hidden), device=hidden.device)
        together = _TOGETHER.get(hidden.device.type, 1024)
        for start in range(0, len(hidden), together):
            piece = slice(start, start + together)
            logits = hidden[piece] @ narrow.t()
            some = logits[:, : len(head)]
            _to_slopes(some, targets[piece], weights[piece], losses[piece], compiled=compiled)
            if of_hidden is not None:
                torch.mm(logits, narrow, out=of_hidden[piece])
            if of_head is not None:
                of_head += (logits.t() @ hidden[piece])[: len(head)]
        ctx.save_for_backward(of_hidden, of_head)
        ctx.mark_non_differentiable(losses)
        return losses @ weights, losses

    @staticmethod
    def backward(
        ctx: Any, outer: torch.Tensor, _: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, None, None, None]:
        of_hidden, of_head = (
            None if slope is None else slope * outer for slope in ctx.saved_tensors
        )
        return of_hidden, of_head, None, None, None


def _padded(head: torch.Tensor, width: torch.dtype) -> torch.Tensor:
    rows = -len(head) % _ALIGNED + len(head)
    padded = torch.empty(rows, head.shape[1], dtype=width, device=head.device)
    padded[: len(head)] = head
    padded[len(head) :] = 0
    return padded


def _to_slopes(
    logits: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
    losses: torch.Tensor,
    *,
    compiled: bool,
) -> None:
    """Write the losses, and over the logits the slopes of the weighted losses by them."""
    compute = _compiled() if compiled else _losses_and_slopes
    some = max(1, _WIDE_BYTES.get(logits.device.type, 1 << 28) // (4 * logits.shape[1]))
    for start in range(0, len(logits), some):
        piece = slice(start, start + some)
        losses[piece], logits[piece] = compute(
            logits[piece], targets[piece, None], weights[piece, None]
        )


def _losses_and_slopes(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    wide = logits.float()
    wide -= wide.amax(1, keepdim=True)
    of_target = wide.gather(1, targets)
    total = wide.exp_().sum(1, keepdim=True)
    wide.scatter_add_(1, targets, -total)
    wide *= weights / total
    return (total.log() - of_target).squeeze(1), wide


@cache
def _compiled() -> Any:
    return torch.compile(_losses_and_slopes, dynamic=True)
