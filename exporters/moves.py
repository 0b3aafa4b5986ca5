"""Messages that belong in another chat than the one in which they came."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from exporters.account import Place
from exporters.spool import Pile
from likeness.messages import Message

Piles = Mapping[Place, Pile]


@dataclass(frozen=True, slots=True)
class Move:
    """Chats of which one holds messages of another.

    Attributes:
        places: The chats.
        put: Returns a message of theirs as one of the chat where it belongs.
    """

    places: list[Place]
    put: Callable[[Message], Message]
