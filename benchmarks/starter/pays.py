"""What the starter is worth: held-out nats a character after fine-tuning, from nothing and from it.

Run `python -m benchmarks.starter.pays DATA`, where DATA is the folder of the corpora. Each person's
newest messages judge; those before them teach, some of them or all. From nothing is trained twice:
for as many steps as from the starter, and for as many seconds of a processor.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.starter.fine_tuning import task
from benchmarks.starter.people import PEOPLE, write_chat
from training.base import SCRATCH, STARTER, quiet

_STEPS = {200: 30, 2_000: 80, 20_000: 120}
"""How many steps are taken with so many messages of mine."""
_JUDGING_MESSAGES = 80
_ROWS = ("context_tokens=256", "batch_rows=4", "accumulation=1", "patience=none")


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
        settings = (*_ROWS, f"held_out_share={_JUDGING_MESSAGES / mine}")
        ours = task(path, STARTER, settings).fine_tune(steps)
        from_nothing = task(path, SCRATCH, settings)
        same_steps = from_nothing.fine_tune(steps)
        affordable = round(steps * ours.seconds / same_steps.seconds)
        same_time = from_nothing.fine_tune(affordable)
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
