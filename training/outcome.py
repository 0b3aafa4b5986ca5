"""What a finished run leaves: the model, its card, its README.md and its report."""

import dataclasses
import platform
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers
from transformers import AutoModelForCausalLM, PreTrainedModel

import likeness
from likeness.card import RunCard, origin
from training.checkpoint import checkpoints, finish, remove
from training.foresight import Predicted, predict, reply_silences
from training.held_out import keep_held_out
from training.mixing import Mixed, leave_mixed
from training.moments import draw_moments, keep_moments, keep_words
from training.portions import portions, train_texts
from training.readme import leave_card
from training.replies import answers
from training.report import compare, leave_report
from training.session import Session
from training.survey import Balance, Survey


def leave(messages: Path, found: Survey, balance: Balance, session: Session) -> RunCard:
    """Put the best weights into the run's folder, and the card last: without it, it is no model.

    Args:
        messages: The file that taught.
        found: Its survey.
        balance: Where my messages went.
        session: The run, at its end.

    Raises:
        TrainingError: The disk does not take it; the checkpoints are as they were.
        LikenessError: The same.
    """
    run, config = session.run, session.trainer.plan.config
    finish(run, session.final_step)
    session.trainer.let_go()
    mixed = leave_mixed(session, _best_weights(session))
    model = _best_weights(session)
    if session.judge is not None:
        keep_held_out(run, model, session.judge)
    predicted = _predicted(model, session)
    set_right = {name: one.fit() for name, one in predicted.items()}
    card = RunCard(
        name=run.name,
        me=found.me,
        base=session.base.name,
        origin=origin(session.base.name),
        context_tokens=session.base.context_tokens,
        gap_seconds=found.usual_gap_seconds(config),
        reply_gap_seconds=config.reply_gap_seconds,
        settings=dataclasses.asdict(config),
        data={"sha256": session.identity["data"], **dataclasses.asdict(balance)},
        metrics=_metrics(session, mixed),
        foresight={
            **{name: [line.slope, line.intercept] for name, line in set_right.items()},
            "silences": reply_silences(portions(messages, found, config)),
        },
        versions=versions(),
    )
    moments = draw_moments(portions(messages, found, config), config.report_replies, config.seed)
    keep_moments(run, moments)
    keep_words(run, train_texts(messages, found, config))
    compared = compare(
        moments, answers(model, session.base.tags, moments, card.context_tokens, config.seed)
    )
    reliability = {name: one.reliability(set_right[name]) for name, one in predicted.items()}
    leave_report(run, card, compared | {"reliability": reliability})
    leave_card(run, card)
    for checkpoint in checkpoints(run):
        remove(checkpoint)
    session.watch.saved(run)
    return card


def _best_weights(session: Session) -> PreTrainedModel:
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(session.run)
    model.to(session.trainer.device)  # type: ignore[arg-type]  # its wrapper hides self
    return model


def _predicted(model: PreTrainedModel, session: Session) -> dict[str, Predicted]:
    """Ask the best weights what comes next, wherever the held-out messages tell the truth."""
    if session.judge is None:
        return {}
    return predict(model, session.judge.windows, session.base.tags)


def _metrics(session: Session, mixed: Mixed | None) -> dict[str, Any]:
    progress = session.progress
    after = mixed.evaluation if mixed else progress.best
    return {
        "before": dataclasses.asdict(progress.before) if progress.before else None,
        "after": dataclasses.asdict(after) if after else None,
        "best_step": session.final_step,
        "steps": session.trainer.step,
        "learnt_share": mixed.share if mixed else 1.0,
    }


def versions() -> dict[str, str]:
    """Return what a model was made with."""
    return {
        "likeness": likeness.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "transformers": transformers.__version__,
        "tokenizers": tokenizers.__version__,
    }
