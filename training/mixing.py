"""How far from its base a model should go: held-out messages say where between both it is best.

Weights between a base and what it has become are often better than either, the more so the more the
base knew already.

Source: "Robust fine-tuning of zero-shot models" (Wortsman et al., 2022).
"""

import dataclasses
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from likeness.errors import BadSetting, BaseUnavailable, TrainingError
from training.base import SCRATCH, open_base
from training.checkpoint import replace_weights
from training.evaluate import Evaluation, Judge
from training.loss import Scorer, scorer_for
from training.session import Session
from training.team import ALONE

log = logging.getLogger(__name__)

SHARES = (0.85, 0.7, 0.5, 0.3)
"""Of the way from the base to what was learnt, tried in this order until one is no better."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """Where a model has come to stand.

    Attributes:
        share: Of the way from the base to what was learnt; 1: nothing of the base is mixed in.
        evaluation: Of the weights there.
    """

    share: float
    evaluation: Evaluation


def leave_mixed(
    session: Session, best_weights: Callable[[Session], PreTrainedModel]
) -> Mixed | None:
    """Mix a run's best weights with its base's, and put them into its folder if that is better.

    Args:
        session: The run, at its end, with its best weights in its folder.
        best_weights: Loads those weights.

    Returns:
        What was found; None where nothing can be: nothing is held out, the base knew nothing, it is
        not to be, or the base is gone meanwhile, or another, or there is no memory for it.

    Raises:
        TrainingError: The disk does not take the weights; the folder is as it was.
    """
    config, name = session.trainer.plan.config, session.base.name
    if session.judge is None or not config.mix or name == SCRATCH:
        return None
    try:
        base = open_base(name, config, list).model
    except (BaseUnavailable, BadSetting, TrainingError) as error:
        log.warning("Nothing of the base is mixed in: %s", error)
        return None
    learnt = best_weights(session)
    if _shapes(learnt) != _shapes(base):
        log.warning("Nothing of the base is mixed in: %s holds another model by now", name)
        return None
    judge = dataclasses.replace(session.judge, team=ALONE)
    found = mixed(scorer_for(learnt, session.trainer.width), base, judge)
    if found.share < 1:
        replace_weights(session.run, dataclasses.replace(session.base, model=learnt))
    return found


def mixed(scorer: Scorer, base: PreTrainedModel, judge: Judge) -> Mixed:
    """Move a model towards its base as long as it predicts what is held out better.

    My words are what counts, and may be few; so everybody's count beside them, by as much.

    Args:
        scorer: Of the model, whose weights are changed in place.
        base: What it was; of the same shape.
        judge: Evaluates.
    """
    best, stands = Mixed(1.0, judge.evaluate(scorer)), 1.0
    for share in SHARES:
        _shorten(scorer.model, base, share / stands)
        stands = share
        evaluation = judge.evaluate(scorer)
        if _nats(evaluation) >= _nats(best.evaluation):
            break
        best = Mixed(share, evaluation)
    _shorten(scorer.model, base, best.share / stands)
    return best


def _shapes(model: PreTrainedModel) -> dict[str, torch.Size]:
    return {name: weights.shape for name, weights in model.named_parameters()}


def _nats(evaluation: Evaluation) -> float:
    """Return the loss of a token of mine, and of a token of anybody's, together."""
    return math.log(evaluation.perplexity) + evaluation.loss


def _shorten(model: PreTrainedModel, base: PreTrainedModel, factor: float) -> None:
    """Multiply how far a model is from its base."""
    with torch.no_grad():
        for own, origin in zip(model.parameters(), base.parameters(), strict=True):
            own.lerp_(origin.to(own.device), 1 - factor)
