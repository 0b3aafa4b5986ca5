"""A linear layer whose weights have 32 bits and whose products have fewer."""

from typing import Any

import torch


def linear(inputs: torch.Tensor, layer: Any) -> torch.Tensor:
    """Return what a layer makes of some inputs, computed as wide as they are.

    Args:
        inputs: Of N tokens (N, I).
        layer: Has a weight as transformers keeps GPT-2's (I, O), and a bias (O), in 32 bits; so
            wide are their gradients.
    """
    if inputs.device.type != "cpu":
        weight, bias = layer.weight.to(inputs.dtype), layer.bias.to(inputs.dtype)
        return torch.addmm(bias, inputs, weight)
    apply: Any = _Linear.apply
    made: torch.Tensor = apply(inputs, layer.weight, layer.bias)
    return made


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        narrow = weight.to(inputs.dtype)
        ctx.save_for_backward(inputs, narrow)
        ctx.wide = weight.dtype
        return torch.addmm(bias.to(inputs.dtype), inputs, narrow)

    @staticmethod
    def backward(
        ctx: Any, outer: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        inputs, narrow = ctx.saved_tensors
        of_weight = of_bias = None
        if ctx.needs_input_grad[1]:
            # Turned first: oneDNN multiplies a matrix that lies across at half the speed.
            of_weight = (inputs.t().contiguous() @ outer).to(ctx.wide)
        if ctx.needs_input_grad[2]:
            # A product sums a column three times as fast as `sum`, and as exactly.
            of_bias = (outer.new_ones(1, len(outer)) @ outer)[0].to(ctx.wide)
        return outer @ narrow.t(), of_weight, of_bias
