"""TensorBoard's events of a run, where the `tensorboard` package is installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from training.evaluate import Evaluation
from training.survey import Balance
from training.watch import Step, Watch

FOLDER = "tensorboard"
_FLUSH_SECONDS = 10


@contextmanager
def with_events(run: Path, watch: Watch, *, wanted: bool = True) -> Iterator[Watch]:
    """Have what a run tells written as events in its folder, and told on.

    Args:
        run: The run's folder.
        watch: Is told all the same; alone, where nothing is installed that reads events.
        wanted: Whether this process writes.
    """
    if not wanted or find_spec("tensorboard") is None:
        yield watch
        return
    events = Events(run / FOLDER, watch)
    try:
        yield events
    finally:
        events.close()


class Events:
    """A watch that writes the figures it is told as events."""

    def __init__(self, folder: Path, watch: Watch) -> None:
        self._folder = folder
        self._watch = watch
        self._writer: Any = None

    def base(self, description: str) -> None:
        """The base is loaded."""
        self._watch.base(description)

    def corpus(self, balance: Balance) -> None:
        """The messages are encoded."""
        self._watch.corpus(balance)

    def evaluated(self, step: int, evaluation: Evaluation) -> None:
        """The model was measured on what is held out."""
        figures = ("loss", "perplexity", "nats_per_character")
        self._write(step, {f"held_out/{name}": getattr(evaluation, name) for name in figures})
        self._watch.evaluated(step, evaluation)

    def stepped(self, step: Step) -> None:
        """Some steps were taken."""
        figures = ("loss", "learning_rate", "tokens_per_second")
        self._write(step.step, {f"train/{name}": getattr(step, name) for name in figures})
        self._watch.stepped(step)

    def saved(self, path: Path) -> None:
        """A checkpoint, or at the end the model, is on the disk."""
        self._watch.saved(path)

    def close(self) -> None:
        """Write what waits."""
        if self._writer is not None:
            self._writer.close()

    def _write(self, step: int, figures: dict[str, float]) -> None:
        if self._writer is None:
            # It takes a second to import, and only a run that learns needs it.
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415

            # What a run that goes on does again is not shown twice.
            self._writer = SummaryWriter(self._folder, purge_step=step, flush_secs=_FLUSH_SECONDS)
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)
