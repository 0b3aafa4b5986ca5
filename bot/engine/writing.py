"""One reply, token by token: its prompt, its bans, its messages."""

import inspect
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, takewhile

import torch
from transformers import PreTrainedModel

from bot.engine import Sampling, Trace
from bot.engine.sampling import choose
from bot.engine.worker import Steps
from likeness.card import RunCard
from likeness.dialogue import (
    END_OF_TURN,
    LINE_BREAK,
    ME,
    NEXT_MESSAGE,
    SILENCES,
    SPEAKERS,
    START,
    Part,
    ReplyReader,
    Tokenizer,
    prompt,
    split_conversations,
)
from likeness.messages import Message

_BEFORE_WORDS = (ME, NEXT_MESSAGE, *SILENCES)
_NO_BEGINNING = (START, END_OF_TURN, NEXT_MESSAGE, LINE_BREAK, *SPEAKERS, *SILENCES)


@dataclass(frozen=True, slots=True)
class Request:
    """What `ReplyEngine.reply` was asked."""

    messages: Sequence[Message]
    sampling: Sampling
    now: datetime | None
    opening: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class Writer:
    """A model that writes replies.

    Attributes:
        model: Any causal language model of transformers, in evaluation mode.
        tokenizer: Of the model.
        card: Of the model.
        writable: `(V,)`, False for what must never be written.
    """

    model: PreTrainedModel
    tokenizer: Tokenizer
    card: RunCard
    writable: torch.Tensor

    def write(self, request: Request) -> Steps:
        """Write a reply: a step a token, each message as soon as it is whole.

        Until words have come nothing that ends a message can be chosen, so a reply is empty only
        where the model fills it with blanks.
        """
        room = min(request.sampling.max_new_tokens, self.card.context_tokens // 2)
        ids = self._prompt(request, room)
        request.trace.prompt = self.tokenizer.decode(ids)
        reader = ReplyReader(self.tokenizer)
        words = _after_my_tag(ids, self.tokenizer)
        for id_ in words:
            reader.read(id_)
        written: list[int] = []
        try:
            for id_ in islice(self._tokens(ids, words, request.sampling), room):
                written.append(id_)
                yield _clean(reader.read(id_))
                if reader.ended:
                    return
            yield _clean(reader.finish())
        finally:
            request.trace.output = self.tokenizer.decode(written)

    def _prompt(self, request: Request, room: int) -> list[int]:
        limit = self.card.context_tokens - room
        conversations = split_conversations(
            request.messages, self.card.gap_seconds, self.card.reply_gap_seconds
        )
        newest = deque(conversations, maxlen=1)
        ids = prompt(
            newest[0] if newest else [],
            self.tokenizer,
            limit,
            now=request.now,
            opening=request.opening.strip(),
        )
        return ids[-limit:]

    def _tokens(self, ids: list[int], words: list[int], sampling: Sampling) -> Iterator[int]:
        """Yield the tokens after a prompt without end, `words` being mine at its end."""
        forward = Forward(self.model)
        generator = torch.Generator()
        if sampling.seed is None:
            generator.seed()
        else:
            generator.manual_seed(sampling.seed)
        beginning = self.writable.clone()
        beginning[[self.tokenizer.tag(tag) for tag in _NO_BEGINNING]] = False
        while True:
            bare = beginning is not self.writable and not _readable(self.tokenizer.decode(words))
            if not bare:
                beginning = self.writable
            logits = forward(ids).masked_fill(~beginning, -torch.inf)
            ids = [choose(logits, sampling, generator)]
            words = words + ids if bare else words
            yield ids[0]


class Forward:
    """A model on its way through one sequence; each call goes on from the last."""

    def __init__(self, model: PreTrainedModel) -> None:
        """Begin a sequence."""
        takes = inspect.signature(model.forward).parameters
        self._model = model
        self._caches = "past_key_values" in takes
        self._options: dict[str, object] = {"use_cache": True} if self._caches else {}
        if "logits_to_keep" in takes:
            self._options["logits_to_keep"] = 1
        self._ids: list[int] = []

    @torch.inference_mode()
    def __call__(self, ids: list[int]) -> torch.Tensor:
        """Return the logits `(V,)` of the token after `ids`, in 32-bit floats on the CPU.

        A model without a key-value cache reads the whole sequence again.
        """
        if not self._caches:
            ids = self._ids = self._ids + ids
        found = self._model(torch.tensor([ids], device=self._model.device), **self._options)
        if self._caches:
            self._options["past_key_values"] = found.past_key_values
        logits: torch.Tensor = found.logits[0, -1]
        return logits.float().cpu()


def _after_my_tag(ids: list[int], tokenizer: Tokenizer) -> list[int]:
    """Return the words of mine at a prompt's end: those that the opening gave."""
    tags = {tokenizer.tag(tag) for tag in _BEFORE_WORDS}
    words = takewhile(lambda id_: id_ not in tags, reversed(ids))
    return list(words)[::-1]


def _readable(text: str) -> str:
    """Return a text without what byte-wise tokens leave where they form no character."""
    return text.replace("\ufffd", "").strip()


def _clean(part: Part | None) -> Part | None:
    if part is None:
        return None
    text = _readable(part.text)
    return replace(part, text=text) if text else None
