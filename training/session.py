"""A run as it goes: steps, evaluations, checkpoints, until it is done or stopped."""

import dataclasses
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from likeness.errors import TrainingError
from training.adapter import is_adapted, learnt, put_back
from training.base import Base
from training.checkpoint import prune, save_checkpoint
from training.evaluate import Evaluation, Judge
from training.folder import begun
from training.loop import Taken, Trainer
from training.memory import peak_bytes
from training.watch import METRICS, Metrics, Step, Watch

_SECONDS_BETWEEN_REPORTS = 1.0


@dataclass(slots=True)
class Progress:
    """What a checkpoint keeps of a run's past, beside weights and optimiser.

    Attributes:
        evaluated: The step of the last evaluation, -1 for none.
        before: The first evaluation, of the untrained model.
        best: The best evaluation after training began.
        best_step: Its step.
        worse: How many evaluations there have been since the best.
    """

    evaluated: int = -1
    before: Evaluation | None = None
    best: Evaluation | None = None
    best_step: int | None = None
    worse: int = 0

    def note(self, step: int, evaluation: Evaluation) -> bool:
        """Take an evaluation in; tell whether it is the best of a trained model."""
        self.evaluated = step
        if step == 0:
            self.before = evaluation
            return False
        if self.best is not None and evaluation.perplexity >= self.best.perplexity:
            self.worse += 1
            return False
        self.best, self.best_step, self.worse = evaluation, step, 0
        return True

    @classmethod
    def restored(cls, values: dict[str, Any]) -> "Progress":
        """Read what `dataclasses.asdict` wrote."""
        made = {
            key: Evaluation(**values[key]) if values[key] else None for key in ("before", "best")
        }
        return cls(**(values | made))


@dataclass(slots=True)
class Session:
    """One run between its first step, or the one it goes on from, and its last.

    Attributes:
        run: The run's folder.
        base: What is being trained.
        trainer: Takes the steps.
        judge: Evaluates; None where nothing is held out.
        watch: Is told.
        identity: What a checkpoint must agree with to go on from it.
        progress: What has been.
    """

    run: Path
    base: Base
    trainer: Trainer
    judge: Judge | None
    watch: Watch
    identity: dict[str, Any]
    progress: Progress = field(default_factory=Progress)
    _saved: int = -1
    _stop: bool = False
    _unreported: list[Taken] = field(default_factory=list)
    _reported_at: float = field(default_factory=time.monotonic)
    _began: tuple[int, float] = field(init=False)

    def __post_init__(self) -> None:
        self._began = (self.trainer.step, time.monotonic())

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a checkpoint, whose weights the model has already, but for LoRA's."""
        if state["adapter"] is not None:
            put_back(self.base.model, state["adapter"])
        self.trainer.restore(state["trainer"])
        self.progress = Progress.restored(state["progress"])
        self._saved = self.trainer.step
        self._began = (self.trainer.step, time.monotonic())
        self._metrics.forget_after(self.trainer.step)

    def go(self) -> None:
        """Train to the end, or until evaluations have ceased to get better.

        Raises:
            KeyboardInterrupt: Ctrl-C or SIGTERM, between two steps; a second one at once.
            TrainingError: The loss is no number any more, or the disk takes no checkpoint.
        """
        with self._signals():
            while True:
                self._evaluate_if_due()
                if self.trainer.step % self.trainer.plan.config.save_every == 0:
                    self._save_if_new()
                if self._done():
                    break
                self._stop_if_asked()
                self._unreported.append(self.trainer.take_step())
                self._report_if_due(_SECONDS_BETWEEN_REPORTS)
            self._report_if_due(least_seconds=0)
            if self.judge is None:
                self._save_if_new()
            self._stop_if_asked()

    def save(self) -> None:
        """Save a checkpoint now."""
        step = self.trainer.step
        state = {
            "trainer": self.trainer.state(),
            "progress": dataclasses.asdict(self.progress),
            "identity": self.identity,
            "adapter": learnt(self.base.model) if is_adapted(self.base.model) else None,
        }
        weights = self.trainer.whole_weights()
        self._saved = step
        if self.trainer.team.leads:
            saved = save_checkpoint(self.run, step, self.base, state, weights)
            begun(self.run)
            prune(self.run, self.progress.best_step)
            self.watch.saved(saved.folder)
        self.trainer.team.wait()

    @property
    def final_step(self) -> int:
        """The step whose weights are the run's result."""
        return self.progress.best_step or self.trainer.step

    @property
    def _metrics(self) -> Metrics:
        return Metrics(self.run / METRICS if self.trainer.team.leads else None)

    def _save_if_new(self) -> None:
        if self.trainer.step not in (0, self._saved):
            self.save()

    def _done(self) -> bool:
        patience = self.trainer.plan.config.patience
        spent = patience is not None and self.progress.worse >= patience
        return spent or self.trainer.step >= self.trainer.plan.steps

    def _stop_if_asked(self) -> None:
        if self.trainer.team.any(flag=self._stop):
            raise KeyboardInterrupt

    def _evaluate_if_due(self) -> None:
        step, plan = self.trainer.step, self.trainer.plan
        due = step % plan.eval_every == 0 or step >= plan.steps
        if self.judge is None or not due or self.progress.evaluated == step:
            return
        evaluation = self.judge.evaluate(self.trainer.scorer)
        is_best = self.progress.note(step, _finite(evaluation, step))
        self._metrics.evaluated(step, evaluation)
        if is_best:
            self.save()
        self.watch.evaluated(step, evaluation)

    def _report_if_due(self, least_seconds: float) -> None:
        now, step, plan = time.monotonic(), self.trainer.step, self.trainer.plan
        seconds = now - self._reported_at
        if not self._unreported or seconds < least_seconds:
            return
        # Reading the losses waits for the device: once a report, not once a step.
        loss = float(torch.stack([one.loss for one in self._unreported]).mean())
        # All have the same loss; only the first one speaks, so it must not find the others gone.
        if not math.isfinite(loss) and self.trainer.team.leads:
            raise _diverged(step)
        begun, at = self._began
        seconds = max(seconds, 1e-9)
        report = Step(
            step=step,
            of=plan.steps,
            epoch=step / plan.steps_per_epoch,
            loss=loss,
            learning_rate=self.trainer.rate(step - 1),
            tokens_per_second=sum(one.tokens for one in self._unreported) / seconds,
            targets_per_second=sum(one.targets for one in self._unreported) / seconds,
            share_of_peak=sum(one.flops for one in self._unreported) / seconds / self.trainer.peak,
            peak_bytes=peak_bytes(self.trainer.device),
            seconds_left=(now - at) / (step - begun) * (plan.steps - step),
        )
        self._unreported, self._reported_at = [], now
        self._metrics.stepped(report)
        self.watch.stepped(report)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Let Ctrl-C and SIGTERM wait for the step's end; a second one does not."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def ask(_number: int, _frame: FrameType | None) -> None:
            self._stop = True
            signal.signal(signal.SIGINT, signal.default_int_handler)
            # After Ctrl-C torchrun sends a SIGTERM of its own, and waits for half a minute.
            alone = self.trainer.team.size == 1
            signal.signal(signal.SIGTERM, signal.default_int_handler if alone else signal.SIG_IGN)

        for number in before:
            signal.signal(number, ask)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _finite(evaluation: Evaluation, step: int) -> Evaluation:
    if not math.isfinite(evaluation.loss):
        raise _diverged(step)
    return evaluation


def _diverged(step: int) -> TrainingError:
    return TrainingError(
        f"At step {step} the loss is no number any more: train with a lower learning_rate."
    )
