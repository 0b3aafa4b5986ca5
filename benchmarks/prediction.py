"""One scorer for models of any prompt: how well each predicts the same messages of mine.

Every model reads the same messages before, in the form it was taught, and is asked for the words
of the next one, its tags given: also those of line breaks, for the plain form has none. A nat a
character is the same to every form and tokenizer.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from benchmarks import workshop
from likeness.dialogue import LINE_BREAK, Tokenizer, prompt
from likeness.dialogue.turns import encode_text
from likeness.messages import Message
from training.config import TrainConfig
from training.portions import portions
from training.survey import Survey, is_target

_CHARACTERS_BEFORE = 700
_CHARACTERS_ASKED = 500
_MOST_TOKENS_BEFORE = 300
_ROWS = 16

Form = Callable[["Moment"], tuple[list[int], list[int], list[bool]]]
"""Makes of a moment the ids before my words, the ids of my words, and which of them are asked."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A held-out message of mine.

    Attributes:
        before: The newest messages of its conversation before it.
        message: What I said, a long one's beginning: so that all fit into any model's row.
    """

    before: list[Message]
    message: Message


@dataclass(frozen=True, slots=True)
class Score:
    """How well a model predicts.

    Attributes:
        nats_per_character: Of my words.
        perplexity: Per token.
    """

    nats_per_character: float
    perplexity: float

    def __str__(self) -> str:
        return f"{self.nats_per_character:.3f} ({self.perplexity:,.1f})"


def moments(messages: Path, found: Survey, config: TrainConfig) -> Iterator[Moment]:
    """Yield each held-out message of mine with what was said before it."""
    for portion in portions(messages, found, config):
        said = portion.messages
        for place in range(portion.held_out_from, len(said)):
            if is_target(said[place]):
                text = said[place].text[:_CHARACTERS_ASKED]
                yield Moment(_newest(said[:place]), replace(said[place], text=text))


def _newest(messages: Sequence[Message]) -> list[Message]:
    room = _CHARACTERS_BEFORE
    newest: list[Message] = []
    for message in reversed(messages):
        if room <= 0:
            break
        newest.append(replace(message, text=message.text[-room:]))
        room -= len(message.text)
    return newest[::-1]


def in_our_form(tokenizer: Tokenizer) -> Form:
    """Return the form of our prompt."""

    def form(moment: Moment) -> tuple[list[int], list[int], list[bool]]:
        asked = prompt(moment.before, tokenizer, _MOST_TOKENS_BEFORE, now=moment.message.sent_at)
        words = encode_text(moment.message.text, tokenizer)
        return asked, words, [id_ != tokenizer.tag(LINE_BREAK) for id_ in words]

    return form


def in_workshops_form(tokenizer: PreTrainedTokenizerFast) -> Form:
    """Return the form of the workshop's text."""

    def form(moment: Moment) -> tuple[list[int], list[int], list[bool]]:
        asked = "".join(workshop.lines(moment.before))
        last = asked.rstrip("\n").rpartition("\n")[2]
        goes_on = last.startswith(workshop.ME)
        asked = asked.removesuffix("\n") if goes_on else asked + workshop.ME
        words = tokenizer.encode(f" {workshop.clean(moment.message.text)}")
        return tokenizer.encode(asked)[-_MOST_TOKENS_BEFORE:], words, [True] * len(words)

    return form


def score(model: PreTrainedModel, form: Form, asked: Iterable[Moment]) -> Score:
    """Measure a model.

    Args:
        model: Put into its mode of evaluation.
        form: How it reads.
        asked: What it is to predict.
    """
    model.eval()
    nats, tokens, characters = 0.0, 0, 0
    rows = []
    for moment in asked:
        before, words, asks = form(moment)
        rows.append((before, words, asks))
        tokens += sum(asks)
        characters += len(moment.message.text)
    rows.sort(key=lambda row: len(row[0]) + len(row[1]))
    for start in range(0, len(rows), _ROWS):
        nats += _nats(model, rows[start : start + _ROWS])
    return Score(nats / characters, math.exp(nats / tokens))


@torch.no_grad()
def _nats(model: PreTrainedModel, rows: Sequence[tuple[list[int], list[int], list[bool]]]) -> float:
    longest = max(len(before) + len(words) for before, words, _ in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mine = torch.zeros(len(rows), longest, dtype=torch.bool)
    for place, (before, words, asks) in enumerate(rows):
        end = len(before) + len(words)
        ids[place, :end] = torch.tensor(before + words)
        mine[place, len(before) : end] = torch.tensor(asks, dtype=torch.bool)
    # What pads a row stands behind it, where nothing that counts looks.
    logits = model(input_ids=ids, use_cache=False).logits[:, :-1][mine[:, 1:]]
    return float(functional.cross_entropy(logits.float(), ids[mine], reduction="sum"))
