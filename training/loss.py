"""The loss of each token that counts, for training and evaluation alike."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from training.gpt2 import Gpt2
from training.memory import moved
from training.rows import Batch
from training.scored import Scored


class AnyModel(nn.Module):
    """Scores batches by any causal language model of transformers.

    Args:
        model: Its weights are used in place.
        width: What products are computed in.
    """

    model: PreTrainedModel

    def __init__(self, model: PreTrainedModel, width: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self.width = width

    def forward(self, batch: Batch) -> Scored:
        """Score a batch."""
        device = self.model.device
        narrow = self.width != torch.float32
        with torch.autocast(device.type, self.width, enabled=narrow):
            losses = token_losses(self.model, batch, device)
        weights = moved(batch.weights[batch.weights > 0], device)
        return Scored(losses @ weights, losses.detach())


Scorer = AnyModel | Gpt2


def scorer_for(model: PreTrainedModel, width: torch.dtype, *, compiled: bool = False) -> Scorer:
    """Return the fastest way to score with a model where it is.

    Args:
        model: On its device already.
        width: What products are computed in.
        compiled: Whether a GPT-2 is worth compiling.
    """
    if Gpt2.knows(model, width):
        return Gpt2(model, width, compiled=compiled)
    return AnyModel(model, width)


def token_losses(model: PreTrainedModel, batch: Batch, device: torch.device) -> torch.Tensor:
    """Return the cross-entropy of every token whose weight is not 0, in reading order.

    Only the logits of those are ever made 32 bits wide.

    Where rows hold several windows, each word sees its own window alone: positions that begin anew
    say where, and transformers makes the mask of it, if nothing is to be kept in a cache and no
    other mask is given. Else a mask is given only where there is padding, for without one attention
    is faster.

    Source: transformers' `create_causal_mask` and `find_packed_sequence_indices`; `sees_apart`
    finds out whether a model heeds it.

    Returns:
        N losses in nats, for the N tokens of the batch with a weight.
    """
    ids = moved(batch.ids, device)
    places = moved(np.flatnonzero(batch.weights[:, 1:] > 0), device)
    told: dict[str, torch.Tensor] = {}
    if batch.packed:
        told["position_ids"] = moved(batch.positions, device)
    elif not batch.real.all():
        told["attention_mask"] = moved(batch.real.astype(np.int64), device)
    logits = model(input_ids=ids, use_cache=False, **told).logits
    chosen = logits[:, :-1].flatten(0, 1).index_select(0, places)
    targets = ids[:, 1:].flatten().index_select(0, places)
    return functional.cross_entropy(chosen.float(), targets, reduction="none")


@contextmanager
def asked(model: nn.Module) -> Iterator[None]:
    """Let a model be asked, not taught: without dropout and gradients; then it is as before."""
    training = model.training
    model.train(mode=False)
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


def looks_ahead(model: PreTrainedModel) -> bool:
    """Tell whether a model sees the words that it is to predict, by trying it: as BERT does."""
    ids = torch.arange(16).view(2, 8)
    ids[1, :-1] = ids[0, :-1]
    with asked(model):
        one, other = model(input_ids=ids, use_cache=False).logits[:, :-1]
    return not _the_same(one, other)


def sees_apart(model: PreTrainedModel) -> bool:
    """Tell whether a model keeps windows of a row apart by their positions, by trying it.

    One that has no positions, or a memory beside attention, does not.
    """
    first, second = torch.arange(8), torch.arange(20, 27)
    positions = torch.cat([torch.arange(len(window)) for window in (first, second)])
    try:
        with asked(model):
            alone = model(input_ids=second[None], use_cache=False).logits
            together = model(
                input_ids=torch.cat([first, second])[None].expand(2, -1),
                position_ids=positions[None].expand(2, -1),
                use_cache=False,
            ).logits[:, len(first) :]
    except (TypeError, ValueError, RuntimeError):
        return False
    return _the_same(together, alone)


def _the_same(logits: torch.Tensor, others: torch.Tensor) -> bool:
    """Tell whether logits differ by rounding alone: some millionths; another word is far more."""
    return bool((logits - others).abs().max() <= 2e-5 * others.abs().max())
