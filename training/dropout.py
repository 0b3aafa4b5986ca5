"""Dropout whose dice cost little: sixteen bits for each number instead of a draw."""

import torch


def dropout(inputs: torch.Tensor, share: float) -> torch.Tensor:
    """Set a share of numbers to 0 by torch's dice, and scale the others so that the mean stays.

    A processor draws four times as many numbers from 64 random bits as torch's own does from one
    draw; on a GPU torch's own is as good as free.

    Args:
        inputs: Of any shape.
        share: Of what becomes 0, kept to 1/65536.
    """
    if inputs.device.type != "cpu":
        return torch.nn.functional.dropout(inputs, share)
    draws = torch.empty((inputs.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    bits = draws.view(torch.int16)[: inputs.numel()].view(inputs.shape)
    kept = torch.empty_like(inputs)
    torch.ge(bits, round(share * 65536) - 32768, out=kept)
    return inputs * kept.mul_(1 / (1 - share))
