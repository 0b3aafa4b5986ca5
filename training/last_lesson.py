"""The last lesson: once all is measured, what was held out teaches too, as it is the newest."""

import dataclasses
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from likeness.card import RunCard
from likeness.errors import TrainingError
from likeness.files import fingerprint
from training.base import Base, open_base, quiet
from training.checkpoint import replace_weights
from training.config import LEAST_RATE, TrainConfig
from training.corpus import build_held_out
from training.device import pick_device
from training.evaluate import Judge
from training.held_out import excerpt, keep_excerpt
from training.loop import Trainer
from training.lora import prepared, wants_lora
from training.loss import sees_apart
from training.plan import Plan
from training.readme import leave_card
from training.survey import survey

log = logging.getLogger(__name__)


def teach_held_out(
    messages: Path,
    run: Path,
    config: TrainConfig,
    speaker: str | None,
    on_step: Callable[[int, int], None] = lambda _step, _of: None,
) -> int:
    """Let a finished model learn once from the messages that have judged it, at a low rate.

    The more of the base was mixed in again, the lower it is: what is new moves the model no farther
    than what it learnt before was let. Its figures stay those from before. One that learns by LoRA
    is left as it is, and so is one whose messages have changed since: who knows what is held out of
    them.

    Args:
        messages: The file that it was trained on.
        run: Its folder.
        config: The settings that it was trained with.
        speaker: Whom it plays, if not the file's owner.
        on_step: Is told after each step how many are done, and of how many.

    Returns:
        In how many steps; 0 if nothing is held out, or it is not to teach.

    Raises:
        TrainingError: The disk does not take the weights, or they are no numbers any more; the
            model, and what stands beside it, is as it was.
        LikenessError: The same, of the files beside them.
    """
    if not config.last_lesson:
        return 0
    card = RunCard.read(run)
    if fingerprint(messages) != card.data["sha256"]:
        log.warning("%s has changed since it taught, so there is no last lesson", messages)
        return 0
    with quiet():
        base = open_base(str(run), config, list)
        if wants_lora(base, config):
            return 0
        tags, room = base.tags, base.context_tokens
        found = survey(messages, speaker, masking=bool(config.mask))
        windows = build_held_out(messages, found, config, tags, room)
        if not len(windows):
            return 0
        row_tokens = room if sees_apart(base.model) else None
        base = prepared(base, config)
        share = card.metrics.get("learnt_share", 1.0)
        plan = Plan(windows, _gentle(config, share), row_tokens)
        trainer = Trainer(base.model, plan, pick_device(config.device))
        _learn(trainer, run, on_step)
        judge = Judge(windows, 0, tags, config.eval_batch_rows, row_tokens)
        card.metrics["last_lesson_steps"] = trainer.step
        _leave(run, base, card, excerpt(base.model, judge))
    return trainer.step


def _gentle(config: TrainConfig, learnt_share: float) -> TrainConfig:
    """Return the settings of one pass at a low rate."""
    rate = max(config.learning_rate * config.last_lesson * learnt_share, LEAST_RATE)
    return dataclasses.replace(config, learning_rate=rate, epochs=1.0, warmup_steps=0)


def _learn(trainer: Trainer, run: Path, on_step: Callable[[int, int], None]) -> None:
    loss = 0.0
    while trainer.step < trainer.plan.steps:
        loss = float(trainer.take_step().loss)
        on_step(trainer.step, trainer.plan.steps)
    if not math.isfinite(loss):
        raise TrainingError(
            f"{run}: in the last lesson the loss is no number any more; the model is as it was "
            "before: take a lower learning_rate, or last_lesson=0."
        )


def _leave(run: Path, base: Base, card: RunCard, held_out: dict[str, Any]) -> None:
    """Put the weights and what tells of them into the run's folder, all or nothing."""

    def beside(folder: Path) -> None:
        keep_excerpt(folder, held_out)
        leave_card(folder, card)

    replace_weights(run, base, beside)
