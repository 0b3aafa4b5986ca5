"""The corpora that the starter may learn from: what they are, their licences, how much of each.

Only corpora whose licences allow weights made from them to be passed on stand here.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.starter.talks import FOLDER, talks

Record = dict[str, Any]
"""One line of a corpus: `dialogue`, `speaker`, `text`, and `time` where it is known."""


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus, and how it enters the mix.

    Attributes:
        name: Its file is `NAME.jsonl.gz`; `talks` lie in a folder beside this module.
        licence: Under which its authors gave it away.
        attribution: Whom the licence asks to be named.
        share: Of its conversations, those that teach; the rest is left alone. At 6 each stands six
            times among them, with one speaker or another as me.
        held_out: Of its dialogues, those that never teach.
        longest: A longer message, in characters, is no chat: it ends a conversation, and is gone.
        spoken: Whether it was said or written with care, not typed as one types in a chat.
    """

    name: str
    licence: str
    attribution: str
    share: float
    held_out: float
    longest: int = 400
    spoken: bool = False


SOURCES = (
    Source(
        "self-dialogue",
        "BSD-3-Clause",
        "The Self-dialogue Corpus: Fainberg et al., University of Edinburgh (2018)",
        share=1.0,
        held_out=0.02,
    ),
    Source(
        "topical-chat",
        "CDLA-Sharing-1.0",
        "Topical-Chat: Gopalakrishnan et al., Amazon (2019)",
        share=1.0,
        held_out=0.05,
        spoken=True,
    ),
    Source(
        "ubuntu-irc",
        "CC-BY-4.0",
        "Ubuntu IRC with disentangled conversations: Kummerfeld et al. (2019)",
        share=1.0,
        held_out=0.05,
        longest=250,
    ),
    # Many of its sessions are held out whole, so that one of its speakers can be learnt anew.
    Source(
        "crd3",
        "CC-BY-SA-4.0",
        "Critical Role Dungeons and Dragons Dataset: Rameshkumar and Bailey, Microsoft (2020)",
        share=0.6,
        held_out=0.4,
        longest=200,
        spoken=True,
    ),
    Source(
        "sgd",
        "CC-BY-SA-4.0",
        "Schema-Guided Dialogue: Rastogi et al., Google (2020)",
        share=0.1,
        held_out=0.02,
        spoken=True,
    ),
    Source(
        "taskmaster",
        "CC-BY-4.0",
        "Taskmaster: Byrne et al., Google (2019)",
        share=1.0,
        held_out=0.05,
    ),
    Source(
        FOLDER.name,
        "MIT",
        "Invented for Likeness, in benchmarks/starter/talks",
        share=6.0,
        held_out=0.03,
    ),
)


def source(name: str) -> Source:
    """Return a corpus by its name."""
    return next(one for one in SOURCES if one.name == name)


def files(folder: Path, name: str) -> list[Path]:
    """Return the files of a corpus."""
    return sorted(FOLDER.glob("*.txt")) if name == FOLDER.name else [folder / f"{name}.jsonl.gz"]


def dialogues(folder: Path, name: str) -> Iterator[tuple[str, list[Record]]]:
    """Yield the dialogues of a corpus, each with its name, in the files' order."""
    for path in files(folder, name):
        if path.suffix == ".txt":
            yield from talks(path)
            continue
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for dialogue, records in groupby(map(json.loads, file), lambda one: one["dialogue"]):
                yield str(dialogue), list(records)


def is_held_out(corpus: Source, dialogue: str) -> bool:
    """Tell whether a dialogue never teaches; its name alone decides."""
    return dice(corpus.name, dialogue) < corpus.held_out


def dice(*names: object) -> float:
    """Return a number from 0 to 1 that is always the same for the same names."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def fingerprint(folder: Path, name: str) -> str:
    """Return the SHA-256 of a corpus: of its file, or of all its files one after the other."""
    digest = hashlib.sha256()
    for path in files(folder, name):
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()
