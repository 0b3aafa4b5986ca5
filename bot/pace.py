"""How a person writes: when they seem done, how fast they type, how often they chime in."""

from dataclasses import dataclass, replace
from typing import Literal

Pace = Literal["off", "quick", "natural"]
Chattiness = Literal["silent", "quiet", "lively", "chatty"]

_CHARACTERS_A_SECOND = {"quick": 30.0, "natural": 8.0}
_LONGEST_SECONDS = {"quick": 2.0, "natural": 8.0}
_CHANCES = {"silent": 0.0, "quiet": 0.02, "lively": 0.1, "chatty": 0.3}
_EAGERNESS = {"silent": 0.0, "quiet": 0.1, "lively": 0.5, "chatty": 1.0}
_LONGEST_PAUSES = 3.0
_REST_SECONDS = {"silent": 0.0, "quiet": 900.0, "lively": 180.0, "chatty": 30.0}


@dataclass(frozen=True, slots=True)
class Manner:
    """How the bot behaves in a chat.

    Attributes:
        pause_seconds: How long nobody may write before it answers.
        longest_pause_seconds: It neither waits nor lets itself be interrupted for longer.
        pace: How fast it seems to type the second and further messages of a burst.
        answer_within_seconds: What is older is not answered any more, as after an outage.
        chattiness: How often it chimes in where nobody addressed it, in groups.
    """

    pause_seconds: float = 0.0
    longest_pause_seconds: float = 15.0
    pace: Pace = "off"
    answer_within_seconds: float = 86_400.0
    chattiness: Chattiness = "silent"

    def typing_seconds(self, text: str) -> float:
        """Return how long a message seems to be typed."""
        if self.pace == "off":
            return 0.0
        return min(len(text) / _CHARACTERS_A_SECOND[self.pace], _LONGEST_SECONDS[self.pace])

    def pause(self, finished: float | None) -> float:
        """Return after how many seconds of silence somebody seems done.

        Args:
            finished: How likely they are, says the model; at two thirds it waits as long as set,
                and the surer it is the shorter. None if it does not say.
        """
        doubt = 1 / _LONGEST_PAUSES if finished is None else 1 - finished
        return self.pause_seconds * _LONGEST_PAUSES * doubt

    def chance(self, my_turn: float | None) -> float:
        """Return how likely it chimes in at a message that is not for it.

        Args:
            my_turn: How likely the person themselves would, says the model: who is `chatty` does
                so just as often. None if it does not say.
        """
        if my_turn is None:
            return _CHANCES[self.chattiness]
        return _EAGERNESS[self.chattiness] * my_turn

    @property
    def rest_seconds(self) -> float:
        """How long it does not chime in again."""
        return _REST_SECONDS[self.chattiness]


@dataclass(frozen=True, slots=True)
class Customs:
    """What one chat has set for itself; None where it has not.

    Attributes:
        temperature: How wild its answers are.
        pace: How fast the bot seems to type there.
        chattiness: How often the bot chimes in there.
        attempts: How often another answer was asked for, so that each is another indeed.
    """

    temperature: float | None = None
    pace: Pace | None = None
    chattiness: Chattiness | None = None
    attempts: int = 0

    def manner(self, usual: Manner) -> Manner:
        """Return how the bot behaves there."""
        return replace(
            usual, pace=self.pace or usual.pace, chattiness=self.chattiness or usual.chattiness
        )
