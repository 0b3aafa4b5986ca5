"""How well held-out messages are predicted: by the untrained base, the workshop's way, and ours.

Run `python -m benchmarks.quality DATA`, where DATA is the folder of the corpora. All three begin
from one base. The newest fifth of my messages in each chat, and all that follows the first of them,
is cut off and seen by neither way. What is left goes to `likeness train` with its defaults and
whatever `--set` says, which holds some of it out until its last lesson, and whole to the workshop's
way, which takes as many steps in all, reads as many tokens, and has the same learning rate or the
one that `--workshops-rate` says. One scorer asks all three for the same messages after the same
messages.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, takewhile
from pathlib import Path

from transformers import AutoModelForCausalLM

from benchmarks import workshop
from benchmarks.folders import existing_folder
from benchmarks.people import PEOPLE, write_messages
from benchmarks.prediction import Moment, Score, in_our_form, in_workshops_form, moments, score
from benchmarks.runs import run
from benchmarks.small_base import small_base
from likeness.files import read_messages
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer
from training.base import open_base, quiet
from training.config import TrainConfig
from training.corpus import build_corpus
from training.last_lesson import teach_held_out
from training.plan import Plan
from training.survey import survey

_JUDGING_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Task:
    """What one row of the table is made from.

    Attributes:
        taught: The file that both ways learn from.
        asked: The messages that neither sees.
        base: The folder of the base.
        config: The settings of ours.
    """

    taught: Path
    asked: list[Moment]
    base: Path
    config: TrainConfig

    @classmethod
    def of(cls, messages: Path, base: Path, config: TrainConfig) -> "Task":
        """Cut a file in two."""
        cut = replace(config, held_out_share=_JUDGING_SHARE, held_out_most=sys.maxsize)
        asked = list(moments(messages, survey(messages), cut))
        taught = messages.with_suffix(".taught.jsonl")
        with taught.open("w", encoding="utf-8") as file:
            file.writelines(f"{one.to_json()}\n" for one in _before(messages, asked))
        return cls(taught, asked, base, config)

    def lessons(self) -> list[Plan]:
        """Return what ours will learn from, and in which steps: its run, and its last lesson."""
        base = open_base(str(self.base), self.config, list)
        found = survey(self.taught, masking=bool(self.config.mask))
        corpus = build_corpus(self.taught, found, self.config, base.tags, base.context_tokens)
        once = replace(self.config, epochs=1.0)
        last = Plan(corpus.held_out, once, base.context_tokens)
        plan = Plan(corpus.train, self.config, base.context_tokens)
        return [plan, last] if self.config.last_lesson and len(corpus.held_out) else [plan]


def _before(messages: Path, asked: list[Moment]) -> Iterator[Message]:
    """Yield of each chat what lies before the first message that is asked for."""
    first = {one.message.chat_id: one.message.id for one in reversed(asked)}
    for chat, said in groupby(read_messages(messages), key=lambda one: one.chat_id):
        until = first.get(chat)
        yield from takewhile(lambda one, until=until: one.id != until, said)


def untrained(task: Task) -> Score:
    """Score the base in the form that is easier to it."""
    base = open_base(str(task.base), task.config, list)
    model, tokenizer = workshop.opened(task.base)
    return min(
        score(base.model, in_our_form(base.tags), task.asked),
        score(model, in_workshops_form(tokenizer), task.asked),
        key=lambda one: one.nats_per_character,
    )


def ours(task: Task) -> Score:
    """Train by `likeness train`, and score what it leaves."""
    folder = task.taught.with_suffix("")
    run(task.taught, folder, task.base, task.config)
    teach_held_out(task.taught, folder, task.config, None)
    model = AutoModelForCausalLM.from_pretrained(folder)
    return score(model, in_our_form(FolderTokenizer.load(folder)), task.asked)


def the_workshops(task: Task, steps: int, tokens: float, rate: float) -> Score:
    """Train the workshop's way in so many steps, and score what comes of it."""
    chats = groupby(read_messages(task.taught), key=lambda one: one.chat_id)
    model, tokenizer = workshop.trained(
        task.base, (list(said) for _, said in chats), steps=steps, tokens=round(tokens),
        rate=rate, seed=task.config.seed,
    )  # fmt: skip
    return score(model, in_workshops_form(tokenizer), task.asked)


def measure(name: str, task: Task, rate: float, *, own_batches: bool = False) -> str:
    """Train both ways and return the row of the table.

    Args:
        name: The row's.
        task: What it is made from.
        rate: The learning rate of the workshop's way.
        own_batches: The workshop's way takes as many steps of its own four blocks each, instead of
            as many tokens.
    """
    begun, lessons = time.monotonic(), task.lessons()
    taught = survey(task.taught).targets.total()
    steps = sum(plan.steps for plan in lessons)
    tokens = sum(plan.epochs * plan.windows.lengths.sum() for plan in lessons)
    read = workshop.STEP_TOKENS * steps if own_batches else tokens
    old, new = the_workshops(task, steps, read, rate), ours(task)
    less = 1 - new.nats_per_character / old.nats_per_character
    return (
        f"| {name} | {taught:,} | {len(task.asked):,} | {steps} | {tokens:,.0f} | {read:,.0f} "
        f"| {untrained(task)} | {old} | {new} | {less:.1%} | {time.monotonic() - begun:.0f} |"
    )


def main() -> None:
    """Measure each person and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=existing_folder, help="the folder of the corpora")
    parser.add_argument("--people", nargs="+", default=list(PEOPLE), choices=PEOPLE)
    parser.add_argument("--base", type=Path, help="a model folder; a small plain one is made else")
    parser.add_argument("--base-tokens", type=int, default=1_000_000, help="that it reads")
    parser.add_argument("--characters", type=int, default=200_000, help="of each corpus")
    parser.add_argument(
        "--own-batches", action="store_true", help="the workshop's own four blocks a step"
    )
    parser.add_argument("--workshops-rate", type=float, help="its learning rate, if not ours")
    parser.add_argument("--set", dest="settings", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir(), "likeness-bases"))
    asked = parser.parse_args()
    base = asked.base or small_base(asked.data, asked.cache, asked.base_tokens)
    config = TrainConfig.from_settings(["report_replies=0", *asked.settings])
    rate = asked.workshops_rate or config.learning_rate
    print(
        "| who | taught | held out | steps | tokens ours | the workshop's | base | workshop's way "
        "| ours | less | s |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )
    for name in asked.people:
        with tempfile.TemporaryDirectory() as folder, quiet():
            messages = write_messages(PEOPLE[name], asked.data, Path(folder), asked.characters)
            task = Task.of(messages, base, config)
            row = measure(name, task, rate, own_batches=asked.own_batches)
            print(row, flush=True)


if __name__ == "__main__":
    main()
