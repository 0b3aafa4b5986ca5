"""A model that is parted among processes: each keeps a share of every weight, and of its moments.

A layer's weights are gathered when it is their turn and let go after it, so that a model learns
whole that no GPU holds with all its gradients and moments. torch's `fully_shard` does that.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers import PreTrainedModel

from likeness.errors import BadSetting
from training.adapter import is_adapted
from training.config import Switch
from training.team import Team

MOST_WHOLE = 360_000_000
"""Weights of a base that every process holds by itself: gpt2-medium has 355 million."""


def wants_shards(setting: Switch, model: PreTrainedModel, team: Team) -> bool:
    """Tell whether to part a model: as set, or if several processes train a large one whole.

    Raises:
        BadSetting: It is set, and does not go together with LoRA.
    """
    if setting == "yes" and is_adapted(model):
        raise BadSetting("shard=yes does not go together with LoRA: set method=full, or shard=no.")
    large = model.num_parameters() > MOST_WHOLE and not is_adapted(model)
    return team.size > 1 and (setting == "yes" or (setting == "auto" and large))


def is_sharded(model: nn.Module) -> bool:
    """Tell whether a model is parted among processes."""
    return isinstance(model, FSDPModule)


def shard(model: PreTrainedModel, device: torch.device, width: torch.dtype, processes: int) -> None:
    """Part a model among all processes, layer by layer, each share on its process's device.

    Args:
        model: The same in all of them.
        device: This process's.
        width: What products are computed in; shares and sums of gradients have 32 bits.
        processes: How many there are.
    """
    mesh = init_device_mesh(device.type, (processes,))
    narrow = None if width == torch.float32 else width
    told: dict[str, Any] = {
        "mesh": mesh, "mp_policy": MixedPrecisionPolicy(narrow, torch.float32 if narrow else None)
    }  # fmt: skip
    for layer in _layers(model):
        fully_shard(layer, **told)
    fully_shard(model, **told)


def _layers(model: PreTrainedModel) -> Iterator[nn.Module]:
    """Yield what transformers says is never to be torn apart."""
    names = set(model._no_split_modules or ())  # noqa: SLF001  # it has no other name for them
    yield from (module for module in model.modules() if type(module).__name__ in names)


def whole_weights(model: nn.Module, *, keep: bool) -> dict[str, torch.Tensor]:
    """Return all weights of a parted model, shared ones once; every process has to ask.

    Args:
        model: What is parted.
        keep: Whether this process wants them; it gets nothing otherwise.
    """
    found = ((name, _whole(weight, keep=keep)) for name, weight in model.named_parameters())
    return {name: weight for name, weight in found if keep}


def whole_state(state: Mapping[str, Any], *, keep: bool) -> dict[str, Any]:
    """Return an optimiser's state as if its model were not parted; every process has to ask."""
    return {
        "param_groups": state["param_groups"],
        "state": {
            place: {name: _whole(value, keep=keep) for name, value in of_weight.items()}
            for place, of_weight in state["state"].items()
        },
    }


def parted_state(state: Mapping[str, Any], weights: Sequence[torch.Tensor]) -> dict[str, Any]:
    """Return a whole state as the optimiser of a parted model takes it back: each its shares.

    Args:
        state: What `whole_state` returned.
        weights: The parted model's, as the optimiser counts them.
    """
    return {
        "param_groups": state["param_groups"],
        "state": {
            place: {name: _parted(value, weights[place]) for name, value in of_weight.items()}
            for place, of_weight in state["state"].items()
        },
    }


def _whole(value: torch.Tensor, *, keep: bool) -> torch.Tensor:
    if not isinstance(value, DTensor):
        return value.detach()
    whole: torch.Tensor = value.full_tensor().detach()
    return whole.cpu() if keep else whole.new_empty(0)


def _parted(value: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    if not isinstance(weight, DTensor) or value.shape != weight.shape:
        return value
    # Every process has read all of it from the checkpoint.
    value = value.to(weight.device)
    return distribute_tensor(value, weight.device_mesh, weight.placements, src_data_rank=None)
