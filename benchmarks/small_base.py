"""A small plain GPT-2 that has read some English: a base where no pretrained one is at hand.

It knows no tag of any prompt, as the hub's GPT-2 knows none, and has read nothing of what the
benchmarks hold out.
"""

import gzip
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from likeness.dialogue import START, Encoded
from training.base import quiet
from training.checkpoint import whole_folder
from training.config import TrainConfig
from training.loop import Trainer
from training.plan import Plan
from training.rows import Windows, WindowsBuilder
from training.vocabulary import byte_level_bpe

_CORPORA = ("self-dialogue", "topical-chat", "sgd", "taskmaster")
_VOCABULARY = 2048
_POSITIONS = 512
_WINDOW = 256
_CHARACTERS_OF_TOKENIZER = 3_000_000
_LEARNING_RATE = 2e-3


def small_base(data: Path, cache: Path, tokens: int) -> Path:
    """Return the folder of the small base, made if it is not there.

    Args:
        data: The folder of the corpora.
        cache: Where it is kept.
        tokens: How many it reads, once each.
    """
    folder = cache / f"small-base-{tokens}"
    if not folder.exists():
        texts = _texts(data)
        tokenizer = byte_level_bpe(
            itertools.islice(texts, _CHARACTERS_OF_TOKENIZER // 500), _VOCABULARY
        )
        with quiet(), whole_folder(folder) as temporary:
            _trained(tokenizer, _texts(data), tokens).save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
    return folder


def _texts(data: Path) -> Iterator[str]:
    """Yield dialogues, a line for each turn, of the corpora in turn."""
    sources = [_dialogues(data / f"corpora/{name}.jsonl.gz") for name in _CORPORA]
    while True:
        yield from map(next, sources)


def _dialogues(path: Path) -> Iterator[str]:
    while True:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            turns = map(json.loads, lines)
            for _, group in itertools.groupby(turns, key=lambda turn: turn["dialogue"]):
                yield "".join(f"{turn['text']}\n" for turn in group)


def _trained(
    tokenizer: PreTrainedTokenizerFast, texts: Iterator[str], tokens: int
) -> GPT2LMHeadModel:
    windows = _windows(tokenizer, texts, tokens)
    config = TrainConfig(
        batch_rows=8, accumulation=1, epochs=1, learning_rate=_LEARNING_RATE, dropout=0
    )
    torch.manual_seed(config.seed)
    start = tokenizer.convert_tokens_to_ids(START)
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer), n_positions=_POSITIONS, n_embd=128, n_layer=4, n_head=4,
            resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=start, eos_token_id=start,
        )
    )  # fmt: skip
    trainer = Trainer(model, Plan(windows, config, _WINDOW), torch.device("cpu"))
    while trainer.step < trainer.plan.steps:
        taken = trainer.take_step()
        if trainer.step % 100 == 0:
            print(f"small base: {trainer.step}/{trainer.plan.steps} loss {taken.loss:.3f}")
    for dropout in ("resid_pdrop", "embd_pdrop", "attn_pdrop"):
        setattr(model.config, dropout, GPT2Config().to_dict()[dropout])
    return model


def _windows(tokenizer: PreTrainedTokenizerFast, texts: Iterator[str], tokens: int) -> Windows:
    builder, left = WindowsBuilder(), tokens
    start = tokenizer.convert_tokens_to_ids(START)
    stream: list[int] = []
    while left > 0:
        stream += [start, *tokenizer.encode(next(texts))]
        while len(stream) >= _WINDOW:
            builder.add(Encoded(stream[:_WINDOW], [1.0] * _WINDOW))
            stream, left = stream[_WINDOW:], left - _WINDOW
    return builder.windows()
