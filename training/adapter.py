"""What LoRA has put beside a model's weights: known, kept, put back, and merged."""

import copy
from itertools import chain

import torch
from torch import nn
from transformers import PreTrainedModel

PACE = 10.0
"""By how much faster than all weights together LoRA's small matrices learn."""


def is_adapted(model: PreTrainedModel) -> bool:
    """Tell whether a model learns by LoRA."""
    return hasattr(model, "peft_config")


def plain(model: PreTrainedModel) -> PreTrainedModel:
    """Return a model as transformers knows it: with what LoRA learnt added, if need be.

    That is a copy on the processor: a GPU may have no room for the weights a second time.
    """
    if not is_adapted(model):
        return model
    # What is in here `deepcopy` takes for copied already, once for all that share it.
    copied = {id(one): _on_cpu(one) for one in chain(model.parameters(), model.buffers())}
    merged: PreTrainedModel = copy.deepcopy(model, copied).merge_and_unload()  # type: ignore[operator]
    return merged


def _on_cpu(tensor: torch.Tensor) -> torch.Tensor:
    made = tensor.detach().to("cpu", copy=True)
    learns = tensor.requires_grad
    return nn.Parameter(made, learns) if isinstance(tensor, nn.Parameter) else made


def learnt(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Return what LoRA has learnt, beside the base."""
    return {
        name: weight.detach() for name, weight in model.named_parameters() if weight.requires_grad
    }


def put_back(model: PreTrainedModel, weights: dict[str, torch.Tensor]) -> None:
    """Go back to what `learnt` returned."""
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, weight in weights.items():
            own[name].copy_(weight)
