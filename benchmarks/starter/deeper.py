"""More layers for a model that has learned already, which compute nothing new at first.

Each new layer is a copy of the one before it whose two output projections are zero, so that the
model predicts exactly what it predicted: "LLaMA Pro: Progressive LLaMA with Block Expansion" (Wu et
al., 2024).
"""

import copy
from typing import Any

import torch
from transformers import GPT2LMHeadModel

from likeness.errors import BadSetting


def deepen(model: GPT2LMHeadModel, layers: int) -> None:
    """Give a model so many layers in place, the new ones spread evenly between its own.

    Args:
        model: A GPT-2.
        layers: How many it shall have; as many as it has change nothing.

    Raises:
        BadSetting: It has more than that already.
    """
    own = list(model.transformer.h)
    if layers < len(own):
        raise BadSetting(
            f"The weights to begin with have {len(own)} layers, and layers={layers} are asked for: "
            f"ask for {len(own)} or more."
        )
    copies = [
        layers * (place + 1) // len(own) - layers * place // len(own) for place in range(len(own))
    ]
    stack = [
        layer if first else _idle(layer)
        for layer, many in zip(own, copies, strict=True)
        for first in [True] + [False] * (many - 1)
    ]
    for place, layer in enumerate(stack):
        layer.attn.layer_idx = place
    model.transformer.h = torch.nn.ModuleList(stack)
    model.config.n_layer = layers


def _idle(layer: Any) -> Any:
    """Return a copy that adds nothing to what passes through it, until it learns."""
    idle = copy.deepcopy(layer)
    for projection in (idle.attn.c_proj, idle.mlp.c_proj):
        torch.nn.init.zeros_(projection.weight)
        torch.nn.init.zeros_(projection.bias)
    return idle
