"""How well a model predicts what I said: on messages it never learnt from."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from likeness.dialogue import (
    END_OF_TURN,
    ME,
    NEXT_MESSAGE,
    SILENCES,
    SPEAKERS,
    START,
    Tokenizer,
)
from training.loss import Scorer, asked
from training.memory import fewer_rows
from training.packing import cut, sorted_batches
from training.rows import Batch, Windows
from training.sharding import is_sharded
from training.team import ALONE, Team


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures on the held-out messages.

    Attributes:
        loss: Weighted as in training, in nats a token.
        perplexity: Of my words alone, per token.
        nats_per_character: Of my words alone; models with different tokenizers compare by it.
        tokens: How many tokens my words were.
    """

    loss: float
    perplexity: float
    nats_per_character: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Judge:
    """Evaluates a model, always on the same windows, packed as in training.

    Attributes:
        windows: What is held out.
        characters: How many characters my messages in it have.
        tokenizer: Of the model.
        batch_rows: How many rows go through at once.
        row_tokens: How many tokens a row of several windows takes; None: one window is a row.
        team: The processes that share the work.
    """

    windows: Windows
    characters: int
    tokenizer: Tokenizer
    batch_rows: int
    row_tokens: int | None = None
    team: Team = ALONE

    def evaluate(self, scorer: Scorer) -> Evaluation:
        """Measure; the model's mode and the random state stay as they were.

        Raises:
            TrainingError: Not even one row fits into the memory.
        """
        least = self.batch_rows if is_sharded(scorer.model) else 1
        sums, _ = fewer_rows(lambda rows: self._sums(scorer, rows), self.batch_rows, least)
        weighted, of_words, weight, tokens = self.team.total(sums).tolist()
        per_token = of_words / max(tokens, 1)
        return Evaluation(
            loss=weighted / weight,
            perplexity=math.exp(min(per_token, 700)),
            nats_per_character=of_words / max(self.characters, 1),
            tokens=round(tokens),
        )

    def _sums(self, scorer: Scorer, rows_at_once: int) -> torch.Tensor:
        """Return four sums: of weighted losses, of my words' losses, of weights, of my words."""
        model = scorer.model
        found: list[tuple[NDArray[np.float32], torch.Tensor]] = []
        weight, tokens = 0.0, 0
        with asked(model):
            batches = sorted_batches(self.windows.lengths, self.row_tokens, self.batch_rows)
            share = self.team.share(batches)
            if is_sharded(model) and len(share) * self.team.size < len(batches):
                # The others' layers wait for it.
                scorer(self.windows.idle())
            for rows in cut(share, rows_at_once):
                batch = self.windows.batch(rows)
                mine = my_words(batch, self.tokenizer)
                counts = batch.weights > 0
                # To read the losses is to wait for the device, so they stay there until the end.
                found.append(
                    (np.stack([batch.weights[counts], mine[counts]]), scorer(batch).losses)
                )
                weight += batch.weight
                tokens += int(mine.sum())
        sums = torch.zeros(2, dtype=torch.float64)
        for factors, losses in found:
            # Not every device has numbers of 64 bits.
            sums += torch.from_numpy(factors).double() @ losses.cpu().double()
        return torch.cat([sums, torch.tensor([weight, tokens], dtype=torch.float64)])


def my_words(batch: Batch, tokenizer: Tokenizer) -> NDArray[np.float32]:
    """Mark the tokens (B, T) that are my words and teach: 1; all others, tags included, 0."""
    speakers = [tokenizer.tag(name) for name in SPEAKERS]
    others = [tokenizer.tag(name) for name in (START, END_OF_TURN, NEXT_MESSAGE, *SILENCES)]
    is_speaker = np.isin(batch.ids, speakers) & batch.real
    columns = np.broadcast_to(np.arange(batch.ids.shape[1]), batch.ids.shape)
    last_tag = np.maximum.accumulate(np.where(is_speaker, columns, 0), axis=1)
    current = np.take_along_axis(batch.ids, last_tag, axis=1)
    words = ~np.isin(batch.ids, [*speakers, *others])
    mine = (current == tokenizer.tag(ME)) & words & (batch.weights > 0)
    return np.asarray(mine, np.float32)
