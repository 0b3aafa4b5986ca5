"""What a finished run leaves: the model, its card, its README.md and its report."""

import dataclasses
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers
from transformers import AutoModelForCausalLM, PreTrainedModel

import likeness
from likeness.calibration import Calibration
from likeness.card import OTHERS, RunCard, origin
from likeness.quotes import OthersWords
from training.base import SCRATCH
from training.checkpoint import checkpoints, finish, remove
from training.config import TrainConfig
from training.foresight import Predicted, predict, reply_silences
from training.held_out import keep_held_out
from training.listener import Listener
from training.measures import vocabulary
from training.memory import fitting
from training.mixing import Mixed, leave_mixed
from training.moments import Moment, draw_moments, keep_moments, keep_words
from training.portions import heard, portions
from training.readme import leave_card
from training.replies import answers
from training.report import compare, leave_report, quoting
from training.session import Session
from training.survey import Balance, Survey, is_target


@dataclass(frozen=True, slots=True)
class Kept:
    """What of the messages goes with the model, taken before the first step: the file may change.

    Attributes:
        me: Whom the model plays.
        balance: Where my messages went.
        gap_seconds: The silence that usually ends a conversation among my messages.
        reply_gap_seconds: The same before a reply of mine.
        silences: After which silences I answer.
        moments: Held-out moments at which I spoke.
    """

    me: str
    balance: Balance
    gap_seconds: float
    reply_gap_seconds: float
    silences: dict[str, float]
    moments: list[Moment]


def keep(
    messages: Path,
    run: Path,
    found: Survey,
    balance: Balance,
    config: TrainConfig,
    base: str = SCRATCH,
) -> Kept:
    """Take from the messages what goes with the model; the words go into the run's folder at once.

    Args:
        messages: The file that teaches.
        run: The run's folder.
        found: The file's survey.
        balance: Where my messages go.
        config: The run's settings.
        base: What the run begins with: a model folder's words of others stay others' words.

    Raises:
        MessagesError: The file cannot be read.
        LikenessError: The disk does not take it, or what a folder keeps is damaged.
    """
    words: set[str] = set()
    listener = Listener(run)
    for folder in (Path(base), run):  # where a run goes on, its base may be gone
        listener.recall(folder)
    for message, taught in heard(messages, found, config):
        # What I passed on, somebody else wrote.
        listener.hear(message.text, mine=is_target(message))
        if taught:
            words |= vocabulary([message.text])
    keep_words(run, words)
    listener.keep_others(run)
    gap_seconds = found.usual_gap_seconds(config)
    return Kept(
        me=found.me,
        balance=balance,
        gap_seconds=gap_seconds,
        reply_gap_seconds=max(gap_seconds, config.reply_gap_seconds),
        silences=reply_silences(portions(messages, found, config)),
        moments=draw_moments(portions(messages, found, config), config.report_replies, config.seed),
    )


def leave(kept: Kept, session: Session) -> RunCard:
    """Put the best weights into the run's folder, and the card last: without it, it is no model.

    Args:
        kept: What of the messages goes with them.
        session: The run, at its end.

    Raises:
        TrainingError: The disk does not take it; the checkpoints are as they were.
        LikenessError: The same.
    """
    run, config = session.run, session.trainer.plan.config
    finish(run, session.final_step)
    session.trainer.let_go()
    mixed = leave_mixed(session, _best_weights)
    model = _best_weights(session)
    if session.judge is not None:
        keep_held_out(run, model, session.judge)
    predicted = _predicted(model, session)
    set_right = {name: one.fit() for name, one in predicted.items()}
    others = OthersWords.load(run)
    card = _card(kept, session, mixed, set_right, len(others.numbers))
    keep_moments(run, kept.moments)
    written = answers(model, session.base.tags, kept.moments, card.context_tokens, config.seed)
    compared = compare(kept.moments, written) | {
        "reliability": {name: one.reliability(set_right[name]) for name, one in predicted.items()},
        "quoting": quoting(written, others),
        "replied": len(written),
    }
    leave_report(run, card, compared)
    leave_card(run, card)
    for checkpoint in checkpoints(run):
        remove(checkpoint)
    session.watch.saved(run)
    return card


def _card(
    kept: Kept,
    session: Session,
    mixed: Mixed | None,
    set_right: dict[str, Calibration],
    others: int,
) -> RunCard:
    return RunCard(
        name=session.run.name,
        me=kept.me,
        base=session.base.name,
        origin=origin(session.base.name),
        context_tokens=session.base.context_tokens,
        gap_seconds=kept.gap_seconds,
        reply_gap_seconds=kept.reply_gap_seconds,
        settings=dataclasses.asdict(session.trainer.plan.config),
        data={
            "sha256": session.identity["data"],
            **dataclasses.asdict(kept.balance),
            OTHERS: others,
        },
        metrics=_metrics(session, mixed),
        foresight={
            **{name: [line.slope, line.intercept] for name, line in set_right.items()},
            "silences": kept.silences,
        },
        versions=versions(),
    )


def _best_weights(session: Session) -> PreTrainedModel:
    device = session.trainer.device
    with fitting(device):
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(session.run)
        model.to(device)  # type: ignore[arg-type]  # its wrapper hides self
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
