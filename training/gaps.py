"""The silence that ends a conversation, found from the silences of the chat itself."""

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Silences = Counter[int]
"""How often a chat was silent for about as long, by step (`step_of`)."""

USUAL_SECONDS = 43_200.0
SHORTEST_SECONDS = 1_800.0
LONGEST_SECONDS = 3 * 86_400.0
_AT_ONCE_SECONDS = 60.0
_STEPS_PER_DOUBLING = 4
_STEPS = 64
_FEWEST_SILENCES = 30
_LEAST_GAIN = 0.05


def step_of(seconds: float) -> int | None:
    """Return the step of a silence, a quarter of a doubling wide; None if it is none.

    Up to a minute nobody was silent: and some exports know no more than the minute.
    """
    if seconds <= _AT_ONCE_SECONDS:
        return None
    step = int(math.log2(seconds / _AT_ONCE_SECONDS) * _STEPS_PER_DOUBLING)
    return min(step, _STEPS - 1)


def find_gap(silences: Mapping[int, int]) -> float:
    """Return the silence in seconds that best parts pauses within talks from those between them.

    Two bell curves are laid over the logarithms of the silences, one on each side of every possible
    gap, and the gap where they fit best is taken. A chat with too few silences, or where two curves
    fit hardly better than one, has the usual gap of half a day.

    Source: minimum error thresholding, Kittler and Illingworth, Pattern Recognition 19 (1986).
    Unlike Otsu's it does not lean towards the larger side where pauses far outnumber ends.

    Args:
        silences: Counts by step, as `step_of` gives them.
    """
    counts = np.zeros(_STEPS)
    for step, count in silences.items():
        counts[step] = count
    if counts.sum() < _FEWEST_SILENCES:
        return USUAL_SECONDS
    edges = _AT_ONCE_SECONDS * 2 ** (np.arange(_STEPS) / _STEPS_PER_DOUBLING)
    possible = [
        step
        for step in range(1, _STEPS)
        if SHORTEST_SECONDS <= edges[step] <= LONGEST_SECONDS and _both_sides(counts, step)
    ]
    errors = [_error(counts, step) for step in possible]
    whole = 1 + 2 * math.log(_spread(counts))
    if not errors or min(errors) > whole - _LEAST_GAIN:
        return USUAL_SECONDS
    # Where nobody was ever silent for as long, any gap is as good: the middle is the safest.
    best = [number for number, error in enumerate(errors) if error < min(errors) + 1e-9]
    middle = best[len(best) // 2]
    # At the end of what is possible it would only get better beyond: no border has been found.
    return float(edges[possible[middle]]) if 0 < middle < len(errors) - 1 else USUAL_SECONDS


def median_gap(gaps: Mapping[float, int]) -> float:
    """Return the middle one of gaps in seconds, each counted as often as its number says."""
    half = sum(gaps.values()) / 2
    seen = 0
    for gap, count in sorted(gaps.items()):
        seen += count
        if seen >= half:
            return gap
    return USUAL_SECONDS


def _both_sides(counts: NDArray[np.float64], step: int) -> bool:
    least = max(4, 0.005 * counts.sum())
    return bool(counts[:step].sum() >= least and counts[step:].sum() >= least)


def _error(counts: NDArray[np.float64], step: int) -> float:
    error = 1.0
    for side in (counts[:step], counts[step:]):
        share = side.sum() / counts.sum()
        error += 2 * share * (math.log(_spread(side)) - math.log(share))
    return error


def _spread(counts: NDArray[np.float64]) -> float:
    """Return the standard deviation in steps, never less than a step: finer is not measured."""
    places = np.arange(len(counts))
    mean = np.average(places, weights=counts)
    return max(1.0, math.sqrt(np.average((places - mean) ** 2, weights=counts)))
