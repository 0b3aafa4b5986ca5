"""What the starter is worth: held-out nats a character after fine-tuning, from nothing and from it.

Run `python -m benchmarks.starter.pays DATA`, where DATA is the folder of the corpora. Each person's
newest messages judge; those before them teach, some of them or all. From nothing is trained twice:
for as many steps as from the starter, and for as many seconds of a processor.
"""

import argparse
import dataclasses
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.starter.people import PEOPLE, write_chat
from training.base import SCRATCH, STARTER, open_base, quiet
from training.config import TrainConfig
from training.corpus import build_corpus
from training.evaluate import Judge
from training.loop import Plan, Trainer
from training.survey import survey, train_texts

_STEPS = {200: 40, 2_000: 120, 20_000: 240}
"""How many steps are taken with so many messages of mine."""
_JUDGING_MESSAGES = 80
_EVALUATIONS = 4
_ROWS = ("context_tokens=256", "batch_rows=4", "accumulation=1", "patience=none")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fine-tuning came to.

    Attributes:
        nats_per_character: The best of its evaluations.
        seconds: Of a processor, for its steps alone.
        steps: How many it took.
    """

    nats_per_character: float
    seconds: float
    steps: int


def fine_tune(messages: Path, mine: int, base: str, steps: int) -> Outcome:
    """Fine-tune a base with its own defaults, for so many steps.

    Args:
        messages: A `messages.jsonl` of one chat.
        mine: How many of them are mine, in all.
        base: `scratch` or `starter`.
        steps: How many to take; the learning rate falls to nothing with them.
    """
    share = f"held_out_share={_JUDGING_MESSAGES / mine}"
    config = TrainConfig.from_settings([*_ROWS, share], base=base)
    found = survey(messages)
    opened = open_base(base, config, lambda: train_texts(messages, found, config))
    corpus = build_corpus(messages, found, config, opened.tags, opened.context_tokens)
    judge = Judge(corpus.held_out, corpus.held_out_characters, opened.tags, 8, 256)
    once = Plan(corpus.train, config, opened.context_tokens).steps_per_epoch
    config = dataclasses.replace(config, epochs=steps / once)
    trainer = Trainer(
        opened.model, Plan(corpus.train, config, opened.context_tokens), torch.device("cpu")
    )
    best, seconds = float("inf"), 0.0
    for step in range(1, steps + 1):
        began = time.process_time()
        trainer.take_step()
        seconds += time.process_time() - began
        if step % max(1, steps // _EVALUATIONS) == 0:
            best = min(best, judge.evaluate(trainer.scorer).nats_per_character)
    return Outcome(best, seconds, steps)


def rows(name: str, data: Path, folder: Path) -> None:
    """Print the rows of one person."""
    chat = list(PEOPLE[name](data, folder))
    done = 0
    for wanted, steps in _STEPS.items():
        path = folder / "messages.jsonl"
        mine = write_chat(chat, wanted + _JUDGING_MESSAGES, path)
        if mine == done:
            return
        done = mine
        ours = fine_tune(path, mine, STARTER, steps)
        same_steps = fine_tune(path, mine, SCRATCH, steps)
        affordable = round(steps * ours.seconds / same_steps.seconds)
        same_time = fine_tune(path, mine, SCRATCH, affordable)
        print(
            f"| {name} | {mine - _JUDGING_MESSAGES:,} | {steps} | "
            f"{same_steps.nats_per_character:.3f} | {same_time.nats_per_character:.3f} "
            f"({affordable} steps) | {ours.nats_per_character:.3f} | {ours.seconds:.0f} s |",
            flush=True,
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starter.pays")
    parser.add_argument("data", type=Path)
    told = parser.parse_args()
    print("| who | messages that teach | steps | scratch, same steps | scratch, same time | "
          "starter | its time |\n|---|---|---|---|---|---|---|")  # fmt: skip
    for name in PEOPLE:
        with quiet(), tempfile.TemporaryDirectory() as folder:
            rows(name, told.data, Path(folder))


if __name__ == "__main__":
    main()
