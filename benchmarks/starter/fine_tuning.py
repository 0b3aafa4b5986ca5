"""A fine-tuning for a table: no folder, no report, only how well it foretold, and what it cost.

Run `python -m benchmarks.starter.fine_tuning` for the table by which the defaults were chosen: the
starter fine-tuned on the demo's invented chat with several rates, each judged as it goes.
"""

import argparse
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
from training.base import STARTER, open_base, quiet
from training.config import TrainConfig
from training.corpus import build_corpus
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


def fine_tune(
    messages: Path, base: str, settings: Sequence[str] = (), steps: int | None = None
) -> Outcome:
    """Fine-tune a base with its own defaults.

    Args:
        messages: A `messages.jsonl`.
        base: As `likeness train` takes it.
        settings: What is not to be the default.
        steps: How many to take instead of the epochs; the learning rate falls to nothing with them.
    """
    config = TrainConfig.from_settings(settings, base=base)
    found = survey(messages)
    opened = open_base(base, config, lambda: train_texts(messages, found, config))
    tags, tokens = opened.tags, opened.context_tokens
    corpus = build_corpus(messages, found, config, tags, tokens)
    judge = Judge(corpus.held_out, corpus.held_out_characters, tags, config.eval_batch_rows, tokens)
    plan = Plan(corpus.train, config, tokens)
    if steps is not None:
        epochs = steps / plan.steps_per_epoch
        plan = Plan(corpus.train, dataclasses.replace(config, epochs=epochs), tokens)
    trainer = Trainer(opened.model, plan, torch.device("cpu"))
    best, seconds = (float("inf"), 0), 0.0
    for step in range(1, plan.steps + 1):
        began = time.process_time()
        trainer.take_step()
        seconds += time.process_time() - began
        if step % max(1, plan.steps // _EVALUATIONS) == 0:
            best = min(best, (judge.evaluate(trainer.scorer).nats_per_character, step))
    return Outcome(*best, plan.steps, seconds)


def write_demo(folder: Path) -> Path:
    """Write the demo's chat."""
    messages = folder / "messages.jsonl"
    export([DEMO], messages, ExportOptions(UTC, "UTC", me=("Juno",)))
    return messages


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starter.fine_tuning")
    parser.add_argument("--rates", type=float, nargs="+", default=[3e-4, 6e-4, 1.2e-3])
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    told = parser.parse_args()
    print("| learning rate | nats a character | at step | of | time |\n|---|---|---|---|---|")
    with quiet(), tempfile.TemporaryDirectory() as folder:
        messages = write_demo(Path(folder))
        for rate in told.rates:
            found = fine_tune(messages, STARTER, [*told.settings, f"learning_rate={rate}"])
            print(
                f"| {rate:g} | {found.nats_per_character:.3f} | {found.best_step} | "
                f"{found.steps} | {found.seconds:.0f} s |",
                flush=True,
            )


if __name__ == "__main__":
    main()
