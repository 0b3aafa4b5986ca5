"""What a model expects beside words: whether they are done, whose turn it is, how late I am."""

import math
from collections.abc import Sequence
from contextlib import ExitStack, closing

import numpy as np
from numpy.typing import NDArray

from bot.engine import Outlook
from bot.engine.caches import Caches
from bot.engine.models import Reading
from bot.engine.sampling import refuse_no_number
from bot.engine.scheduler import Steps
from likeness.calibration import Calibration
from likeness.card import RunCard
from likeness.dialogue import (
    END_OF_TURN,
    ME,
    NEXT_MESSAGE,
    SILENCES,
    SPEAKERS,
    Tokenizer,
)

_AT_ONCE_SECONDS = 10.0


def look_ahead(
    ids: Sequence[int], late: int | None, tokenizer: Tokenizer, card: RunCard, caches: Caches
) -> Steps[Outlook]:
    """Ask what comes next in a chat; what was read of it serves its next reply.

    Args:
        ids: The chat until now, ending with words and a newline: `likeness.dialogue.context`.
        late: The tag of the silence since then, if there was one.
        tokenizer: Of the model.
        card: Of the model.
        caches: Of the engine.

    Raises:
        ModelError: The model's numbers are none.
    """
    text = list(ids)
    with caches.use(text) as cache, ExitStack() as forks:
        cache.cut(min(cache.length, len(text) - 2))
        (found,) = yield [Reading(cache, text[cache.length :], wanted=2)]
        before_end, after_end = found[0].copy(), found[1].copy()
        silences = [tokenizer.tag(name) for name in SILENCES]
        later = [forks.enter_context(closing(cache.fork())) for _ in silences]
        then = yield [Reading(fork, [id_]) for fork, id_ in zip(later, silences, strict=True)]
        after = {id_: logits[-1].copy() for id_, logits in zip(silences, then, strict=True)}
    speakers = [tokenizer.tag(name) for name in SPEAKERS]
    mine = tokenizer.tag(ME)
    ends = [tokenizer.tag(END_OF_TURN), tokenizer.tag(NEXT_MESSAGE)]
    first = _shares(after_end, [mine, *silences])
    mine_after = [_shares(after[id_], speakers)[speakers.index(mine)] for id_ in silences]
    yield Outlook(
        finished=_set_right(card, "finished", _shares(before_end, ends)[0]),
        my_turn=_set_right(
            card,
            "my_turn",
            _shares(after_end if late is None else after[late], speakers)[speakers.index(mine)],
        ),
        silence_seconds=_typical(card, [first[0], *first[1:] * mine_after]),
    )


def _shares(logits: NDArray[np.float32], among: Sequence[int]) -> NDArray[np.float64]:
    """Return the probability of each of some tokens, one of them being certain to come."""
    chosen = logits[list(among)].astype(np.float64)
    refuse_no_number(chosen.max())
    weights = np.exp(chosen - chosen.max())
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _set_right(card: RunCard, question: str, probability: float) -> float:
    slope, intercept = card.foresight.get(question, (1.0, 0.0))
    return Calibration(slope, intercept)(probability)


def _typical(card: RunCard, weights: Sequence[float]) -> float:
    """Return the geometric mean of my usual silences, each as likely as the model says."""
    usual = {"": _AT_ONCE_SECONDS, **SILENCES} | card.foresight.get("silences", {})
    logs = [math.log(max(usual[tag], 1.0)) for tag in ("", *SILENCES)]
    return math.exp(float(np.average(logs, weights=weights)))
