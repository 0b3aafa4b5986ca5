"""The best of several replies: one that fits this chat, and not just any."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.engine.caches import Caches
from bot.engine.grammar import Grammar
from bot.engine.models import Cache, Reading
from bot.engine.scheduler import Steps
from bot.engine.writing import Draft, Request
from likeness.dialogue import Part, prompt

_BARE_TOKENS = 16
_TOKENS_AT_ONCE = 256
"""After each of them there are as many logits as the model knows tokens: for GPT-2 200 KB."""


def write_best(request: Request, grammar: Grammar, caches: Caches) -> Steps[Part]:
    """Write `best_of` replies side by side, and say the one that fits this chat best.

    A reply fits by how much likelier it is after this chat than after nothing: what could be said
    anywhere is worth less. One of my newest turns once more is said only if all are.

    Source: Li et al., A Diversity-Promoting Objective Function for Neural Conversation Models
    (2016), MMI-antiLM, the mean over the tokens so that long replies are not at a disadvantage.
    """
    text = list(request.ids)
    request.trace.prompt = grammar.tokenizer.decode(text)
    until = time.monotonic() + request.sampling.max_seconds
    with caches.use(text) as cache, ExitStack() as forks:
        (found,) = yield [Reading(cache, text[cache.length :])]
        first = found[-1].copy()
        drafts: list[_Candidate] = []
        for number in range(request.sampling.best_of):
            fork = forks.enter_context(closing(cache.fork()))
            drafts.append(_Candidate(Draft(request, grammar, number, last=False), fork))
            drafts[-1].take(first, until)
        while writing := [draft for draft in drafts if not draft.done]:
            after = yield [Reading(draft.cache, draft.ids[-1:]) for draft in writing]
            for draft, logits in zip(writing, after, strict=True):
                draft.take(logits[-1], until)
    parts = [[*draft.parts, *draft.draft.finish()] for draft in drafts]
    replies = [draft.ids for draft in drafts]
    anywhere = yield from likelihoods(prompt([], grammar.tokenizer, _BARE_TOKENS), replies, caches)
    scores = [
        (not draft.draft.refused, fitness(draft.likely, bare, request.sampling.novelty))
        for draft, bare in zip(drafts, anywhere, strict=True)
    ]
    best = max(range(len(drafts)), key=scores.__getitem__)
    request.trace.output = grammar.tokenizer.decode(replies[best])
    yield from parts[best]


def fitness(here: Sequence[float], anywhere: Sequence[float], novelty: float) -> float:
    """Return how well a reply fits: its mean log-probability, less a share of that without a chat.

    Args:
        here: The log-probability of each of its tokens after the chat.
        anywhere: The same after nothing.
        novelty: The share.
    """
    return float(np.mean(here) - novelty * np.mean(anywhere))


def likelihoods(
    ids: Sequence[int], replies: Sequence[Sequence[int]], caches: Caches
) -> Generator[list[Reading], Any, list[list[float]]]:
    """Read replies after a prompt, a few in one step: a part of some `Steps`.

    Returns:
        For each reply the log-probability of each of its tokens.
    """
    text = list(ids)
    likely: list[list[float]] = []
    with caches.use(text) as cache:
        cache.cut(min(cache.length, len(text) - 1))
        if rest := text[cache.length : -1]:
            yield [Reading(cache, rest)]
        for some in _few(replies):
            likely += yield from _likelihoods(cache, text[-1], some)
    return likely


def _likelihoods(
    cache: Cache, last: int, replies: Sequence[Sequence[int]]
) -> Generator[list[Reading], Any, list[list[float]]]:
    """Read replies in one step, after what a cache holds and one more token."""
    with ExitStack() as forks:
        found = yield [
            Reading(
                forks.enter_context(closing(cache.fork())), [last, *reply[:-1]], wanted=len(reply)
            )
            for reply in replies
        ]
        return [
            [log_probability(logits, id_) for logits, id_ in zip(rows, reply, strict=True)]
            for rows, reply in zip(found, replies, strict=True)
        ]


def _few(replies: Sequence[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    """Part replies, so that the logits of those read at once take little memory."""
    some: list[Sequence[int]] = []
    for reply in replies:
        if some and sum(map(len, some)) + len(reply) > _TOKENS_AT_ONCE:
            yield some
            some = []
        some.append(reply)
    if some:
        yield some


def log_probability(logits: NDArray[np.float32], id_: int) -> float:
    """Return the natural logarithm of a token's probability, by all the logits `(V,)`."""
    best = float(logits.max())
    mass = float(np.exp(logits - best).sum(dtype=np.float64))
    return float(logits[id_]) - best - float(np.log(mass))


@dataclass(slots=True)
class _Candidate:
    """A reply on its way.

    Attributes:
        draft: What chooses its tokens.
        cache: Of its text.
        ids: Its tokens.
        likely: The log-probability of each.
        parts: Its messages.
        done: Whether it has ended, or has no more room or time.
    """

    draft: Draft
    cache: Cache
    ids: list[int] = field(default_factory=list)
    likely: list[float] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    done: bool = False

    def take(self, logits: NDArray[np.float32], until: float) -> None:
        """Go on by a token."""
        id_ = self.draft.choose(logits)
        self.ids.append(id_)
        self.likely.append(log_probability(logits, id_))
        self.parts += self.draft.read(id_)
        full = len(self.ids) >= self.draft.request.room
        self.done = self.draft.ended or full or time.monotonic() >= until
