"""What a model predicts beside words: who speaks next, whether they are done, how late I answer.

Measured on held-out messages, where the truth is known, and set right by `Calibration`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import PreTrainedModel

from likeness.calibration import Calibration, log_odds
from likeness.dialogue import (
    END_OF_TURN,
    ME,
    NEXT_MESSAGE,
    SILENCES,
    SPEAKERS,
    START,
    Tokenizer,
    silence_tag,
)
from training.packing import sorted_batches
from training.portions import Portion
from training.rows import Batch, Windows
from training.survey import is_target

_FEWEST = 50
_BINS = 10
_ROUNDS = 50
_AT_ONCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Predicted:
    """How likely something was, time after time, and whether it happened.

    Attributes:
        likely: N probabilities.
        happened: N outcomes.
    """

    likely: NDArray[np.float64]
    happened: NDArray[np.bool_]

    def fit(self) -> Calibration:
        """Return what sets the probabilities right; nothing, where the outcomes are too few.

        It maximises the likelihood of what happened, held near the identity by a weak prior.
        """
        if min(self.happened.sum(), (~self.happened).sum()) < _FEWEST:
            return Calibration()
        odds = torch.tensor([log_odds(probability) for probability in self.likely]).double()
        happened = torch.from_numpy(self.happened).double()
        identity = torch.tensor([1.0, 0.0], dtype=torch.float64)
        line = identity.clone().requires_grad_()
        search = torch.optim.LBFGS([line], max_iter=_ROUNDS, line_search_fn="strong_wolfe")

        def loss() -> torch.Tensor:
            search.zero_grad()
            surprise = functional.binary_cross_entropy_with_logits(
                line[0] * odds + line[1], happened, reduction="sum"
            )
            total: torch.Tensor = surprise + (line - identity).square().sum() / 2
            total.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
            return total

        search.step(loss)  # type: ignore[no-untyped-call]
        slope, intercept = line.tolist()
        return Calibration(slope, intercept)

    def reliability(self, calibration: Calibration) -> list[dict[str, float]]:
        """Return, tenth by tenth of the calibrated probability, how often it came true."""
        said = np.array([calibration(p) for p in self.likely])
        tenth = np.minimum((said * _BINS).astype(int), _BINS - 1)
        return [
            {
                "said": float(said[tenth == number].mean()),
                "happened": float(self.happened[tenth == number].mean()),
                "times": int((tenth == number).sum()),
            }
            for number in range(_BINS)
            if (tenth == number).any()
        ]


def predict(
    model: PreTrainedModel, held_out: Windows, tokenizer: Tokenizer
) -> dict[str, Predicted]:
    """Ask a model, wherever the held-out messages tell the truth.

    Args:
        model: In evaluation mode.
        held_out: Its taught places alone are asked about.
        tokenizer: Of the model.

    Returns:
        `finished`: whether they, having sent a message, were done; `my_turn`: whether it was I who
        spoke next, the silence before it being known.
    """
    likely: dict[str, list[NDArray[np.float64]]] = {"finished": [], "my_turn": []}
    happened: dict[str, list[NDArray[np.bool_]]] = {"finished": [], "my_turn": []}
    end, mine = tokenizer.tag(END_OF_TURN), tokenizer.tag(ME)
    asked = {
        "finished": (end, [end, tokenizer.tag(NEXT_MESSAGE)]),
        "my_turn": (mine, [tokenizer.tag(tag) for tag in SPEAKERS]),
    }
    with torch.no_grad():
        for rows in sorted_batches(held_out.lengths, None, batch_rows=1):
            batch = held_out.batch(rows)
            mask = torch.from_numpy(batch.real.astype(np.int64)).to(model.device)
            ids = torch.from_numpy(batch.ids).to(model.device)
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
            for name, places in _places(batch, tokenizer).items():
                which, among = asked[name]
                row, column = (torch.from_numpy(index).to(model.device) for index in places)
                chosen = logits[row, column - 1][:, among].cpu().double()
                share = torch.softmax(chosen, dim=-1)[:, among.index(which)]
                likely[name].append(share.numpy())
                happened[name].append(batch.ids[places] == which)
    return {
        name: Predicted(np.concatenate(likely[name]), np.concatenate(happened[name]))
        for name in asked
    }


def _places(batch: Batch, tokenizer: Tokenizer) -> dict[str, tuple[NDArray[np.int64], ...]]:
    """Return the rows and columns of the tokens that answer each question."""
    speakers = [tokenizer.tag(tag) for tag in SPEAKERS]
    is_speaker = np.isin(batch.ids, speakers) & batch.real
    columns = np.broadcast_to(np.arange(batch.ids.shape[1]), batch.ids.shape)
    last_tag = np.maximum.accumulate(np.where(is_speaker, columns, 0), axis=1)
    theirs = np.take_along_axis(batch.ids, last_tag, axis=1) != tokenizer.tag(ME)
    ends = np.isin(batch.ids, [tokenizer.tag(tag) for tag in (END_OF_TURN, NEXT_MESSAGE)])
    before = np.roll(batch.ids, 1, axis=1)
    counts = (batch.weights > 0) & (columns > 0)
    return {
        "finished": np.nonzero(ends & theirs & counts),
        "my_turn": np.nonzero(is_speaker & counts & (before != tokenizer.tag(START))),
    }


def reply_silences(portions: Iterable[Portion]) -> dict[str, float]:
    """Return how many seconds usually pass before I answer, for each silence tag and for none.

    The geometric mean of what lies within each, in constant memory; a silence that never came has
    the least that its tag stands for.
    """
    logs: dict[str, float] = {}
    counts: dict[str, int] = {}
    for portion in portions:
        for last, message in pairwise(portion.messages[max(0, portion.new_from - 1) :]):
            if last.outgoing or not is_target(message):
                continue
            seconds = (message.sent_at - last.sent_at).total_seconds()
            tag = silence_tag(seconds) or ""
            logs[tag] = logs.get(tag, 0.0) + math.log(max(seconds, 1.0))
            counts[tag] = counts.get(tag, 0) + 1
    least = {"": _AT_ONCE_SECONDS, **SILENCES}
    return {
        tag: round(math.exp(logs[tag] / counts[tag]), 1) if tag in counts else float(seconds)
        for tag, seconds in least.items()
    }
