"""What a run tells of itself while it goes, and the file that keeps it."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from likeness.errors import TrainingError
from likeness.files import whole_file
from training.evaluate import Evaluation
from training.survey import Balance

METRICS = "metrics.jsonl"


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is.

    Attributes:
        step: How many steps are done.
        of: How many there are.
        epoch: How often the data has been seen.
        loss: The mean of the steps since the last report.
        learning_rate: Of the last step.
        tokens_per_second: Since the last report, without padding.
        targets_per_second: Those of them that weigh as much as my words.
        share_of_peak: How much of what the device could compute was needed (MFU).
        peak_bytes: The most memory so far, of the GPU or else of the process; 0: nobody knows.
        seconds_left: As the steps went until now.
    """

    step: int
    of: int
    epoch: float
    loss: float
    learning_rate: float
    tokens_per_second: float
    targets_per_second: float
    share_of_peak: float
    peak_bytes: int
    seconds_left: float


class Watch(Protocol):
    """Is told what happens."""

    def base(self, description: str) -> None:
        """The base is loaded."""

    def corpus(self, balance: Balance) -> None:
        """The messages are encoded."""

    def evaluated(self, step: int, evaluation: Evaluation) -> None:
        """The model was measured on what is held out."""

    def stepped(self, step: Step) -> None:
        """About every second, and after the last step."""

    def saved(self, path: Path) -> None:
        """A checkpoint, or at the end the model, is on the disk."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """`metrics.jsonl`: one line for each report and each evaluation.

    Attributes:
        path: Where it lies; None: nothing is kept.
    """

    path: Path | None

    def stepped(self, step: Step) -> None:
        """Append a report."""
        self._append(dataclasses.asdict(step))

    def evaluated(self, step: int, evaluation: Evaluation) -> None:
        """Append an evaluation."""
        self._append({"step": step, "held_out": dataclasses.asdict(evaluation)})

    def forget_after(self, step: int) -> None:
        """Remove what a run that goes on from a checkpoint will do again."""
        if self.path is None or not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines()
        with whole_file(self.path) as file:
            file.writelines(f"{line}\n" for line in lines if _step_of(line) <= step)

    def _append(self, values: dict[str, object]) -> None:
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(values) + "\n")
        except OSError as error:
            raise TrainingError(f"{self.path} cannot be written: {error.strerror}.") from error


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except ValueError:
        # The line in which a crash stopped the writing.
        return float("inf")
