"""How much of the rows that a model learns from is words, and how much of what it reads teaches.

Run `python -m benchmarks.row_fill DATA`, where DATA holds `corpora/`, `workshop-interviews/` and
`gpt2-tokenizer/`; rows are GPT-2's. No model is needed.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.folders import existing_folder
from benchmarks.people import PEOPLE, Person, write_messages
from benchmarks.reuse import tokenizer
from training.config import TrainConfig
from training.corpus import build_corpus
from training.packing import epoch_batches, pack
from training.survey import survey

_CONFIG = TrainConfig(held_out_share=0)
_SELF_DIALOGUE = Person("self-dialogue", "corpora/self-dialogue.jsonl.gz", "B")


def measure(messages: Path, data: Path, room: int) -> str:
    """Return the columns of a row of the table."""
    windows = build_corpus(messages, survey(messages), _CONFIG, tokenizer(data), room).train
    rows = len(pack(windows.lengths, room, np.arange(len(windows))))
    batches = epoch_batches(windows.lengths, room, _CONFIG.batch_rows, seed=0, epoch=0)
    computed = sum(windows.batch(batch).ids.size for batch in batches)
    read = int(windows.lengths.sum())
    taught = int((windows.weights > 0).sum())
    shares = (read / rows / room, read / computed, taught / read)
    return f"{read:,} | {len(windows):,} | {rows:,} | {' | '.join(map('{:.1%}'.format, shares))}"


def main() -> None:
    """Print a row for each person."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=existing_folder)
    parser.add_argument("--characters", type=int, default=300_000, help="of each corpus")
    parser.add_argument("--room", type=int, default=1024, help="tokens of a row")
    asked = parser.parse_args()
    print(
        "| who | tokens read | windows | rows | of a row's room words | of what is computed | "
        "of them taught |"
    )
    print("|---|---|---|---|---|---|---|")
    for person in (*PEOPLE.values(), _SELF_DIALOGUE):
        with tempfile.TemporaryDirectory() as folder:
            messages = write_messages(person, asked.data, Path(folder), asked.characters)
            print(f"| {person.name} | {measure(messages, asked.data, asked.room)} |", flush=True)


if __name__ == "__main__":
    main()
