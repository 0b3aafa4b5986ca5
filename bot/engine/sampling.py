"""From logits to the next token: what may be chosen, with which probability, and the choice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.engine import Sampling
from likeness.errors import ModelError

_FARTHEST = 200.0
"""So many nats below the best nothing has a probability that a 32-bit float can tell from 0."""
_BLOCK = 256
_COLDEST = np.finfo(np.float32).tiny

Floats = NDArray[np.float32]
Ids = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a token is drawn from.

    Attributes:
        ids: Those that may be chosen, ascending; None for every id.
        scores: Their logits over the temperature, the greatest 0; -inf for what is banned.
    """

    ids: Ids | None
    scores: Floats

    def narrowed(self, places: Ids) -> "Choice":
        """Return what stands at some of its places, which ascend."""
        ids = places if self.ids is None else self.ids[places]
        return Choice(ids, self.scores[places])


def refuse_no_number(largest: np.floating[Any]) -> None:
    """Refuse logits whose largest is no number.

    Raises:
        ModelError: It is none, or has no end.
    """
    if not np.isfinite(largest):
        raise ModelError("The model computed something that is no number: train it again.")


def choose(logits: Floats, sampling: Sampling, number: float) -> int:
    """Return the next token's id; nothing but `number` decides between equal calls.

    The ids divide [0, 1) among them in their own order, each as much as its probability. So a
    rounding error in the logits, as between a warm and a cold cache, moves borders by as little.

    Args:
        logits: `(V,)`, -inf for what is banned; at least one is not.
        sampling: How to choose; at temperature 0 the likeliest.
        number: From 0 to below 1.

    Raises:
        ModelError: The model's numbers are none.
    """
    best = int(logits.argmax())
    refuse_no_number(logits[best])
    if sampling.temperature == 0:
        return best
    choice = candidates(logits, sampling)
    place = _place(np.exp(choice.scores), number)
    return place if choice.ids is None else int(choice.ids[place])


def candidates(logits: Floats, sampling: Sampling) -> Choice:
    """Return what the next token is drawn from, for a temperature above 0.

    Temperature, top-k, top-p, min-p and typical are applied in this order, each to what the last
    left. Each looks at the likeliest few alone where they are enough, and sorts nothing else.

    Source: the order and the borders are those of transformers' `TemperatureLogitsWarper`,
    `TopKLogitsWarper`, `TopPLogitsWarper`, `MinPLogitsWarper` and `TypicalLogitsWarper`, compared
    by a test.
    """
    scores = logits - logits.max()
    with np.errstate(over="ignore"):  # far below the best is never
        scores /= max(np.float32(sampling.temperature), _COLDEST)
    choice = Choice(None, scores)
    if 0 < sampling.top_k < len(scores):
        choice = _top_k(choice, sampling.top_k)
    if sampling.top_p < 1:
        choice = _top_p(choice, sampling.top_p)
    if sampling.min_p > 0:
        choice = choice.narrowed(np.flatnonzero(choice.scores >= np.log(sampling.min_p)))
    if sampling.typical_p < 1:
        choice = _typical(choice, sampling.typical_p)
    return choice


def _top_k(choice: Choice, count: int) -> Choice:
    near = _near(choice.scores, lambda places: len(places) >= count)
    least = np.partition(choice.scores[near], -count)[-count]
    return choice.narrowed(near[choice.scores[near] >= least])


def _top_p(choice: Choice, share: float) -> Choice:
    wanted = share * _mass(choice.scores)
    near = _near(choice.scores, lambda places: _mass(choice.scores[places]) >= wanted)
    scores = choice.scores[near]
    ordered = np.sort(scores)[::-1]  # of numbers alone: many times faster than to sort places
    reached = np.cumsum(np.exp(ordered), dtype=np.float64) >= wanted
    count = int(reached.argmax()) + 1 if reached[-1] else len(ordered)
    least = ordered[count - 1]
    taken = scores > least
    equals = np.flatnonzero(scores == least)
    taken[equals[: count - int(taken.sum())]] = True
    return choice.narrowed(near[taken])


def _typical(choice: Choice, share: float) -> Choice:
    possible = np.flatnonzero(choice.scores > -np.inf)
    choice = choice.narrowed(possible)
    surprise = np.log(np.exp(choice.scores).sum()) - choice.scores
    probabilities = np.exp(-surprise)
    distance = np.abs(surprise - (surprise * probabilities).sum())
    near = _near(-distance, lambda places: float(probabilities[places].sum()) >= share, reach=1.0)
    order = np.argsort(distance[near], kind="stable")
    masses = np.cumsum(probabilities[near][order])
    last = min(int((masses < share).sum()), len(order) - 1)
    return choice.narrowed(near[distance[near] <= distance[near][order[last]]])


def _near(scores: Floats, enough: Callable[[Ids], bool], reach: float = 4.0) -> Ids:
    """Return the places whose scores are not far below 0, as many as are enough, or all.

    Args:
        scores: Of each place, in nats, 0 the best that there can be.
        enough: Whether places are enough.
        reach: What is tried first.
    """
    while True:
        near = np.flatnonzero(scores >= -reach)
        if len(near) == len(scores) or reach == np.inf or enough(near):
            return near
        reach = reach * 1.5 if reach < _FARTHEST else np.inf


def _mass(scores: Floats) -> float:
    return float(np.exp(scores).sum())


def _place(masses: Floats, number: float) -> int:
    """Return which of the masses holds the given share of their sum.

    Sums over blocks are found first, so that only one block is summed up number by number.
    """
    starts = np.arange(0, len(masses), _BLOCK)
    ends = np.cumsum(np.add.reduceat(masses, starts), dtype=np.float64)
    aim = number * ends[-1]
    block = min(int(np.searchsorted(ends, aim, side="right")), len(starts) - 1)
    begin = int(starts[block])
    inner = np.cumsum(masses[begin : begin + _BLOCK], dtype=np.float64)
    before = ends[block - 1] if block else 0.0
    place = begin + int(np.searchsorted(inner, aim - before, side="right"))
    if place < begin + len(inner) and masses[place] > 0:
        return place
    return int(np.flatnonzero(masses[: begin + len(inner)])[-1])  # rounding led past the last one
