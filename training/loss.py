"""The loss of each token that counts, for training and evaluation alike."""

from contextlib import AbstractContextManager

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import PreTrainedModel

from training.rows import Batch


def token_losses(model: PreTrainedModel, batch: Batch, device: torch.device) -> torch.Tensor:
    """Return the cross-entropy of every token whose weight is not 0, in reading order.

    Only the logits of those are ever made 32 bits wide. No cache is kept: there is nothing to go
    on to. A mask is given only where there is padding, for without one attention is faster.

    Returns:
        N losses in nats, for the N tokens of the batch with a weight.
    """
    ids = _moved(batch.ids, device)
    places = _moved(np.flatnonzero(batch.weights[:, 1:] > 0), device)
    mask = None if batch.real.all() else _moved(batch.real.astype(np.int64), device)
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    chosen = logits[:, :-1].flatten(0, 1).index_select(0, places)
    targets = ids[:, 1:].flatten().index_select(0, places)
    return functional.cross_entropy(chosen.float(), targets, reduction="none")


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """Compute in bfloat16 on a GPU that has it."""
    able = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=able)


def _moved(numbers: NDArray[np.int64], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(numbers).to(device, non_blocking=True)
