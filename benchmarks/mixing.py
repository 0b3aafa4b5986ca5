"""What it gives to mix a base in again, and how well held-out messages choose how much.

Run `python -m benchmarks.mixing DATA`, where DATA is the folder of the corpora. A base is trained
as in `benchmarks.quality`, but without its last lesson, and then asked for the messages that nobody
has seen: as it was, as it has become, and at each share of the way between. The share that the
messages held out of training choose, as in `likeness train`, stands in the last column.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.averaging import put, weights_of
from benchmarks.folders import existing_folder
from benchmarks.people import PEOPLE, write_messages
from benchmarks.prediction import in_our_form, score
from benchmarks.quality import Task, untrained
from benchmarks.runs import run
from training.base import STARTER_FOLDER, open_base, quiet
from training.config import TrainConfig
from training.corpus import build_held_out
from training.evaluate import Judge
from training.loss import scorer_for
from training.mixing import SHARES, mixed
from training.survey import survey


def measure(task: Task) -> tuple[list[float], float]:
    """Train once; return the nats a character at all of the way and each share, and the choice."""
    folder = task.taught.with_suffix("")
    run(task.taught, folder, task.base, replace(task.config, mix=0))
    base, learnt = (open_base(str(one), task.config, list) for one in (task.base, folder))
    begun, ended = weights_of(base.model), weights_of(learnt.model)
    nats = []
    for share in (1.0, *SHARES):
        put(learnt.model, [one.lerp(other, share) for one, other in zip(begun, ended, strict=True)])
        scored = score(learnt.model, in_our_form(learnt.tags), task.asked)
        nats.append(scored.nats_per_character)
    put(learnt.model, ended)
    room, found = learnt.context_tokens, survey(task.taught, masking=bool(task.config.mask))
    held_out = build_held_out(task.taught, found, task.config, learnt.tags, room)
    judge = Judge(held_out, 0, learnt.tags, task.config.eval_batch_rows, room)
    return nats, mixed(scorer_for(learnt.model, torch.float32), base.model, judge).share


def main() -> None:
    """Measure each person and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=existing_folder, help="the folder of the corpora")
    parser.add_argument("--people", nargs="+", default=list(PEOPLE), choices=PEOPLE)
    parser.add_argument("--base", type=Path, default=STARTER_FOLDER, help="a model folder")
    parser.add_argument("--characters", type=int, default=60_000, help="of each corpus")
    parser.add_argument("--set", dest="settings", nargs="+", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    config = TrainConfig.from_settings(["report_replies=0", *asked.settings], base="starter")
    shares = [f"{share:.0%}" for share in (1.0, *SHARES)]
    print(f"| who | base | {' | '.join(shares)} | chosen |")
    print("|---" * (3 + len(shares)) + "|")
    for name in asked.people:
        with tempfile.TemporaryDirectory() as folder, quiet():
            messages = write_messages(PEOPLE[name], asked.data, Path(folder), asked.characters)
            task = Task.of(messages, asked.base, config)
            nats, chosen = measure(task)
            begun = untrained(task).nats_per_character
        cells = " | ".join(f"{one:.4f}" for one in (begun, *nats))
        print(f"| {name} | {cells} | {chosen:.0%} |", flush=True)


if __name__ == "__main__":
    main()
