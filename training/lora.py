"""How a base learns: all its weights, or by LoRA, where only small matrices beside them do.

Source: "LoRA: Low-Rank Adaptation of Large Language Models" (Hu et al., 2021); on all linear
layers, with ten times the learning rate: "LoRA Without Regret" (Schulman et al., 2025).
"""

import dataclasses
import warnings
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from likeness.dialogue import END_OF_TURN, START, TAGS
from likeness.errors import BadSetting
from training.base import Base
from training.config import TrainConfig
from training.sharding import MOST_WHOLE


def prepared(base: Base, config: TrainConfig) -> Base:
    """Return a base ready to learn as the settings say.

    Raises:
        BadSetting: LoRA does not fit the base, or it cannot compute layers again.
    """
    with warnings.catch_warnings():
        # transformers is changing the name of what peft, and other versions of it, know.
        warnings.simplefilter("ignore", FutureWarning)
        if config.recompute:
            _recompute(base)
        return adapted(base, config) if wants_lora(base, config) else base


def _recompute(base: Base) -> None:
    try:
        base.model.gradient_checkpointing_enable(  # type: ignore[no-untyped-call]
            {"use_reentrant": False}
        )
    except ValueError as error:
        raise BadSetting(
            f"recompute=1 does not fit the architecture of {base.name}: leave it out, or take "
            "another base."
        ) from error


def wants_lora(base: Base, config: TrainConfig) -> bool:
    """Tell whether a base is trained by LoRA: as set, or if it is larger than gpt2-medium."""
    large = base.model.num_parameters() > MOST_WHOLE
    return config.method == "lora" or (config.method == "auto" and large)


def adapted(base: Base, config: TrainConfig) -> Base:
    """Return a base of whose weights only the small matrices learn, and the rows of the tags.

    Raises:
        BadSetting: It has no linear layer that LoRA knows, or is put together in another way.
    """
    # It takes seconds to import, and only large bases need it.
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415

    tags = [base.tags.tag(tag) for tag in (START, END_OF_TURN, *TAGS)]
    turned = any(isinstance(layer, Conv1D) for layer in base.model.modules())
    told = LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.dropout,
        target_modules="all-linear",
        fan_in_fan_out=turned,
        trainable_token_indices=dict.fromkeys(_vocabularies(base.model), tags),
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(config.seed)
    try:
        model: Any = get_peft_model(base.model, told)
    except ValueError as error:
        raise BadSetting(
            f"LoRA does not fit the architecture of {base.name}: set method=full, or take another "
            "base."
        ) from error
    return dataclasses.replace(base, model=model)


def _vocabularies(model: PreTrainedModel) -> list[str]:
    """Return the names of the layers with a row a token: the embedding, and a head of its own."""
    embedding = model.get_input_embeddings()
    head: Any = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    tied = head is None or head.weight is embedding.weight
    wanted = [embedding] if tied else [embedding, head]
    return [name for name, layer in model.named_modules() if any(layer is one for one in wanted)]
