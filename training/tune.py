"""Which temperature and top-p make a model write as I do: tried on held-out moments."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from likeness.card import RunCard
from training.measures import Reply, misfit
from training.moments import Moment
from training.report import kept_report, leave_report

Write = Callable[[float, float], list[list[str]]]
"""Let the model reply at every moment, given a temperature and a top-p."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What is tried: every temperature with the first top-p, then every top-p with the best."""

    temperatures: tuple[float, ...] = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
    top_ps: tuple[float, ...] = (0.95, 0.8, 0.9, 1.0)

    @property
    def trials(self) -> int:
        """How many settings are tried."""
        return len(self.temperatures) + len(self.top_ps) - 1


QUICK = Grid((0.7, 0.85, 1.0), (0.95, 0.85))
"""For the end of a training run."""
QUICK_MOMENTS = 32


@dataclass(frozen=True, slots=True)
class Trial:
    """How a model wrote with one setting.

    Attributes:
        temperature: The setting's.
        top_p: The setting's.
        misfit: How differently from me it wrote, by measure; 0 for alike.
    """

    temperature: float
    top_p: float
    misfit: dict[str, float]

    @property
    def sum(self) -> float:
        """The misfit in all."""
        return sum(self.misfit.values())


def tune(moments: Sequence[Moment], write: Write, grid: Grid = Grid()) -> Iterator[Trial]:
    """Try settings one after the other; the one with the least `sum` is the best.

    Args:
        moments: At least one.
        write: Lets the model reply.
        grid: What to try.
    """
    mine: list[Reply] = [[message.text for message in moment.mine] for moment in moments]
    best: Trial | None = None
    for temperature in grid.temperatures:
        trial = Trial(temperature, grid.top_ps[0], misfit(mine, write(temperature, grid.top_ps[0])))
        best = trial if best is None or trial.sum < best.sum else best
        yield trial
    assert best is not None  # noqa: S101 - a grid has a temperature
    for top_p in grid.top_ps[1:]:
        yield Trial(best.temperature, top_p, misfit(mine, write(best.temperature, top_p)))


def keep(run: Path, trials: Sequence[Trial]) -> RunCard:
    """Write the best of some trials into a run's card, and all of them into its report.

    Raises:
        ModelNotFound: There is no such run, or its report is missing.
        LikenessError: The disk does not take it.
    """
    best = min(trials, key=lambda trial: trial.sum)
    chosen = {"temperature": best.temperature, "top_p": best.top_p}
    card = dataclasses.replace(RunCard.read(run), sampling=chosen)
    compared = kept_report(run) | {"trials": [dataclasses.asdict(trial) for trial in trials]}
    card.write(run)
    leave_report(run, card, compared)
    return card
