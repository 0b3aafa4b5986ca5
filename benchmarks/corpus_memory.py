"""How much memory a corpus takes, however many messages it has.

Run `python -m benchmarks.corpus_memory`. Each size has a process of its own, which surveys the
file, encodes it, notes what goes with the model, and packs the rows of an epoch; the words are
invented.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import tokenizers

from benchmarks.invented import said
from benchmarks.peak_memory import peak_bytes
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer
from training.config import TrainConfig
from training.corpus import build_corpus
from training.outcome import keep
from training.packing import pack
from training.rows import WindowsBuilder
from training.survey import survey
from training.vocabulary import add_tags, byte_level_bpe

_ROOT = Path(__file__).parent.parent
_CONTEXT_TOKENS = 1024
_VOCABULARY = 2048
_IN_ONE_CHAT = 500_000
_BEGINNING = datetime(2001, 1, 1, tzinfo=UTC)


def write(path: Path, messages: int) -> None:
    """Write so many messages, in chats that hardly ever fall silent."""
    with path.open("w", encoding="utf-8") as file:
        for number, (speaker, text) in enumerate(islice(said(), messages)):
            chat = str(number // _IN_ONE_CHAT)
            moment = _BEGINNING + timedelta(seconds=40 * number)
            one = Message(
                platform="invented", chat_id=chat, chat=chat, id=str(number), speaker_id=speaker,
                speaker=speaker, outgoing=speaker.startswith("B"), sent_at=moment, text=text,
            )  # fmt: skip
            file.write(f"{one.to_json()}\n")


def measure(path: Path) -> None:
    """Make a corpus of a file once, and print what it took as JSON."""
    made = byte_level_bpe((text for _, text in islice(said(), 20_000)), _VOCABULARY)
    add_tags(made)
    tokenizer = FolderTokenizer(tokenizers.Tokenizer.from_str(made.backend_tokenizer.to_str()))
    before = _peak_megabytes()
    start = time.monotonic()
    found = survey(path)
    corpus = build_corpus(
        path, found, TrainConfig(), tokenizer, _CONTEXT_TOKENS,
        lambda: WindowsBuilder(path.parent, len(made)),
    )  # fmt: skip
    keep(path, path.parent, found, corpus.balance, TrainConfig())
    seconds = time.monotonic() - start
    lengths = corpus.train.lengths
    rows = pack(lengths, _CONTEXT_TOKENS, np.arange(len(lengths)))
    figures = {
        "tokens": int(lengths.sum()), "windows": len(lengths), "rows": len(rows),
        "seconds": seconds, "before": before, "peak": _peak_megabytes(),
    }  # fmt: skip
    print(json.dumps(figures))


def _peak_megabytes() -> float:
    return peak_bytes() / 2**20


def main() -> None:
    """Measure each size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", nargs="+", type=int, default=[100_000, 1_000_000, 5_000_000])
    parser.add_argument("--folder", type=Path, help="where there is room for the files")
    asked = parser.parse_args()
    print("| messages | file | tokens | windows | s | peak before | peak |")
    print("|---|---|---|---|---|---|---|")
    for messages in asked.messages:
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            path = Path(folder, "messages.jsonl")
            write(path, messages)
            command = [sys.executable, "-m", "benchmarks.corpus_memory", "--measure", str(path)]
            run = json.loads(subprocess.check_output(command, cwd=_ROOT))  # noqa: S603
            print(
                f"| {messages:,} | {path.stat().st_size / 1e6:,.0f} MB | {run['tokens']:,} "
                f"| {run['windows']:,} | {run['seconds']:.0f} | {run['before']:.0f} MB "
                f"| {run['peak']:.0f} MB |",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
    else:
        main()
