"""AdamW over a model's weights, with all the memory that it will ever need."""

import torch
from torch import nn

from training.config import TrainConfig


def adamw(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Return an optimiser whose moments exist before its first step.

    By default they come into being within that step, one group of weights after the other: where
    memory gave out between two, one would have changed and the other not. As it is, memory gives
    out while the gradients are sought, and that can be done again with fewer rows at once.

    Args:
        model: On its device already.
        config: The run's settings; matrices decay, biases and norms do not.
    """
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {
            "params": [weight for weight in weights if weight.ndim >= 2],
            "weight_decay": config.weight_decay,
        },
        {"params": [weight for weight in weights if weight.ndim < 2], "weight_decay": 0.0},
    ]
    fused = all(weight.device.type in ("cuda", "cpu") for weight in weights)
    optimizer = torch.optim.AdamW(groups, lr=0.0, eps=config.adam_epsilon, fused=fused)
    for weight in weights:
        # What AdamW itself would put there, bit for bit: a test holds it to that.
        optimizer.state[weight] = {
            "step": torch.zeros((), device=weight.device if fused else None),
            "exp_avg": torch.zeros_like(weight, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(weight, memory_format=torch.preserve_format),
        }
    return optimizer
