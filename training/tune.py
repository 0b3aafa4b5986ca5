"""Which temperature, top-p and min-p make a model write as I do: tried on held-out moments."""

import dataclasses
import math
import statistics
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
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
_FEWEST_TO_JUDGE = 3


@dataclass(frozen=True)
class Trial:
    """How a model wrote with one setting.

    Attributes:
        setting: The setting.
        misfit: How differently from me it wrote, by measure; 0 for alike.
        replies: What it wrote, at each moment.
        judge: Computes `error`, which takes a while: for the square of as many moments.
    """

    setting: Setting
    misfit: dict[str, float]
    replies: list[list[str]] = field(repr=False)
    judge: Callable[[], float] = field(default=float, repr=False)

    @cached_property
    def error(self) -> float:
        """By how much other moments would change the sum: its standard error."""
        return self.judge()

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
    """Try settings one after the other; `best_of` says which is the best.

    Args:
        moments: At least one.
        write: Lets the model reply.
        grid: What to try.
        known: All words that taught it, if they were kept.
    """
    mine: list[Reply] = [[message.text for message in moment.mine] for moment in moments]

    def attempt(setting: Setting) -> Trial:
        replies = write(setting)
        found = misfit(mine, replies, known)
        return Trial(setting, found, replies, partial(_error, mine, replies, known))

    trials: list[Trial] = []
    for temperature in grid.temperatures:
        trials.append(attempt(Setting(temperature, *grid.cuts[0])))
        yield trials[-1]
    best = best_of(trials)
    for cut in grid.cuts[1:]:
        yield attempt(Setting(best.setting.temperature, *cut))


def best_of(trials: Sequence[Trial]) -> Trial:
    """Return the most careful of those that write as I do: there is at least one trial.

    Some moments do not tell apart what differs by chance. Of all within one standard error of the
    least `sum` it is the one with the lowest temperature: it makes the most sense.

    Source: the rule of one standard error, Breiman et al., Classification and Regression Trees
    (1984), section 3.4.3.
    """
    least = min(trials, key=lambda trial: trial.sum)
    alike = [trial for trial in trials if trial.sum <= least.sum + least.error]
    return min(alike, key=lambda trial: (trial.setting.temperature, trial.sum))


def _error(mine: Sequence[Reply], replies: Sequence[Reply], known: Collection[str] | None) -> float:
    """Return the standard error of a trial's sum, by leaving out each moment in turn.

    Source: Tukey's jackknife (1958).
    """
    count = len(mine)
    if count < _FEWEST_TO_JUDGE:
        return 0.0
    without = [
        sum(misfit(_but(mine, number), _but(replies, number), known).values())
        for number in range(count)
    ]
    return statistics.pstdev(without) * math.sqrt(count - 1)


def _but(replies: Sequence[Reply], number: int) -> list[Reply]:
    return [*replies[:number], *replies[number + 1 :]]


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
    tried = [
        trial.setting._asdict() | {"misfit": trial.misfit, "chosen": trial is best}
        for trial in trials
    ]
    taught = bool(card.metrics.get("last_lesson_steps"))
    compared = kept_report(run) | compare(moments, best.replies)
    compared |= {"trials": tried, "shown_once": taught}
    card.write(run)
    leave_report(run, card, compared)
    return card
