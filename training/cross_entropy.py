"""Cross-entropy of a large vocabulary: its gradient made piece by piece, with the loss itself.

The logits of all tokens are the largest thing in a small model's training, and in 32 bits twice as
large. Here only some tokens' logits exist at a time, and what is left of them are the gradients of
what the head read and of the head itself, which costs not one product more.

Source: "Liger Kernel" (Hsu et al., 2024), whose fused linear cross-entropy does the same.
"""

from typing import Any

import torch

from training.scored import Scored

_TOGETHER = 1024
"""Tokens whose logits exist at the same time: 100 MB of them with GPT-2's vocabulary in 16 bits."""


def cross_entropy(
    hidden: torch.Tensor, head: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
) -> Scored:
    """Return the losses of a head's predictions.

    Args:
        hidden: What the head reads (N, D).
        head: Its weights (V, D), of any width: products have the width of `hidden`.
        targets: What is to be foretold (N).
        weights: How much each loss counts (N), in 32 bits.
    """
    # torch leaves `apply` without types.
    return Scored(*_CrossEntropy.apply(hidden, head, targets, weights))  # type: ignore[no-untyped-call]


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        head: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        narrow = head.to(hidden.dtype)
        of_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        of_head = torch.zeros_like(head) if ctx.needs_input_grad[1] else None
        losses = torch.empty(len(hidden), device=hidden.device)
        for start in range(0, len(hidden), _TOGETHER):
            piece = slice(start, start + _TOGETHER)
            some, wanted = hidden[piece], targets[piece, None]
            logs = torch.log_softmax((some @ narrow.t()).float(), -1)
            losses[piece] = -logs.gather(1, wanted).squeeze(1)
            if of_hidden is None:
                continue
            slope = logs.exp_().scatter_add_(1, wanted, logs.new_full(wanted.shape, -1.0))
            slope = slope.mul_(weights[piece, None]).to(hidden.dtype)
            torch.mm(slope, narrow, out=of_hidden[piece])
            if of_head is not None:
                of_head += slope.t() @ some
        ctx.save_for_backward(of_hidden, of_head)
        ctx.mark_non_differentiable(losses)
        return losses @ weights, losses

    @staticmethod
    def backward(
        ctx: Any, outer: torch.Tensor, _: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, None, None]:
        of_hidden, of_head = (
            None if slope is None else slope * outer for slope in ctx.saved_tensors
        )
        return of_hidden, of_head, None, None
