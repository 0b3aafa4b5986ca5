"""How well held-out messages are foretold: by the untrained base, the workshop's way, and ours.

Run `python -m benchmarks.quality DATA`, where DATA is the folder of the corpora. All three begin
from one base; ours is trained with its defaults and whatever `--set` says, the workshop's in as
many steps of about as many tokens, with the same learning rate. One scorer asks all three for the
same messages after the same messages.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, takewhile
from pathlib import Path

from transformers import AutoModelForCausalLM

from benchmarks import workshop
from benchmarks.foretelling import Moment, Score, in_our_form, in_workshops_form, moments, score
from benchmarks.people import PEOPLE, Person, write_messages
from benchmarks.runs import run
from benchmarks.small_base import small_base
from likeness.files import read_messages
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer
from training.base import open_base, quiet
from training.config import TrainConfig
from training.survey import Survey, survey


@dataclass(frozen=True, slots=True)
class _Task:
    """What one row of the table is made from."""

    messages: Path
    found: Survey
    base: Path
    config: TrainConfig
    folder: Path

    @property
    def moments(self) -> list[Moment]:
        return list(moments(self.messages, self.found, self.config))


def untrained(task: _Task, asked: list[Moment]) -> Score:
    """Score the base in the form that is easier to it."""
    base = open_base(str(task.base), task.config, list)
    model, tokenizer = workshop.opened(task.base)
    return min(
        score(base.model, in_our_form(base.tags), asked),
        score(model, in_workshops_form(tokenizer), asked),
        key=lambda one: one.nats_per_character,
    )


def chats_to_learn(task: _Task) -> Iterator[list[Message]]:
    """Yield of each chat what lies before its first held-out message."""
    first = {one.message.chat_id: one.message.id for one in reversed(task.moments)}
    for chat, messages in groupby(read_messages(task.messages), key=lambda one: one.chat_id):
        until = first.get(chat)
        yield list(takewhile(lambda one, until=until: one.id != until, messages))


def measure(person: Person, task: _Task) -> str:
    """Train both ways and return the row of the table."""
    begun = time.monotonic()
    card, steps = run(task.messages, task.folder / "ours", task.base, task.config)
    asked = task.moments
    tokens = card.context_tokens * task.config.batch_rows * task.config.accumulation
    theirs, tokenizer = workshop.trained(
        task.base,
        chats_to_learn(task),
        steps=steps,
        accumulation=math.ceil(tokens / workshop.BATCH_TOKENS),
        rate=task.config.learning_rate,
        seed=task.config.seed,
    )
    ours = AutoModelForCausalLM.from_pretrained(task.folder / "ours")
    tags = FolderTokenizer.load(task.folder / "ours")
    before = untrained(task, asked)
    old = score(theirs, in_workshops_form(tokenizer), asked)
    new = score(ours, in_our_form(tags), asked)
    less = 1 - new.nats_per_character / old.nats_per_character
    return (
        f"| {person.name} | {card.data['train']:,} | {len(asked):,} | {steps} | {before} | {old} "
        f"| {new} | {less:.1%} | {time.monotonic() - begun:.0f} |"
    )


def main() -> None:
    """Measure each person and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of the corpora")
    parser.add_argument("--people", nargs="+", default=list(PEOPLE), choices=PEOPLE)
    parser.add_argument("--base", type=Path, help="a model folder; a small plain one is made else")
    parser.add_argument("--base-tokens", type=int, default=1_000_000, help="that it reads")
    parser.add_argument("--characters", type=int, default=200_000, help="of each corpus")
    parser.add_argument("--set", dest="settings", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir(), "likeness-bases"))
    asked = parser.parse_args()
    base = asked.base or small_base(asked.data, asked.cache, asked.base_tokens)
    config = TrainConfig.from_settings(["held_out_share=0.2", "report_replies=0", *asked.settings])
    print("| who | taught | held out | steps | base | workshop's way | ours | less | s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in asked.people:
        with tempfile.TemporaryDirectory() as folder, quiet():
            messages = write_messages(PEOPLE[name], asked.data, Path(folder), asked.characters)
            task = _Task(messages, survey(messages), base, config, Path(folder))
            print(measure(PEOPLE[name], task), flush=True)


if __name__ == "__main__":
    main()
