"""One training run for a benchmark: no bar, no report, nothing kept but its card."""

from dataclasses import dataclass, field
from pathlib import Path

from likeness.card import RunCard
from training.config import TrainConfig
from training.evaluate import Evaluation
from training.run import train
from training.survey import Balance
from training.watch import Step


@dataclass
class Listener:
    """A watch that says nothing, and remembers the steps."""

    steps: list[Step] = field(default_factory=list)

    def base(self, description: str) -> None:
        """Say nothing."""

    def corpus(self, balance: Balance) -> None:
        """Say nothing."""

    def evaluated(self, step: int, evaluation: Evaluation) -> None:
        """Say nothing."""

    def stepped(self, step: Step) -> None:
        """Remember it."""
        self.steps.append(step)

    def saved(self, path: Path) -> None:
        """Say nothing."""


def run(messages: Path, folder: Path, base: Path, config: TrainConfig) -> tuple[RunCard, int]:
    """Train a base on a file.

    Args:
        messages: A `messages.jsonl`.
        folder: The run's.
        base: A model folder.
        config: All settings.

    Returns:
        The card, and how many steps were planned.
    """
    heard = Listener()
    card = train(
        messages, folder, base=str(base), config=config, speaker=None, resume=False, watch=heard
    )
    return card, heard.steps[-1].of
