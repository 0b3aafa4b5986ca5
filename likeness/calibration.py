"""How a model's probabilities become those that hold: two numbers, fitted on held-out messages."""

import math
from dataclasses import dataclass

_NEVER = 1e-6


@dataclass(frozen=True, slots=True)
class Calibration:
    """A line through log-odds.

    Attributes:
        slope: Below 1 where the model is too sure of itself.
        intercept: Above 0 where it expects too little.

    Source: Platt, Probabilistic Outputs for Support Vector Machines (1999).
    """

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, probability: float) -> float:
        """Return the probability that holds where the model says `probability`."""
        return 1 / (1 + math.exp(-(self.slope * log_odds(probability) + self.intercept)))


def log_odds(probability: float) -> float:
    """Return the natural logarithm of the odds; 0 and 1 count as nearly so."""
    bounded = min(max(probability, _NEVER), 1 - _NEVER)
    return math.log(bounded / (1 - bounded))
