"""What a reply must not say again: its own last words without end, or an answer just given."""

from collections.abc import Sequence
from itertools import groupby, islice

import numpy as np

from likeness.messages import Message
from likeness.quotes import words

_LONGEST_PERIOD = 32
_RUN_TOKENS = 24
_RUN_ROUNDS = 3
_CATCH_PHRASE_WORDS = 3
_LOOKED_BACK = 3


class Loop:
    """Notices that the end of a text is the same few tokens again and again.

    People do that too: `hahahaha`, `!!!!!!`, a row of hearts. So a round of one token may come 24
    times, of two tokens 12 times, of eight or more 3 times; then it may not begin once more.
    Nothing else is discouraged, so that a person's own phrases stay as likely as they are.
    """

    def __init__(self) -> None:
        """Begin a text."""
        self._ids: list[int] = []
        self._runs = np.zeros(_LONGEST_PERIOD, dtype=np.intp)

    def read(self, id_: int) -> None:
        """Go on by a token."""
        before = np.array(self._ids[: -_LONGEST_PERIOD - 1 : -1], dtype=np.intp)
        self._runs[len(before) :] = 0
        self._runs[: len(before)] = (self._runs[: len(before)] + 1) * (before == id_)
        self._ids.append(id_)

    @property
    def banned(self) -> set[int]:
        """The tokens that would go on with a loop."""
        periods = np.arange(1, _LONGEST_PERIOD + 1)
        most = np.maximum(_RUN_TOKENS, _RUN_ROUNDS * periods)
        looping = periods[self._runs + periods >= most]
        return {self._ids[-period] for period in looping if period <= len(self._ids)}


class Echo:
    """Compares a reply with my newest turns, message by message as they become whole.

    Answers of a few words are nobody's fault: `ok`, `haha`, `good night` may come every time.
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        """Take a chat, in order; my newest turns in it are what must not be said again."""
        newest = (message for message in reversed(messages) if message.shown)
        turns = groupby(newest, key=lambda message: bool(message.outgoing))
        mine = (list(turn)[::-1] for outgoing, turn in turns if outgoing)
        said = [[_plain(each.text) for each in turn] for turn in islice(mine, _LOOKED_BACK)]
        self._turns = [turn for turn in said if _is_long(turn)]
        self._said: list[str] = []

    def hear(self, text: str) -> bool:
        """Take the reply's next message; return whether it still says what a turn said."""
        self._said.append(_plain(text))
        return any(turn[: len(self._said)] == self._said for turn in self._turns)

    @property
    def whole(self) -> bool:
        """Whether the reply so far is one of the turns, from beginning to end."""
        return self._said in self._turns


def _plain(text: str) -> str:
    """Return a text without what makes no difference: case, marks and spaces."""
    kept = "".join(letter for letter in text.casefold() if letter.isalnum() or letter.isspace())
    return " ".join(kept.split()) or text.strip()


def _is_long(turn: Sequence[str]) -> bool:
    """Return whether a turn is no catch phrase; two letters are a word where none are parted."""
    return sum(max(len(text.split()), len(words(text)) / 2) for text in turn) > _CATCH_PHRASE_WORDS
