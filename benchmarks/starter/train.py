"""Training the starter by the clock: for so many minutes, the learning rate falling as they go."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from benchmarks.starter import mix
from benchmarks.starter.deeper import deepen
from benchmarks.starter.mix import HeldOut
from likeness.card import RunCard
from likeness.errors import CannotResume
from training.base import Base, fresh_base, open_base, quiet
from training.checkpoint import checkpoints
from training.config import TrainConfig
from training.evaluate import Evaluation
from training.loop import Plan, Taken, Trainer
from training.packing import cut
from training.peak import step_flops
from training.rows import Batch, Windows
from training.session import Session
from training.survey import Balance
from training.watch import Step

NAME = "starter"
PAST = ("steps", "tokens_seen", "minutes")
"""Metrics of a card that a run which begins with its weights adds to."""
_TOKENS = "tokenizer.json"
_JUDGING_WINDOWS = 25
"""Of each corpus while training goes on: enough to see it move."""
_SECONDS_BETWEEN_LINES = 30.0


@dataclass(frozen=True)
class TimedPlan(Plan):
    """A plan that ends by the clock, for machines that do other things besides.

    Attributes:
        began: When the run was begun, in seconds since 1970; the same after a stop.
        until: When it is to end.
        steady: The share of the time before the learning rate falls.
    """

    began: float = 0.0
    until: float = 0.0
    steady: float = 0.0

    @property
    def steps(self) -> int:
        """How many steps there are: no more once the time is up."""
        return 0 if time.time() >= self.until else super().steps

    def rate(self, step: int) -> float:
        """Return the learning rate now: up in some steps, then down in a line to the end."""
        left = max(0.0, (self.until - time.time()) / (self.until - self.began))
        fallen = min(1.0, left / (1.0 - self.steady)) if self.steady < 1 else 1.0
        warmup = self.config.warmup_steps or 1
        return self.config.learning_rate * min(1.0, (step + 1) / warmup) * fallen


class SideBySide(Trainer):
    """Computes the batches of a step beside each other, each on a processor of its own.

    Products this small gain little from two processors, and lose much where one of them is busy
    with something else: so they meet once a step, not once a product.
    """

    def _gradients(self, rows_at_once: int) -> Taken:
        rows = cut(self._rows(rows_at_once), rows_at_once)
        batches = [self.plan.windows.batch(together) for together in rows]
        weight = sum(batch.weight for batch in batches) or 1.0
        weights = list(self.model.parameters())

        def learn(batch: Batch) -> tuple[torch.Tensor, ...]:
            torch.set_num_threads(1)
            loss = self.scorer(batch).loss / weight
            return (loss.detach(), *torch.autograd.grad(loss, weights))

        with ThreadPoolExecutor(len(batches)) as pool:
            loss, *gradients = (sum(parts) for parts in zip(*pool.map(learn, batches), strict=True))
        for of, gradient in zip(weights, gradients, strict=True):
            of.grad = gradient
        self._clip()
        return Taken(
            loss,
            sum(batch.tokens for batch in batches),
            sum(batch.targets for batch in batches),
            sum(step_flops(self.model, batch) for batch in batches),
            weight,
        )


class Lines:
    """Prints a line now and then."""

    def __init__(self) -> None:
        self._printed_at = 0.0

    def base(self, description: str) -> None:
        """Print what is trained."""
        print(description, flush=True)

    def corpus(self, balance: Balance) -> None:
        """Say nothing: the account of the corpora says it."""

    def evaluated(self, step: int, evaluation: Evaluation) -> None:
        """Print the held-out figure."""
        print(
            f"step {step:,}: {evaluation.nats_per_character:.4f} nats a character held out, "
            f"after {time.process_time():,.0f} seconds of a processor",
            flush=True,
        )

    def stepped(self, step: Step) -> None:
        """Print the loss twice a minute."""
        if time.monotonic() - self._printed_at < _SECONDS_BETWEEN_LINES:
            return
        self._printed_at = time.monotonic()
        print(
            f"step {step.step:,}, epoch {step.epoch:.2f}, loss {step.loss:.3f}, "
            f"{step.tokens_per_second:,.0f} tokens/s",
            flush=True,
        )

    def saved(self, path: Path) -> None:
        """Say nothing: a checkpoint is no news."""


def train(
    data: Path,
    run: Path,
    config: TrainConfig,
    minutes: float,
    *,
    steady: float = 0.0,
    resume: bool = False,
    further: Path | None = None,
) -> Session:
    """Train a starter from nothing, or go on.

    Args:
        data: What `mix.prepare` left.
        run: The folder of checkpoints and metrics.
        config: Shape, rate and rows.
        minutes: For how long, counted from the first beginning, whatever pauses there were.
        steady: The share of that time before the learning rate falls; 1 keeps it to the end, for
            weights that another run is to begin with.
        resume: Go on from the last checkpoint.
        further: A folder that `install` has filled, whose weights to begin with, with more layers
            where the config has more.

    Returns:
        The run at its end; its best weights are in the checkpoint of `final_step`.

    Raises:
        CannotResume: There is no checkpoint to go on from, or the weights are of other tokens.
        BadSetting: The weights to begin with have more layers than the config.
        TrainingError: The disk is full, or the loss is no number any more.
    """
    device = torch.device("cpu")
    with quiet():
        base, state = _opened(data, run, config, resume=resume, further=further)
        began = state["identity"]["began"] if state else time.time()
        before = state["identity"]["before"] if state else _past(further)
        watch = Lines()
        watch.base(base.description)
        until = began + 60 * minutes
        plan = TimedPlan(mix.taught(data), config, base.context_tokens, began, until, steady)
        judging = first_windows(mix.held_out(data).values(), _JUDGING_WINDOWS)
        judge = judging.judge(base, config.eval_batch_rows)
        trainer = SideBySide(base.model, plan, device)
        session = Session(run, base, trainer, judge, watch, {"began": began, "before": before})
        if state:
            session.restore(state)
        try:
            session.go()
        except KeyboardInterrupt:
            if not trainer.busy:
                session.save()
            raise
    return session


def _opened(
    data: Path, run: Path, config: TrainConfig, *, resume: bool, further: Path | None
) -> tuple[Base, dict[str, Any]]:
    if further is not None and not resume:
        if (further / _TOKENS).read_bytes() != (data / _TOKENS).read_bytes():
            raise CannotResume(f"{further} has other tokens than {data}: train from nothing.")
        base = open_base(str(further), config, list)
        deepen(cast(GPT2LMHeadModel, base.model), config.layers)
        return base, {}
    if not resume:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(data)
        return fresh_base(NAME, config, tokenizer), {}
    found = checkpoints(run)
    if not found:
        raise CannotResume(f"{run} holds no checkpoint to go on from.")
    return open_base(str(found[-1].folder), config, list), found[-1].state()


def _past(further: Path | None) -> dict[str, float]:
    """Return what the weights that a run begins with have cost and seen already."""
    metrics = {} if further is None else RunCard.read(further).metrics
    return {name: metrics.get(name, 0) for name in PAST}


def first_windows(parts: Iterable[HeldOut], most: int) -> HeldOut:
    """Return the first windows of each part as one."""
    ids, weights, lengths, characters = [], [], [], []
    for part in parts:
        count = min(most, len(part.windows))
        end = part.windows.starts[count]
        ids.append(part.windows.ids[:end])
        weights.append(part.windows.weights[:end])
        lengths.append(part.windows.lengths[:count])
        characters.append(part.characters[:count])
    starts = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    windows = Windows(np.concatenate(ids), np.concatenate(weights), starts)
    return HeldOut(windows, np.concatenate(characters))
