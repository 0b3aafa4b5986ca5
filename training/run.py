"""A run from messages.jsonl to a finished model folder, and back on its feet after a stop."""

import dataclasses
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from likeness.card import FILE_NAME, RunCard
from likeness.dialogue import PROMPT_VERSION
from likeness.errors import BaseUnavailable, CannotResume, Interrupted
from likeness.files import fingerprint
from training.base import Base, open_base, quiet
from training.checkpoint import Checkpoint, checkpoints
from training.config import TrainConfig
from training.corpus import Corpus, build_corpus
from training.device import pick_device
from training.evaluate import Evaluation, Judge
from training.events import with_events
from training.folder import (
    begin,
    empty,
    last_checkpoint,
    refuse_finished,
    refuse_taken,
    sweep,
)
from training.lock import only_trainer
from training.loop import Trainer
from training.lora import prepared
from training.loss import looks_ahead, sees_apart
from training.outcome import keep, leave
from training.plan import Plan
from training.portions import train_texts
from training.rows import WindowsBuilder
from training.session import Session
from training.survey import Balance, Survey, survey
from training.team import ALONE, Team, device_name
from training.vocabulary import vocabulary_size
from training.watch import Step, Watch

__all__ = ["Balance", "Evaluation", "Step", "Watch", "train"]

log = logging.getLogger(__name__)

_FREE_TO_CHANGE = (
    "device",
    "shard",
    "save_every",
    "eval_batch_rows",
    "report_replies",
    "mix",
    "last_lesson",
)
"""Settings that a run may go on with differently: they do not change what it learns."""
_BEFORE_THEY_WERE = {"mask": 0}
"""As what settings do that a run does not name as it was begun before there were such."""


@dataclass(frozen=True, slots=True)
class _Task:
    """What `train` was asked for."""

    messages: Path
    run: Path
    base: str
    config: TrainConfig
    speaker: str | None
    command: str

    def identity(self) -> dict[str, Any]:
        """Return what must be the same to go on, as plain values."""
        return {
            "prompt": PROMPT_VERSION,
            "data": fingerprint(self.messages),
            "base": self.base,
            "speaker": self.speaker,
            "config": dataclasses.asdict(self.config),
        }

    def how_to_go_on(self) -> str:
        """Return the end of a sentence at Ctrl-C."""
        return f" Go on with: {self.command}" if self.command else ""


def train(
    messages: Path,
    run: Path,
    *,
    base: str,
    config: TrainConfig,
    speaker: str | None,
    resume: bool,
    watch: Watch,
    team: Team = ALONE,
    command: str = "",
) -> RunCard:
    """Fine-tune a base on a file of messages, and leave a model folder.

    Args:
        messages: A `messages.jsonl`.
        run: The folder to make.
        base: A model's name on the hub, a local folder, `starter` or `scratch`.
        config: All settings.
        speaker: The name or id of whom to play instead of the file's owner.
        resume: Go on from the run's last checkpoint.
        watch: Is told what happens.
        team: The processes that train together; all call this, the first alone writes.
        command: What to type to go on with this run, for the sentence at Ctrl-C.

    Returns:
        The card of the model, as it stands in its folder.

    Raises:
        RunExists: The folder is taken, and `resume` was not asked for; or another process is at it.
        CannotResume: There is no checkpoint, or it was made from other data or settings.
        Interrupted: Ctrl-C or SIGTERM; the sentence holds the command.
        BaseUnavailable: The base cannot be loaded.
        BadSetting: A setting does not fit the base or the machine.
        OwnerUnknown: Nobody can tell who is to be played.
        NothingToLearn: No message could teach.
        MessagesError: The file cannot be read.
        ModelError: What the base keeps of others' words is damaged.
        TrainingError: The disk is full, or the loss is no number any more.
    """
    task = _Task(messages, run, base, config, speaker, command)
    with only_trainer(run) if team.leads else nullcontext(), quiet():
        last = _in_order(run, team, resume=resume)
        with (
            _nothing_half_done(task, fresh=team.leads and not resume),
            with_events(run, watch, wanted=team.leads) as watch,
        ):
            return _trained(task, last, watch, team)


def _in_order(run: Path, team: Team, *, resume: bool) -> Checkpoint | None:
    """Put a run's folder in order, which the first process does, and return where to go on from."""
    if team.leads and resume:
        refuse_finished(run)
        sweep(run)
    elif team.leads:
        refuse_taken(run)
    team.wait()
    return last_checkpoint(run) if resume else None


def _trained(task: _Task, last: Checkpoint | None, watch: Watch, team: Team) -> RunCard:
    found = survey(task.messages, task.speaker, masking=bool(task.config.mask))
    session, corpus = _open(task, found, last, watch, team)
    kept = None
    if team.leads:
        kept = keep(task.messages, task.run, found, corpus.balance, task.config, task.base)
    try:
        session.go()
        if kept:
            leave(kept, session)
        team.wait()
        return RunCard.read(task.run)
    except KeyboardInterrupt as stop:
        raise _interrupted(task, session) from stop


