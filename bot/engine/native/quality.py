"""What rounding the weights costs: my held-out words predicted with them, beside 32 bits."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.engine.models import Model, Reading

FILE_NAME = "held_out.json"
MOST_LOST = 0.005
"""Of the nats a character: what a reader cannot tell."""
_TOGETHER = 64


def lost(model: Model, folder: Path) -> float | None:
    """Return by how much worse a model predicts than its weights in 32 bits did, as a share.

    Returns:
        0.01 for one percent more nats a character, below 0 for fewer; None where the folder holds
        nothing to tell it by.
    """
    try:
        found = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        nats = float(found["nats"])
        lines = [(list(line["ids"]), list(line["mine"])) for line in found["lines"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not lines or not nats > 0:
        return None
    with_model = sum(_nats(model, ids, mine) for ids, mine in lines)
    return with_model / nats - 1 if math.isfinite(with_model) else math.inf


def _nats(model: Model, ids: Sequence[int], mine: Sequence[int]) -> float:
    """Return how many nats some tokens of a text, none of them the first, cost together."""
    losses = np.concatenate([np.zeros(1), *_losses(model, ids)])
    return float(losses[list(mine)].sum())


def _losses(model: Model, ids: Sequence[int]) -> Iterator[NDArray[np.float64]]:
    cache = model.cache()
    for start in range(0, len(ids) - 1, _TOGETHER):
        some = ids[start : min(start + _TOGETHER, len(ids) - 1)]
        logits = model.read([Reading(cache, some, len(some))])[0].astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        targets = list(ids[start + 1 : start + 1 + len(some)])
        yield np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(some)), targets]
    cache.close()
