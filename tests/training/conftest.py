"""Tiny bases, tiny chats, and a watch that remembers, for the tests of training."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel

from likeness.card import RunCard
from likeness.dialogue import Encoded
from likeness.errors import Interrupted
from likeness.messages import Message
from training.base import quiet
from training.config import TrainConfig
from training.evaluate import Evaluation
from training.rows import Windows, WindowsBuilder
from training.run import train
from training.survey import Balance
from training.vocabulary import byte_level_bpe
from training.watch import Step

WORDS = (
    "the bus",
    "is late",
    "again",
    "my friend",
    "so we",
    "walk home",
    "and eat",
    "soup tonight",
)


@dataclass
class Memory:
    """A watch that remembers what it was told, and presses Ctrl-C when asked to."""

    interrupt_at: int | None = None
    bases: list[str] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    evaluations: dict[int, Evaluation] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)

    def base(self, description: str) -> None:
        self.bases.append(description)

    def corpus(self, balance: Balance) -> None:
        self.balances.append(balance)

    def evaluated(self, step: int, evaluation: Evaluation) -> None:
        self.evaluations[step] = evaluation
        if step == self.interrupt_at:
            raise KeyboardInterrupt

    def stepped(self, step: Step) -> None:
        self.steps.append(step)

    def saved(self, path: Path) -> None:
        self.paths.append(path)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Keep tiny products on one thread: more would only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the disk: what it guards against cannot be tested here."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def memory() -> Memory:
    return Memory()


Write = Callable[[Iterable[Message]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes messages.jsonl."""

    def write(messages: Iterable[Message]) -> Path:
        path = tmp_path / "messages.jsonl"
        path.write_text("".join(message.to_json() + "\n" for message in messages), "utf-8")
        return path

    return write


@pytest.fixture
def chat(say: Callable[..., Message]) -> list[Message]:
    """Return 60 messages of two friends, in three conversations."""
    return [
        say(
            "me" if number % 2 else "ann",
            f"{WORDS[number % len(WORDS)]} {WORDS[number * 7 % len(WORDS)]} number {number}",
            after=90_000 * 4 if number % 20 == 0 else 30,
        )
        for number in range(60)
    ]


TINY = (
    "layers=1",
    "width=16",
    "heads=2",
    "vocabulary=300",
    "context_tokens=64",
    "batch_rows=2",
    "report_replies=3",
)


@pytest.fixture
def tiny() -> Callable[..., TrainConfig]:
    """Return a function that makes the settings of a run of a second."""
    return lambda *settings: TrainConfig.from_settings([*TINY, *settings])


def learn(messages: Path, run: Path, watch: Any, config: TrainConfig, **other: Any) -> RunCard:
    """Train a model, from scratch if nothing else is told."""
    told = {"base": "scratch", "speaker": None, "resume": False} | other
    return train(messages, run, config=config, watch=watch, **told)


def interrupt(
    messages: Path, run: Path, watch: Memory, config: TrainConfig, step: int = 10
) -> None:
    """Begin to train a model from scratch, and press Ctrl-C after a step."""
    watch.interrupt_at = step
    with pytest.raises(Interrupted):
        learn(messages, run, watch, config)
    watch.interrupt_at = None


@pytest.fixture(scope="session")
def plain_gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny GPT-2 that knows no tags."""
    folder = tmp_path_factory.mktemp("bases") / "gpt2"
    tokenizer = byte_level_bpe(WORDS, 300)
    torch.manual_seed(1)
    shape = GPT2Config(
        vocab_size=len(tokenizer), n_positions=64, n_embd=16, n_layer=1, n_head=2,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    with quiet():
        GPT2LMHeadModel(shape).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def steady_model(folder: Path) -> PreTrainedModel:
    """Load a GPT-2 without dropout."""
    with quiet():
        return GPT2LMHeadModel.from_pretrained(folder, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)


def random_windows(lengths: list[int], weights: tuple[float, ...] = (0.1, 1.0, 0.0)) -> Windows:
    """Make a window of each length, of random tokens and weights; the same ones every time."""
    dice = np.random.default_rng(0)
    builder = WindowsBuilder()
    for length in lengths:
        ids = dice.integers(0, 250, length).tolist()
        builder.add(Encoded(ids, dice.choice(weights, length).tolist()))
    return builder.windows()
