"""One reply, token by token: what is read for it, what is chosen, what is said."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bot.engine import Sampling, Trace
from bot.engine.asking import given_words
from bot.engine.caches import Caches
from bot.engine.grammar import Grammar, Position, readable
from bot.engine.guard import NO_GUARD, Guard
from bot.engine.models import Cache, Reading
from bot.engine.repetition import Echo, Loop
from bot.engine.sampling import choose
from bot.engine.scheduler import Steps
from likeness.dialogue import Part, ReplyReader
from likeness.messages import Message

_TRIES = 3
"""How often a reply is written at the most until it is none that was just given."""


@dataclass(frozen=True, slots=True)
class Request:
    """A reply that is to be written.

    Attributes:
        ids: The prompt.
        room: How many tokens the reply has at the most.
        sampling: How to choose them.
        messages: The chat; the reply should not be one of my newest turns in it again.
        guard: Which messages it refuses.
        trace: Filled with the prompt and what was written.
    """

    ids: Sequence[int]
    room: int
    sampling: Sampling
    messages: Sequence[Message] = ()
    guard: Guard = NO_GUARD
    trace: Trace = field(default_factory=Trace)


def write(request: Request, grammar: Grammar, caches: Caches) -> Steps[Part]:
    """Write a reply: each message as soon as it is whole and not the beginning of an old answer.

    A reply that is one of my newest turns again, or begins with what the guard refuses, is written
    anew from other random numbers. What it refuses is not said in any case: a reply ends before it.
    What was read stays in the cache, for the chat's next reply.
    """
    prompt, text = len(request.ids), list(request.ids)
    request.trace.prompt = grammar.tokenizer.decode(text)
    until = time.monotonic() + request.sampling.max_seconds
    tries = _TRIES if request.sampling.temperature else 1
    with caches.use(text) as cache:
        (found,) = yield [Reading(cache, text[cache.length :])]
        first = found[-1].copy()
        try:
            for number in range(tries):
                draft = Draft(request, grammar, number, last=number == tries - 1)
                yield from _tokens(draft, cache, text, first, until)
                parts = draft.finish()
                if not draft.refused or time.monotonic() >= until:
                    break
                cache.cut(prompt)
                del text[prompt:]
            yield from parts
        finally:
            request.trace.output = grammar.tokenizer.decode(text[prompt:])


def _tokens(
    draft: "Draft", cache: Cache, text: list[int], logits: NDArray[np.float32], until: float
) -> Steps[Part]:
    """Choose one token after the other, until the reply ends, has no more room or no more time.

    Args:
        draft: What chooses.
        cache: Of the text.
        text: The prompt; grows by the reply.
        logits: `(V,)` of what may follow the prompt.
        until: When to stop, by `time.monotonic`.
    """
    end = len(text) + draft.request.room
    while True:
        id_ = draft.choose(logits)
        text.append(id_)
        yield from draft.read(id_)
        if draft.ended or len(text) >= end or time.monotonic() >= until:
            return
        (found,) = yield [Reading(cache, [id_])]
        logits = found[-1]


class Draft:
    """One try at a reply.

    Attributes:
        request: What was asked.
        refused: Whether it was given before, or the guard refuses it, and nothing was said yet.
    """

    def __init__(self, request: Request, grammar: Grammar, number: int, *, last: bool) -> None:
        """Begin.

        Args:
            request: What was asked.
            grammar: Of the model.
            number: Which try it is; each has random numbers of its own.
            last: Whether it is said in any case.
        """
        self.request = request
        self.refused = False
        self._position = Position(grammar)
        self._reader = ReplyReader(grammar.tokenizer)
        self._loop = Loop()
        self._last = last
        self._echo = None if last else Echo(request.messages)
        self._held: list[Part] = []
        self._spoken = self._ends = False
        seed = request.sampling.seed
        self._random = np.random.default_rng(None if seed is None else [seed % 2**64, number])
        opening = given_words(request.ids, grammar.tokenizer)
        self._position.read(opening)
        for id_ in opening:
            self._reader.read(id_)

    @property
    def ended(self) -> bool:
        """Whether the reply ends here."""
        return self._reader.ended or self._ends

    def choose(self, logits: NDArray[np.float32]) -> int:
        """Return the next token."""
        allowed = self._position.allow(logits, self._loop.banned)
        return choose(allowed, self.request.sampling, self._random.random())

    def read(self, id_: int) -> list[Part]:
        """Go on by a token; return the messages that can be said now."""
        self._position.read([id_])
        self._loop.read(id_)
        return self._say(self._reader.read(id_))

    def finish(self) -> list[Part]:
        """Return what is still to be said, with the message that has no end yet."""
        parts = self._say(self._reader.finish())
        again = self._echo is not None and bool(self._held) and self._echo.whole
        self.refused = again or (self._ends and not self._last and not self._spoken)
        return [*parts, *self._held]

    def _say(self, part: Part | None) -> list[Part]:
        """Hold a message back while all of the reply is how one of my newest turns began."""
        text = readable(part.text) if part else ""
        if not part or not text or self._ends:
            return []
        if self.request.guard.refuses(text):
            self._ends = True
            return []
        self._held.append(replace(part, text=text))
        if self._echo is not None and self._echo.hear(text):
            return []
        said, self._held, self._spoken = self._held, [], True
        return said
