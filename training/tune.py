"""Which temperature, top-p and min-p make a model write as I do: tried on held-out moments."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from likeness.card import RunCard
from training.measures import Reply, misfit
from training.moments import Moment
from training.report import compare, kept_report, leave_report


class Setting(NamedTuple):
    """How to choose among what a model might say."""

    temperature: float
    top_p: float
    min_p: float


Write = Callable[[Setting], list[list[str]]]
"""Let the model reply at every moment with a setting."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What is tried: every temperature with the first cut, then every cut with the best of them.

    A cut is a top-p and a min-p. The first has a min-p of 0.1, which takes more away where a model
    is sure and less where it is not: a small one makes up fewer words with it.

    Source: Nguyen et al., Turning Up the Heat: Min-p Sampling (2024).
    """

    temperatures: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    cuts: tuple[tuple[float, float], ...] = (
        (1.0, 0.1), (1.0, 0.05), (1.0, 0.2), (0.95, 0.0), (0.9, 0.0), (0.8, 0.0),
    )  # fmt: skip

    @property
    def trials(self) -> int:
        """How many settings are tried."""
        return len(self.temperatures) + len(self.cuts) - 1


QUICK = Grid((0.7, 0.85, 1.0), ((1.0, 0.1), (1.0, 0.05)))
"""For the end of a training run."""
QUICK_MOMENTS = 32


@dataclass(frozen=True, slots=True)
class Trial:
    """How a model wrote with one setting.

    Attributes:
        setting: The setting.
        misfit: How differently from me it wrote, by measure; 0 for alike.
        replies: What it wrote, at each moment.
    """

    setting: Setting
    misfit: dict[str, float]
    replies: list[list[str]] = field(repr=False)

    @property
    def sum(self) -> float:
        """The misfit in all."""
        return sum(self.misfit.values())


def tune(
    moments: Sequence[Moment],
    write: Write,
    grid: Grid = Grid(),
    known: Collection[str] | None = None,
) -> Iterator[Trial]:
    """Try settings one after the other; the one with the least `sum` is the best.

    Args:
        moments: At least one.
        write: Lets the model reply.
        grid: What to try.
        known: All words that taught it, if they were kept.
    """
    mine: list[Reply] = [[message.text for message in moment.mine] for moment in moments]

    def attempt(setting: Setting) -> Trial:
        replies = write(setting)
        return Trial(setting, misfit(mine, replies, known), replies)

    best: Trial | None = None
    for temperature in grid.temperatures:
        trial = attempt(Setting(temperature, *grid.cuts[0]))
        best = trial if best is None or trial.sum < best.sum else best
        yield trial
    assert best is not None  # noqa: S101 - a grid has a temperature
    for cut in grid.cuts[1:]:
        yield attempt(Setting(best.setting.temperature, *cut))


def best_of(trials: Iterable[Trial]) -> Trial:
    """Return the one that writes most like me; there is at least one."""
    return min(trials, key=lambda trial: trial.sum)


def keep(run: Path, moments: Sequence[Moment], trials: Sequence[Trial]) -> RunCard:
    """Write the best of some trials into a run's card, and its replies into the report.

    Args:
        run: The run's folder.
        moments: At which it replied.
        trials: At least one.

    Raises:
        ModelNotFound: There is no such run, or its report is missing.
        LikenessError: The disk does not take it.
    """
    best = best_of(trials)
    card = dataclasses.replace(RunCard.read(run), sampling=best.setting._asdict())
    tried = [trial.setting._asdict() | {"misfit": trial.misfit} for trial in trials]
    taught = bool(card.metrics.get("last_lesson_steps"))
    compared = kept_report(run) | compare(moments, best.replies)
    compared |= {"trials": tried, "shown_once": taught}
    card.write(run)
    leave_report(run, card, compared)
    return card