def _open(
    task: _Task, found: Survey, last: Checkpoint | None, watch: Watch, team: Team
) -> tuple[Session, Corpus]:
    config, identity = task.config, task.identity()
    state = last.state() if last else None
    if state:
        _refuse_other(task.run, state["identity"], identity)
    device = pick_device(device_name(config.device, team))
    # What LoRA learns is kept by itself, beside the base it began with.
    base = _base(task, found, last if state and state["adapter"] is None else None)
    watch.base(base.description)
    tags = base.tags
    corpus = build_corpus(
        task.messages, found, config, tags, base.context_tokens,
        lambda: WindowsBuilder(task.run, vocabulary_size(base.model)),
    )  # fmt: skip
    watch.corpus(corpus.balance)
    row_tokens = base.context_tokens if sees_apart(base.model) else None
    base = prepared(base, config)
    judge = None
    if len(corpus.held_out):
        judge = Judge(
            corpus.held_out, corpus.held_out_characters, tags, config.eval_batch_rows, row_tokens,
            team,
        )  # fmt: skip
    else:
        why = "the messages are too few" if config.held_out_share else "as it was set"
        log.warning("nothing is held out: %s, so the run is not evaluated", why)
    trainer = Trainer(base.model, Plan(corpus.train, config, row_tokens), device, team)
    session = Session(task.run, base, trainer, judge, watch, identity)
    if state:
        session.restore(state)
    return session, corpus


def _base(task: _Task, found: Survey, whole: Checkpoint | None) -> Base:
    """Return what learns: the model of a checkpoint, or what the run begins with."""
    config = task.config
    base = (
        whole.model(config)
        if whole
        else open_base(task.base, config, lambda: train_texts(task.messages, found, config))
    )
    if looks_ahead(base.model):
        raise BaseUnavailable(
            f"{task.base} sees the words that it is to predict, so it cannot learn to write: take "
            "one that writes from left to right, such as gpt2."
        )
    return dataclasses.replace(base, name=task.base)


def _refuse_other(run: Path, then: dict[str, Any], now: dict[str, Any]) -> None:
    if then.get("prompt", 1) != now["prompt"]:
        raise CannotResume(
            f"{run} was begun with prompt version {then.get('prompt', 1)}, this Likeness speaks "
            f"version {now['prompt']}: train anew."
        )
    if then["data"] != now["data"]:
        raise CannotResume(f"{run} was begun with another messages.jsonl than this one.")
    for key, option in (("base", "--base"), ("speaker", "--as")):
        if then[key] != now[key]:
            raise CannotResume(f"{run} was begun with {option} {then[key]}, not {now[key]}.")
    config = _BEFORE_THEY_WERE | then["config"]
    for key, value in now["config"].items():
        if config.get(key) != value and key not in _FREE_TO_CHANGE:
            raise CannotResume(f"{run} was begun with --set {key}={config.get(key)}, not {value}.")


def _interrupted(task: _Task, session: Session) -> Interrupted:
    if (task.run / FILE_NAME).exists():
        return _stopped_when_finished(task.run)
    if not session.trainer.busy:
        session.save()
    saved = checkpoints(task.run)
    if not saved:
        return Interrupted("Stopped within the first step: nothing was there to be saved.")
    return Interrupted(
        f"Stopped; all is saved up to step {saved[-1].step} of {session.trainer.plan.steps}."
        f"{task.how_to_go_on()}"
    )


def _stopped_when_finished(run: Path) -> Interrupted:
    return Interrupted(
        f"Stopped, but {run} is finished: its model is whole, and how it replies is chosen by "
        "`likeness tune`."
    )


@contextmanager
def _nothing_half_done(task: _Task, *, fresh: bool) -> Iterator[None]:
    """Leave no folder of a run that failed before its first checkpoint."""
    run = task.run
    try:
        if fresh:
            begin(run)
        yield
    except BaseException as error:
        finished = (run / FILE_NAME).exists()
        if fresh and run.is_dir() and not finished and not checkpoints(run):
            shutil.rmtree(run, ignore_errors=True)
            with suppress(OSError):  # What a link leads to is there yet.
                empty(run)
        if not isinstance(error, KeyboardInterrupt):
            raise
        if finished:
            raise _stopped_when_finished(run) from error
        if saved := checkpoints(run):
            raise Interrupted(
                f"Stopped; all is as it was saved at step {saved[-1].step}.{task.how_to_go_on()}"
            ) from error
        raise Interrupted("Stopped before the first step, with nothing to save.") from error
