"""The tags of the prompt, and what it needs of a tokenizer."""

from collections.abc import Sequence
from typing import Protocol

PROMPT_VERSION = 2

START = "<|endoftext|>"
END_OF_TURN = "\n"
NEXT_MESSAGE = "<msg>"
LINE_BREAK = "<br>"
SPEAKERS = tuple(f"<speaker{number}>" for number in range(1, 9))
ME = SPEAKERS[0]
SILENCES = {"<after:days>": 86_400, "<after:hours>": 3_600, "<after:minutes>": 120}
"""Each silence's tag and the seconds from which it stands, longest first."""
TAGS = (*SPEAKERS, NEXT_MESSAGE, LINE_BREAK, *reversed(SILENCES))
"""What a tokenizer must know beside START and END_OF_TURN, in the order they are added."""


def silence_tag(seconds: float) -> str | None:
    """Return the tag of a silence, or None for one that counts as "at once"."""
    return next((tag for tag, least in SILENCES.items() if seconds >= least), None)


class Tokenizer(Protocol):
    """What the prompt needs of a tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Return the ids of ordinary text; a tag that somebody typed is ordinary text too."""

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, tags included."""

    def tag(self, tag: str) -> int:
        """Return the id of START, END_OF_TURN or one of TAGS."""


class CharacterTokenizer:
    """A tokenizer of single characters, for looking at prompts where no model is at hand."""

    _FIRST_TAG = 0x110000

    def encode(self, text: str) -> list[int]:
        """Return the code points of a text."""
        return [ord(character) for character in text]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, tags included."""
        return "".join(
            chr(id_) if id_ < self._FIRST_TAG else (START, *TAGS)[id_ - self._FIRST_TAG]
            for id_ in ids
        )

    def tag(self, tag: str) -> int:
        """Return the id of START, END_OF_TURN or one of TAGS."""
        if tag == END_OF_TURN:
            return ord(tag)
        return self._FIRST_TAG + (START, *TAGS).index(tag)
