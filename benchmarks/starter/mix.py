"""The corpora as windows of token ids, ready to be trained on: made once, read in a second."""

import heapq
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.starter.conversations import conversations
from benchmarks.starter.corpora import SOURCES, Source, dice, fingerprint
from likeness.dialogue import Encoded, Tokenizer, encode_turns
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer
from training.base import Base, quiet
from training.evaluate import Judge
from training.rows import Windows, WindowsBuilder
from training.vocabulary import add_tags, byte_level_bpe
from training.windows import shorten, windows

_ACCOUNT = "data.json"
_TAUGHT = "taught"
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
_HELD_OUT_CONVERSATIONS = 400


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What judges the starter, of one corpus.

    Attributes:
        windows: Of conversations that never taught.
        characters: How many characters of my messages each window has; of a conversation that
            takes several windows, the first has them all.
    """

    windows: Windows
    characters: NDArray[np.int64]

    def judge(self, base: Base, rows: int) -> Judge:
        """Return what judges models of a base by it, so many rows at once."""
        characters = int(self.characters.sum())
        return Judge(self.windows, characters, base.tags, rows, base.context_tokens)


def make_tokenizer(corpora: Path, vocabulary: int, folder: Path) -> Tokenizer:
    """Make byte-level BPE of the words that teach, tags included, and save it."""
    tokenizer = byte_level_bpe(_texts(corpora), vocabulary - _tags())
    add_tags(tokenizer)
    with quiet():
        tokenizer.save_pretrained(folder)
    return FolderTokenizer.load(folder)


def take_tokenizer(of: Path, folder: Path) -> Tokenizer:
    """Take over the tokenizer of a starter, byte for byte, so that its weights can go on."""
    for name in _TOKENIZER_FILES:
        shutil.copyfile(of / name, folder / name)
    return FolderTokenizer.load(folder)


def prepare(
    corpora: Path,
    folder: Path,
    vocabulary: int,
    context_tokens: int,
    tokens_of: Path | None = None,
) -> None:
    """Encode all that teaches and all that judges, and write an account of it.

    Args:
        corpora: Where the corpora lie.
        folder: What to fill.
        vocabulary: How many tokens there shall be, tags included.
        context_tokens: The longest window.
        tokens_of: A starter whose tokenizer to take, instead of making one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if tokens_of is None:
        tokenizer = make_tokenizer(corpora, vocabulary, folder)
    else:
        tokenizer = take_tokenizer(tokens_of, folder)
    taught = WindowsBuilder()
    account = {}
    for source in SOURCES:
        counts = {"conversations": 0, "messages": 0, "tokens": 0}
        for _, messages in conversations(corpora, source, held_out=False):
            counts["conversations"] += 1
            counts["messages"] += len(messages)
            for window in _encoded(messages, tokenizer, context_tokens):
                taught.add(window)
                counts["tokens"] += len(window.ids)
        sha256 = fingerprint(corpora, source.name)
        account[source.name] = {"sha256": sha256, **counts}
        judging = of_held_out(corpora, source, tokenizer, context_tokens)
        _save(folder, source.name, judging.windows, judging.characters)
    _save(folder, _TAUGHT, taught.windows(), [])
    (folder / _ACCOUNT).write_text(json.dumps(account, indent=2), "utf-8")


def taught(folder: Path) -> Windows:
    """Return what teaches."""
    return _load(folder, _TAUGHT).windows


def held_out(folder: Path) -> dict[str, HeldOut]:
    """Return, for each corpus, what judges."""
    return {source.name: _load(folder, source.name) for source in SOURCES}


def account(folder: Path) -> dict[str, dict[str, object]]:
    """Return, for each corpus, its SHA-256 and the counts of what teaches."""
    found: dict[str, dict[str, object]] = json.loads((folder / _ACCOUNT).read_text("utf-8"))
    return found


def of_held_out(
    corpora: Path, source: Source, tokenizer: Tokenizer, context_tokens: int
) -> HeldOut:
    """Encode what judges of a corpus: some of its conversations that never teach."""
    builder = WindowsBuilder()
    characters: list[int] = []
    chosen = heapq.nsmallest(
        _HELD_OUT_CONVERSATIONS,
        conversations(corpora, source, held_out=True),
        key=lambda found: dice("judges", source.name, found[0]),
    )
    for _, messages in chosen:
        mine = sum(len(message.text) for message in messages if message.outgoing)
        for window in _encoded(messages, tokenizer, context_tokens):
            builder.add(window)
            characters.append(mine)
            mine = 0
    return HeldOut(builder.windows(), np.array(characters, np.int64))


def _texts(corpora: Path) -> Iterator[str]:
    for source in SOURCES:
        for _, messages in conversations(corpora, source, held_out=False):
            for message in messages:
                # As they stand in a prompt: the first of a turn behind a space.
                yield f" {message.text}"


def _tags() -> int:
    """Return how many tokens the prompt adds to a fresh vocabulary."""
    tokenizer = byte_level_bpe([], 300)
    return len(add_tags(tokenizer))


def _encoded(
    messages: list[Message], tokenizer: Tokenizer, context_tokens: int
) -> Iterator[Encoded]:
    turns = [
        shorten(turn, tokenizer, context_tokens)[0]
        for turn in encode_turns(messages, tokenizer, context_weight=1.0)
    ]
    return windows(turns, tokenizer, context_tokens)


def _save(
    folder: Path, name: str, windows_: Windows, characters: Sequence[int] | NDArray[np.int64]
) -> None:
    np.savez(
        folder / f"{name}.npz",
        ids=windows_.ids,
        weights=windows_.weights,
        starts=windows_.starts,
        characters=np.array(characters, np.int64),
    )


def _load(folder: Path, name: str) -> HeldOut:
    with np.load(folder / f"{name}.npz") as found:
        windows_ = Windows(found["ids"], found["weights"], found["starts"])
        return HeldOut(windows_, found["characters"])
