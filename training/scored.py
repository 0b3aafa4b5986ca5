"""What a forward pass leaves: a loss to learn from, and each token's to judge by."""

from typing import NamedTuple

import torch


class Scored(NamedTuple):
    """A batch's losses.

    Attributes:
        loss: The sum of all losses, each times its token's weight; gradients flow from it.
        losses: The cross-entropy in nats of each of the N tokens with a weight, in reading order;
            no gradient.
    """

    loss: torch.Tensor
    losses: torch.Tensor
