"""A fine-tuning for a table: no folder, no report, only how well it predicted, and what it cost.

Run `python -m benchmarks.starter.fine_tuning` for the table by which the defaults were chosen: the
starter fine-tuned on the demo's invented chat with several rates, each judged as it goes.
"""

import argparse
import copy
import dataclasses
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import torch

from exporters.options import ExportOptions
from exporters.run import export
from training.base import STARTER, Base, open_base, quiet
from training.config import TrainConfig
from training.corpus import Corpus, build_corpus
from training.evaluate import Judge
from training.loop import Plan, Trainer
from training.portions import train_texts
from training.survey import survey

DEMO = Path(__file__).parent.parent.parent / "demo" / "chats"
_EVALUATIONS = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fine-tuning came to.

    Attributes:
        nats_per_character: The best of its evaluations.
        best_step: When that was.
        steps: How many it took.
        seconds: Of a processor, for its steps alone.
    """

    nats_per_character: float
    best_step: int
    steps: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Task:
    """A base and what it is to learn, read once however often it is trained.

    Attributes:
        base: It stays as it is.
        corpus: What teaches and what judges.
        config: The base's own defaults, and what was set besides.
    """

    base: Base
    corpus: Corpus
    config: TrainConfig

    def fine_tune(self, steps: int | None = None) -> Outcome:
        """Fine-tune a copy of the base.

        Args:
            steps: How many to take instead of the epochs; the learning rate falls to nothing with
                them.
        """
        plan = self._plan(self.config)
        if steps is not None:
            epochs = steps / plan.steps_per_epoch
            plan = self._plan(dataclasses.replace(self.config, epochs=epochs))
        trainer = Trainer(copy.deepcopy(self.base.model), plan, torch.device("cpu"))
        best, seconds = (float("inf"), 0), 0.0
        for step in range(1, plan.steps + 1):
            began = time.process_time()
            trainer.take_step()
            seconds += time.process_time() - began
            if step % max(1, plan.steps // _EVALUATIONS) == 0:
                best = min(best, (self._judge.evaluate(trainer.scorer).nats_per_character, step))
        return Outcome(*best, plan.steps, seconds)

    def _plan(self, config: TrainConfig) -> Plan:
        return Plan(self.corpus.train, config, self.base.context_tokens)

    @property
    def _judge(self) -> Judge:
        return Judge(
            self.corpus.held_out,
            self.corpus.held_out_characters,
            self.base.tags,
            self.config.eval_batch_rows,
            self.base.context_tokens,
        )


def task(messages: Path, base: str, settings: Sequence[str] = ()) -> Task:
    """Read what a base is to learn.

    Args:
        messages: A `messages.jsonl`.
        base: As `likeness train` takes it.
        settings: What is not to be the base's default.
    """
    config = TrainConfig.from_settings(settings, base=base)
    found = survey(messages)
    opened = open_base(base, config, lambda: train_texts(messages, found, config))
    corpus = build_corpus(messages, found, config, opened.tags, opened.context_tokens)
    return Task(opened, corpus, config)


def write_demo(folder: Path) -> Path:
    """Write the demo's chat."""
    messages = folder / "messages.jsonl"
    export([DEMO], messages, ExportOptions(UTC, "UTC", me=("Juno",)))
    return messages


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starter.fine_tuning")
    parser.add_argument("--rates", type=float, nargs="+", default=[3e-4, 6e-4, 1e-3])
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    told = parser.parse_args()
    print("| learning rate | nats a character | at step | of | time |\n|---|---|---|---|---|")
    with quiet(), tempfile.TemporaryDirectory() as folder:
        messages = write_demo(Path(folder))
        for rate in told.rates:
            settings = [*told.settings, f"learning_rate={rate}"]
            found = task(messages, STARTER, settings).fine_tune()
            print(
                f"| {rate:g} | {found.nats_per_character:.3f} | {found.best_step} | "
                f"{found.steps} | {found.seconds:.0f} s |",
                flush=True,
            )


if __name__ == "__main__":
    main()
