"""A run's folder: whether a run may begin there, and what one that was killed left in it."""

import re
import shutil
from contextlib import suppress
from pathlib import Path

from likeness.card import FILE_NAME as CARD
from likeness.errors import CannotResume, RunExists, TrainingError
from likeness.quotes import FILE_NAME as OTHERS_WORDS
from training.checkpoint import Checkpoint, checkpoints, remove, restore
from training.events import FOLDER
from training.held_out import FILE_NAME as HELD_OUT
from training.moments import FILE_NAME as MOMENTS
from training.moments import WORDS
from training.readme import FILE_NAME as README
from training.report import PAGE, REPORT
from training.watch import METRICS

_BEGUN = ".begun"
"""Tells a folder that a run made from one that holds somebody's own files of the same names."""
_FIRST_WRITTEN = (FOLDER, METRICS, OTHERS_WORDS, WORDS)
"""What a run's folder holds before its first checkpoint."""
_WRITTEN = (METRICS, OTHERS_WORDS, WORDS, HELD_OUT, MOMENTS, README, PAGE, REPORT, CARD)
_TEMPORARY = re.compile(
    rf"\.weights|\.(checkpoint-\d+|\.weights|{'|'.join(map(re.escape, _WRITTEN))})"
    r"\.([a-z0-9_]{8}|removed|replaced)"
)
"""What stands in a run's folder while something is written or removed, as `tempfile` names it."""


def refuse_taken(run: Path) -> None:
    """Pass a folder in which a run may begin; what a killed one left before it learnt is removed.

    Raises:
        RunExists: There is something else.
    """
    if not run.exists() or (run.is_dir() and not any(run.iterdir())):
        return
    if run.is_dir() and (run / _BEGUN).exists() and all(map(_is_leftover, run.iterdir())):
        empty(run)
        return
    if (run / CARD).exists():
        holds = "holds a model already"
    elif run.is_dir() and checkpoints(run):
        raise RunExists(
            f"{run} holds a run that was stopped: go on with --resume, give --run another name, or "
            "remove the folder."
        )
    else:
        holds = "is there already, and is no run that could go on"
    raise RunExists(f"{run} {holds}: give --run another name, or remove it.")


def begin(run: Path) -> None:
    """Make a run's folder, for its owner alone: people's words will lie in it.

    Raises:
        TrainingError: The disk does not take it.
    """
    try:
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(OSError):  # It was there, and is another's, or its disk knows no modes.
            run.chmod(0o700)
        (run / _BEGUN).touch()
    except OSError as error:
        raise TrainingError(f"{run} cannot be written: {error.strerror}.") from error


def empty(run: Path) -> None:
    """Remove all that lies in a run's folder, which itself may be a link or the root of a disk."""
    for path in list(run.iterdir()):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def begun(run: Path) -> None:
    """Note that a run has a checkpoint, by which it is known from now on."""
    (run / _BEGUN).unlink(missing_ok=True)


def refuse_finished(run: Path) -> None:
    """Pass a folder whose run is not finished; a finished one loses what was to be removed.

    Raises:
        CannotResume: It is finished.
    """
    if not (run / CARD).exists():  # written last of all
        return
    for checkpoint in checkpoints(run):
        remove(checkpoint)
    raise CannotResume(
        f"{run} is finished: to train it further, take --base {run} and another name for --run."
    )


def sweep(run: Path) -> None:
    """Remove what a run that was killed left half written or half removed, and nothing else."""
    restore(run)
    for path in list(run.glob(".*")):
        if not _TEMPORARY.fullmatch(path.name):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def last_checkpoint(run: Path) -> Checkpoint:
    """Return the checkpoint from which a run goes on.

    Raises:
        CannotResume: There is none.
    """
    if found := checkpoints(run):
        return found[-1]
    raise CannotResume(f"{run} holds no checkpoint to go on from: train without --resume.")


def _is_leftover(path: Path) -> bool:
    return path.name in (_BEGUN, *_FIRST_WRITTEN) or bool(_TEMPORARY.fullmatch(path.name))
