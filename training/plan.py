"""Which rows each step of a run takes, and its learning rate."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.config import TrainConfig
from training.packing import Row, epoch_batches, pack
from training.rows import Windows

_EPOCHS = {300_000: 8.0, 3_000_000: 4.0}
"""For so many tokens at the most, how often they are seen."""
_FEWEST_EPOCHS = 2.0


@dataclass(frozen=True)
class Plan:
    """Which rows each step takes and its learning rate; both follow from the settings alone.

    Attributes:
        windows: What teaches.
        config: The run's settings.
        row_tokens: How many tokens a row of several windows takes; None: one window is a row.
    """

    windows: Windows
    config: TrainConfig
    row_tokens: int | None = None

    @cached_property
    def steps_per_epoch(self) -> int:
        """How many steps see all windows once."""
        lengths = self.windows.lengths
        rows = len(pack(lengths, self.row_tokens, np.arange(len(lengths))))
        batches = math.ceil(rows / self.config.batch_rows)
        return math.ceil(batches / self.config.accumulation)

    @property
    def epochs(self) -> float:
        """How often all windows are seen: as set, or the more often the fewer they are.

        Source: four times is as good as fresh text, sixteen hardly better ("Scaling
        Data-Constrained Language Models", Muennighoff et al., 2023); early stopping ends what is
        too much.
        """
        if self.config.epochs is not None:
            return self.config.epochs
        tokens = int(self.windows.lengths.sum())
        return next((often for most, often in _EPOCHS.items() if tokens <= most), _FEWEST_EPOCHS)

    @property
    def steps(self) -> int:
        """How many steps the run has."""
        return max(1, round(self.epochs * self.steps_per_epoch))

    @property
    def eval_every(self) -> int:
        """How many steps lie between evaluations: not so few that judging outweighs learning."""
        return self.config.eval_every or max(10, self.steps_per_epoch // 4)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0: up in a line, then down to 0."""
        share = self.config.warmup_share * self.steps
        warmup = round(share) if self.config.warmup_steps is None else self.config.warmup_steps
        if step < warmup:
            return self.config.learning_rate * (step + 1) / warmup
        return self.config.learning_rate * (self.steps - step) / max(1, self.steps - warmup)

    def epoch(self, number: int) -> list[list[list[Row]]]:
        """Return, for each step of an epoch, the rows of its batches."""
        config = self.config
        batches = epoch_batches(
            self.windows.lengths, self.row_tokens, config.batch_rows, config.seed, number
        )
        return [
            batches[start : start + config.accumulation]
            for start in range(0, len(batches), config.accumulation)
        ]
