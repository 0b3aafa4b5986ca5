"""Causal attention within windows that stand end to end, without a mask and without padding."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

_MOST = 1024
"""What a kernel is told that no window is longer than, unless one is: compiled once for all."""
_LARGEST_HEAD = 256


@dataclass(frozen=True, slots=True)
class Layout:
    """How long the windows are that some tokens belong to.

    Attributes:
        lengths: Of each window, in tokens.
        ends: The same as the places between them, 0 and the last included, in 32 bits where the
            kernel reads them; None on a processor.
        most: No window is longer.
    """

    lengths: Sequence[int]
    ends: torch.Tensor | None
    most: int

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device) -> "Layout":
        """Make one for a device."""
        most = max(_MOST, *lengths)
        if device.type == "cpu":
            return cls(lengths, None, most)
        ends = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
        return cls(lengths, ends.pin_memory().to(device, non_blocking=True), most)


def attend(mixed: torch.Tensor, layout: Layout, heads: int) -> torch.Tensor:
    """Let each token see those of its own window up to itself.

    Args:
        mixed: Queries, keys and values side by side (N, 3 * D).
        layout: Of the windows that the N tokens are.
        heads: Among how many the D numbers are divided.

    Returns:
        The mean of the values by what is seen (N, D).
    """
    if layout.ends is None:
        return _one_by_one(mixed, layout.lengths, heads)
    query, key, value = mixed.view(len(mixed), 3, heads, -1).unbind(1)
    ends, most = layout.ends, layout.most
    seen: torch.Tensor = _kernel()(query, key, value, ends, ends, most, most, window_size=(-1, 0))
    return seen.reshape(len(mixed), -1)


def has_kernel(device: torch.device, width: torch.dtype, head_size: int) -> bool:
    """Tell whether attention in parted windows is fast on a device.

    Source: torch.nn.attention.varlen (torch 2.13): flash attention, in 16 bits, on a GPU that is no
    older than Ampere, with heads of a multiple of 8 numbers, 256 at the most; in torch 2.10 it took
    `is_causal` where it takes `window_size` now.
    """
    if device.type == "cpu":
        return True
    able = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    fits = width == torch.bfloat16 and head_size % 8 == 0 and head_size <= _LARGEST_HEAD
    return able and fits and _kernel() is not None


@cache
def _kernel() -> Any:
    try:
        from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415  # not in every torch
    except ImportError:
        return None
    return varlen_attn if "window_size" in inspect.signature(varlen_attn).parameters else None


def _one_by_one(mixed: torch.Tensor, lengths: Sequence[int], heads: int) -> torch.Tensor:
    """Take the windows one after the other, as is fastest on a processor.

    torch's own kernel is slow backwards there: with 12 heads of 64 in 16 bits on one core it takes
    6 ms forward and 98 back for 1,600 tokens in windows of 100; this takes 15 and 21.
    """
    apply: Any = _Attention.apply
    later = torch.full((max(lengths),) * 2, float("-inf"), dtype=mixed.dtype).triu_(1)
    return torch.cat([apply(piece, heads, later) for piece in mixed.split_with_sizes(lengths)])


class _Attention(torch.autograd.Function):
    """One window: (T, 3 * D) to (T, D)."""

    @staticmethod
    def forward(ctx: Any, mixed: torch.Tensor, heads: int, later: torch.Tensor) -> torch.Tensor:
        tokens, size = len(mixed), mixed.shape[1] // 3 // heads
        split = mixed.view(tokens, 3, heads, size).permute(1, 2, 0, 3).contiguous()
        query, key, value = split
        ctx.scale = size**-0.5
        scores = torch.baddbmm(
            later[None, :tokens, :tokens], query, key.transpose(1, 2), alpha=ctx.scale
        )
        shares = torch.softmax(scores, -1)
        seen = torch.bmm(shares, value)
        ctx.save_for_backward(split, shares, seen)
        return seen.transpose(0, 1).reshape(tokens, heads * size)

    @staticmethod
    def backward(ctx: Any, outer: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        split, shares, seen = ctx.saved_tensors
        query, key, value = split
        heads, tokens, size = seen.shape
        outer = outer.view(tokens, heads, size).transpose(0, 1).contiguous()
        slopes = torch.empty_like(split)
        torch.bmm(shares.transpose(1, 2), outer, out=slopes[2])
        of_scores = torch.bmm(outer, value.transpose(1, 2))
        of_scores.sub_((outer * seen).sum(-1, keepdim=True)).mul_(shares).mul_(ctx.scale)
        torch.bmm(of_scores, key, out=slopes[0])
        torch.bmm(of_scores.transpose(1, 2), query, out=slopes[1])
        return slopes.permute(2, 0, 1, 3).reshape(tokens, -1), None, None
