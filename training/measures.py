"""How replies are written, in figures: mine and the model's are held against each other by them."""

import re
import statistics
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

_PICTURE = (
    "[\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff]"
    "[\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
)
_EMOJI = re.compile(f"[\U0001f1e6-\U0001f1ff]{{1,2}}|{_PICTURE}(?:\u200d{_PICTURE})*")
"""As people see it: a flag is one, and so is a family, or a hand with the colour of its skin."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_REPEATED_WORDS = 3

Reply = Sequence[str]
"""The messages of one turn."""


def measures(reply: Reply) -> dict[str, int]:
    """Return how long a reply is, of how many messages, and how many emoji it has."""
    return {
        "characters": sum(map(len, reply)),
        "messages": len(reply),
        "emoji": sum(len(_EMOJI.findall(text)) for text in reply),
    }


def distinct_pairs(replies: Sequence[Reply]) -> float:
    """Return which share of the pairs of neighbouring words is said for the first time.

    Source: distinct-2, Li et al., A Diversity-Promoting Objective Function for Neural Conversation
    Models (2016).
    """
    pairs = [pair for reply in replies for pair in pairwise(_words(reply))]
    return len(set(pairs)) / len(pairs) if pairs else 1.0


def repetition(replies: Sequence[Reply]) -> float:
    """Return which share of the replies says the same three words twice."""
    return statistics.fmean(_repeats(_words(reply)) for reply in replies) if replies else 0.0


def vocabulary(texts: Iterable[str]) -> set[str]:
    """Return the words of some texts, without regard to capitals."""
    return {word for text in texts for word in _WORD.findall(text.casefold())}


def unheard(reply: Reply, known: Collection[str]) -> int:
    """Return how many of a reply's words are not among those that are known."""
    return sum(word not in known for text in reply for word in _WORD.findall(text.casefold()))


def misfit(
    mine: Sequence[Reply], models: Sequence[Reply], known: Collection[str] | None = None
) -> dict[str, float]:
    """Return how differently two people reply at the same moments, by measure; 0 for alike.

    For a reply's length, messages and emoji it is the distance between the two distributions (how
    far one would have to move, on the average), in standard deviations of mine, and for unheard
    words how many more there are in a reply; for new pairs of words and for repetition the
    difference of the shares.

    Args:
        mine: One reply of mine for each moment.
        models: As many of the model's.
        known: All words that taught it. I use some others now and then; a model that makes up words
            uses more.

    Source: between samples of one size, Wasserstein's distance is the mean distance of the sorted.
    """
    one, other = [list(map(measures, replies)) for replies in (mine, models)]
    found = {
        name: _distance([m[name] for m in one], [m[name] for m in other])
        for name in ("characters", "messages", "emoji")
    }
    if known is not None:
        ours, theirs = ([unheard(reply, known) for reply in who] for who in (mine, models))
        excess = statistics.fmean(theirs) - statistics.fmean(ours)
        found["unheard words"] = max(0.0, excess) / _spread(ours)
    found["new pairs of words"] = abs(distinct_pairs(mine) - distinct_pairs(models))
    found["repetition"] = abs(repetition(mine) - repetition(models))
    return found


def _distance(mine: Sequence[float], others: Sequence[float]) -> float:
    moved = (abs(a - b) for a, b in zip(sorted(mine), sorted(others), strict=True))
    return statistics.fmean(moved) / _spread(mine)


def _spread(mine: Sequence[float]) -> float:
    return max(statistics.pstdev(mine), 0.5)


def _words(reply: Reply) -> list[str]:
    return " ".join(reply).casefold().split()


def _repeats(words: Sequence[str]) -> bool:
    runs = [tuple(words[n : n + _REPEATED_WORDS]) for n in range(len(words) - _REPEATED_WORDS + 1)]
    return len(set(runs)) < len(runs)
