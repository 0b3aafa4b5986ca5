"""How many rows at once are fastest on a device: found in a run's first steps, by their times."""

from dataclasses import dataclass, field

_STEPS = 3
"""At each size: the first, in which memory is set up and kernels are chosen, does not count."""
_WORTH = 0.97
"""Of the time of twice as many rows, what a size must beat for a smaller one to be tried."""
FEWEST_STEPS = 100
"""A run of fewer has more to lose by a few slow steps than to gain."""


@dataclass(slots=True)
class Tries:
    """Sizes from a whole step's rows downwards, halved as long as that is faster.

    What is timed are the run's own steps, which learn the same however their rows are cut: trying
    costs nothing but waiting for the device some times.

    Attributes:
        rows: How many at once are being tried.
        over: Whether the fastest is found.
    """

    rows: int
    over: bool = False
    _seen: list[float] = field(default_factory=list)
    _best: tuple[int, float] | None = None

    def after(self, rows: int, seconds: float) -> int:
        """Take a step in, and return how many rows the next one puts through at once.

        Args:
            rows: How many at once it was: fewer than `rows` if memory gave out.
            seconds: How long it took for each token.
        """
        if rows != self.rows:
            self.rows, self._seen, self._best = rows, [], None
        self._seen.append(seconds)
        if len(self._seen) < _STEPS:
            return self.rows
        least = min(self._seen[1:])
        if self._best is not None and least > _WORTH * self._best[1]:
            self.rows, self.over = self._best[0], True
        elif self.rows == 1:
            self.over = True
        else:
            self._best = self.rows, least
            self.rows, self._seen = self.rows // 2, []
        return self.rows
