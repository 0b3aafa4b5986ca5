"""A few held-out windows that stay in the model folder: bots check rounded weights by them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel

from likeness.files import whole_file
from training.evaluate import Judge, my_words
from training.loss import asked, token_losses

FILE_NAME = "held_out.json"
_MOST_TOKENS = 1500
"""Enough to show a tenth of a percent, and read in a third of a second."""


def keep_held_out(run: Path, model: PreTrainedModel, judge: Judge) -> None:
    """Write some held-out windows as ids, with how well the weights in 32 bits predict my words.

    Args:
        run: The model folder.
        model: Its weights, in 32 bits.
        judge: Has the windows.

    Raises:
        LikenessError: The folder cannot be written.
    """
    keep_excerpt(run, excerpt(model, judge))


def excerpt(model: PreTrainedModel, judge: Judge) -> dict[str, Any]:
    """Return some held-out windows as ids, with how well a model predicts my words in them.

    Args:
        model: Its weights, in 32 bits.
        judge: Has the windows.
    """
    lines, nats = [], 0.0
    room = _MOST_TOKENS
    for window, length in enumerate(judge.windows.lengths.tolist()):
        batch = judge.windows.batch([[window]])
        mine = my_words(batch, judge.tokenizer) > 0
        if length > room or not mine.any():
            continue
        with asked(model):
            losses = token_losses(model, batch, model.device).cpu().double().numpy()
        nats += float(losses[mine[batch.weights > 0]].sum())
        lines.append({"ids": batch.ids[0].tolist(), "mine": np.flatnonzero(mine[0]).tolist()})
        room -= length
    return {"v": 1, "nats": nats, "lines": lines}


def keep_excerpt(folder: Path, found: dict[str, Any]) -> None:
    """Write what `excerpt` returned into a model folder.

    Raises:
        LikenessError: The folder cannot be written.
    """
    with whole_file(folder / FILE_NAME) as file:
        json.dump(found, file)
        file.write("\n")
