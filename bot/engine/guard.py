"""What no message of a reply may hold: others' words, and what the owner wants never said."""

from dataclasses import dataclass
from pathlib import Path

from bot.engine.unsaid import NOTHING_UNSAID, Unsaid
from likeness.quotes import NOBODYS_WORDS, OthersWords


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuses messages before anybody has seen them.

    Attributes:
        others: What others wrote where the model learnt.
        unsaid: What the owner wants never said.
    """

    others: OthersWords = NOBODYS_WORDS
    unsaid: Unsaid = NOTHING_UNSAID

    @classmethod
    def load(cls, folder: Path, unsaid: Unsaid = NOTHING_UNSAID) -> "Guard":
        """Take what a model folder knows of others beside what the owner listed.

        Raises:
            ModelError: What the folder keeps of others is damaged or missing.
        """
        return cls(OthersWords.load(folder), unsaid)

    def refuses(self, text: str) -> bool:
        """Return whether a message must not be sent."""
        return self.unsaid.said_in(text) or self.others.quoted_in(text)


NO_GUARD = Guard()
