"""How fast a person writes: when they seem done, and how long a message takes them."""

from dataclasses import dataclass
from typing import Literal

Pace = Literal["off", "quick", "natural"]

_CHARACTERS_A_SECOND = {"quick": 30.0, "natural": 8.0}
_LONGEST_SECONDS = {"quick": 2.0, "natural": 8.0}


@dataclass(frozen=True, slots=True)
class Manner:
    """How the bot behaves in a chat.

    Attributes:
        pause_seconds: How long nobody may write before it answers.
        longest_pause_seconds: It neither waits nor lets itself be interrupted for longer.
        pace: How fast it seems to type the second and further messages of a burst.
        answer_within_seconds: What is older is not answered any more, as after an outage.
    """

    pause_seconds: float = 0.0
    longest_pause_seconds: float = 15.0
    pace: Pace = "off"
    answer_within_seconds: float = 86_400.0

    def typing_seconds(self, text: str) -> float:
        """Return how long a message seems to be typed."""
        if self.pace == "off":
            return 0.0
        return min(len(text) / _CHARACTERS_A_SECOND[self.pace], _LONGEST_SECONDS[self.pace])
