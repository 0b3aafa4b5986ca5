"""The workshop's way to train: its text, its blocks, its loop, written anew from its description.

Source: task 2 of the "Conversational AI workshop" this project began with: `<speaker1> Hi` lines,
bursts joined by a space, all of a file one text cut into blocks of 400 tokens; 32 bits, some
batches of four blocks a step whose losses are summed, clipped after each, AdamW without decay,
a rate that falls in a line. Two things are kinder here: it drops groups, here all others are its
second speaker; and a step takes as many tokens as it is told to.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path

import torch
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from likeness.messages import Message

ME, OTHER = "<speaker1>", "<speaker2>"
_BLOCK = 400
_BATCH = 4
STEP_TOKENS = _BATCH * _BLOCK
"""How many a batch reads."""
_SPACES = re.compile(r"[\r\n\t]+")


def lines(messages: Iterable[Message]) -> Iterator[str]:
    """Yield turns in the workshop's form."""
    shown = (message for message in messages if message.shown)
    for outgoing, burst in groupby(shown, key=lambda message: bool(message.outgoing)):
        yield f"{ME if outgoing else OTHER} {' '.join(clean(one.text) for one in burst)}\n"


def clean(text: str) -> str:
    """Return a message as one line."""
    flat = _SPACES.sub(" ", text.strip())
    return "".join(letter for letter in flat if unicodedata.category(letter)[0] != "C")


def opened(base: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load a base and give it the two tags, their rows drawn at random."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if tokenizer.add_tokens([ME, OTHER], special_tokens=True):
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    return model, tokenizer


def trained(
    base: Path, chats: Iterable[Sequence[Message]], *, steps: int, tokens: int, rate: float,
    seed: int,
) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:  # fmt: skip
    """Train as the workshop does.

    Args:
        base: A model folder.
        chats: What may be learnt from, a sequence for each chat.
        steps: How many changes of the weights.
        tokens: How many are read by all of them together, to a block.
        rate: The learning rate of the first.
        seed: Of the order of the blocks and of dropout.
    """
    torch.manual_seed(seed)
    model, tokenizer = opened(base)
    text = "".join(line for chat in chats for line in lines(chat))
    ids = torch.tensor(tokenizer.encode(text))
    blocks = ids[: len(ids) // _BLOCK * _BLOCK].view(-1, _BLOCK)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    order = _order(blocks)
    model.train()
    read = 0
    for step in range(1, steps + 1):
        count = max(1, round(step * tokens / steps / _BLOCK) - read)
        read += count
        for batch in torch.stack(list(islice(order, count))).split(_BATCH):
            model(batch, labels=batch).loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return model, tokenizer


def _order(blocks: torch.Tensor) -> Iterator[torch.Tensor]:
    while True:
        yield from blocks[torch.randperm(len(blocks))]
