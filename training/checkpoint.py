"""checkpoint-STEP folders: whole or absent, the newest two and the best of them kept."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError

from likeness.errors import BaseUnavailable, CannotResume, TrainingError
from training.base import Base, open_base
from training.config import TrainConfig
from training.memory import is_out_of_memory

_NAME = re.compile(r"checkpoint-(\d+)")
_STATE = "state.pt"
_WEIGHTS = "*.safetensors*"
_FULL = (OSError, RuntimeError, SafetensorError)
_KEPT = 2
_REPLACED = ".replaced"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint on disk.

    Attributes:
        folder: A model folder of transformers, with the state of the run in it.
        step: After how many steps it was saved.
    """

    folder: Path
    step: int

    def state(self) -> dict[str, Any]:
        """Read what beside the weights is needed to go on.

        Raises:
            CannotResume: It cannot be read.
        """
        try:
            # Tensors and plain values only: nothing in the file can run.
            found: dict[str, Any] = torch.load(
                self.folder / _STATE, map_location="cpu", weights_only=True
            )
        except (OSError, RuntimeError, UnpicklingError, EOFError) as error:
            raise self._unreadable() from error
        return found

    def model(self, config: TrainConfig) -> Base:
        """Open its weights and tokenizer, to go on from.

        Raises:
            CannotResume: They cannot be read.
            TrainingError: The memory does not hold them.
        """
        try:
            return open_base(str(self.folder), config, list)
        except BaseUnavailable as error:
            raise self._unreadable() from error

    def _unreadable(self) -> CannotResume:
        return CannotResume(
            f"{self.folder} cannot be read: remove it to go on from the one before."
        )


def checkpoints(run: Path) -> list[Checkpoint]:
    """Return the checkpoints of a run, oldest first."""
    found = [
        Checkpoint(folder, int(match[1]))
        for folder in run.glob("checkpoint-*")
        if (match := _NAME.fullmatch(folder.name))
    ]
    return sorted(found, key=lambda checkpoint: checkpoint.step)


def save_checkpoint(
    run: Path,
    step: int,
    base: Base,
    state: Mapping[str, Any],
    weights: dict[str, torch.Tensor] | None = None,
) -> Checkpoint:
    """Save a run after a step.

    Args:
        run: The run's folder.
        step: How many steps are done.
        base: What is trained.
        state: What is needed to go on, beside the weights.
        weights: Instead of the model's, if it does not hold all of them.

    Raises:
        TrainingError: The disk does not take it.
    """
    folder = run / f"checkpoint-{step}"
    with whole_folder(folder) as temporary:
        base.save(temporary, weights)
        torch.save(dict(state), temporary / _STATE)
    return Checkpoint(folder, step)


def prune(run: Path, best: int | None) -> None:
    """Remove all checkpoints but the newest two and the best."""
    for checkpoint in checkpoints(run)[:-_KEPT]:
        if checkpoint.step != best:
            remove(checkpoint)


def remove(checkpoint: Checkpoint) -> None:
    """Remove a checkpoint so that it never stands there half: it loses its name first."""
    nameless = checkpoint.folder.with_name(f".{checkpoint.folder.name}.removed")
    checkpoint.folder.replace(nameless)
    shutil.rmtree(nameless)


def restore(run: Path) -> None:
    """Give back its name to a checkpoint that was to be replaced when the run was killed."""
    for old in list(run.glob(f".checkpoint-*{_REPLACED}")):
        folder = run / old.name.removeprefix(".").removesuffix(_REPLACED)
        if not folder.exists():
            old.replace(folder)


def finish(run: Path, step: int) -> None:
    """Copy the model of a checkpoint into the run's folder itself.

    Raises:
        TrainingError: The disk does not take it; the checkpoints are as they were.
    """
    try:
        for path in (run / f"checkpoint-{step}").iterdir():
            if path.name != _STATE:
                _reach_disk(Path(shutil.copyfile(path, run / path.name)))
    except OSError as error:
        raise TrainingError(f"{run} cannot be written: {error.strerror}.") from error


def replace_weights(
    run: Path, base: Base, beside: Callable[[Path], None] = lambda _folder: None
) -> None:
    """Put a model's weights in the place of those in a finished run's folder.

    Args:
        run: The run's folder.
        base: Has the weights.
        beside: Writes into a folder what is to come into the run's together with them.

    Raises:
        TrainingError: The disk does not take them; what stood there stays.
        LikenessError: The same, of what stands beside them.
    """
    folder = run / ".weights"
    with whole_folder(folder) as temporary:
        base.save(temporary)
        for path in set(temporary.iterdir()) - set(temporary.glob(_WEIGHTS)):
            path.unlink()
        beside(temporary)
    # A card that tells of weights which are not there yet harms less than one that hides them.
    for path in sorted(folder.iterdir(), key=lambda path: path.match(_WEIGHTS)):
        path.replace(run / path.name)
    folder.rmdir()


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Fill a folder that appears under its name only when everything in it is on the disk.

    Raises:
        TrainingError: The disk does not take it; what was written of it is removed.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise TrainingError(f"{folder} cannot be written: {error.strerror}.") from error
    try:
        yield temporary
        for path in temporary.iterdir():
            _reach_disk(path)
        _take_place(temporary, folder)
    except Exception as error:
        # A full disk is another error in each library; tokenizers has none of its own for it.
        if not isinstance(error, _FULL) and type(error) is not Exception:
            raise
        raise TrainingError(f"{folder} cannot be written: {_why(error)}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _take_place(temporary: Path, folder: Path) -> None:
    """Give a folder its name; one that has it yet loses it first, and goes when all is done."""
    old = folder.with_name(f".{folder.name}{_REPLACED}")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.replace(old)
    try:
        temporary.replace(folder)
    except BaseException:
        if old.exists():
            old.replace(folder)
        raise
    if os.name == "posix":
        _reach_disk(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _why(error: Exception) -> str | None:
    if isinstance(error, OSError):
        return error.strerror
    if is_out_of_memory(error):
        return "the memory is full"
    # The libraries' own words are about what they were doing.
    return "the disk seems to be full"


def _reach_disk(path: Path) -> None:
    # Windows writes out only what may be written to; elsewhere a folder cannot be opened so.
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
