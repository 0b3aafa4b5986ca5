"""Which tokens a reply may hold, and which of them may come next."""

from codecs import getincrementaldecoder
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from likeness.dialogue import (
    END_OF_TURN,
    LINE_BREAK,
    NEXT_MESSAGE,
    SILENCES,
    SPEAKERS,
    START,
    Tokenizer,
)

_JOINER = "\u200d"
"""Parts of an emoji such as a family are joined by it, so nothing may end behind it."""

Logits = NDArray[np.float32]


class Grammar:
    """What the prompt's form and UTF-8 say of the tokens of a reply.

    Nothing is written that no token or no whole character stands for. A message has words; a
    silence stands at the beginning of one that follows another of mine. A reply ends with a
    newline: nobody else speaks in it.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        vocabulary: int,
        writable: Iterable[int],
        fragments: dict[int, bytes],
    ) -> None:
        """Prepare the lists.

        Args:
            tokenizer: Of the model.
            vocabulary: How many tokens the model knows.
            writable: Those that stand for something.
            fragments: The bytes of those that are no whole characters.
        """
        self.tokenizer = tokenizer
        self.next_message = tokenizer.tag(NEXT_MESSAGE)
        self.ends = self._ids((END_OF_TURN, NEXT_MESSAGE, LINE_BREAK))
        self.silences = self._ids(SILENCES)
        never = np.ones(vocabulary, dtype=bool)
        never[list(writable)] = False
        never[self._ids((START, *SPEAKERS))] = True
        never[[id_ for id_, made in fragments.items() if unfinished(made) is None]] = True
        self.never = np.flatnonzero(never)
        self.fragments = fragments
        self.following = lru_cache(maxsize=1024)(self._following)

    def _ids(self, tags: Iterable[str]) -> NDArray[np.intp]:
        return np.array([self.tokenizer.tag(tag) for tag in tags], dtype=np.intp)

    def _following(self, begun: bytes) -> NDArray[np.intp]:
        """Return the tokens that go on with a character that was begun."""
        fits = (id_ for id_, made in self.fragments.items() if unfinished(begun + made) is not None)
        return np.array(sorted(fits), dtype=np.intp)


@dataclass(slots=True)
class Position:
    """Where in a reply the next token stands.

    Attributes:
        grammar: Of the model.
        words: The tokens of the message being written.
        bare: Whether these have no words yet.
        begun: The bytes of a character that is not whole yet.
        later: Whether a message of mine lies directly before.
    """

    grammar: Grammar
    words: list[int] = field(default_factory=list)
    bare: bool = True
    begun: bytes = b""
    later: bool = False

    def read(self, ids: Sequence[int]) -> None:
        """Go on by tokens of mine."""
        grammar = self.grammar
        for id_ in ids:
            made = grammar.fragments.get(id_)
            self.begun = (unfinished(self.begun + made) or b"") if made else b""
            self.later = id_ == grammar.next_message
            if self.later:
                self.words, self.bare = [], True
            elif id_ not in grammar.silences:
                self.words.append(id_)
        if self.bare:
            self.bare = not readable(grammar.tokenizer.decode(self.words))

    def allow(self, logits: Logits, banned: Iterable[int] = ()) -> Logits:
        """Return logits with -inf for what must not come next.

        Args:
            logits: `(V,)`; left as they are.
            banned: What else must not come, where it is a matter of taste: not inside a character.
        """
        grammar = self.grammar
        if self.begun and len(possible := grammar.following(self.begun)):
            only = np.full_like(logits, -np.inf)
            only[possible] = logits[possible]
            return only
        allowed = logits.copy()
        allowed[grammar.never] = -np.inf
        if self.bare or self._joined():
            allowed[grammar.ends] = -np.inf
        if not self.later:
            allowed[grammar.silences] = -np.inf
        allowed[list(banned)] = -np.inf
        return allowed

    def _joined(self) -> bool:
        return self.grammar.tokenizer.decode(self.words[-3:]).endswith(_JOINER)


def readable(text: str) -> str:
    """Return a text without what byte-wise tokens leave where they form no character."""
    return text.replace("\ufffd", "").strip().rstrip(_JOINER)


def unfinished(text: bytes) -> bytes | None:
    """Return the bytes at a text's end that begin a character, None if the text is no UTF-8."""
    decoder = getincrementaldecoder("utf-8")()
    try:
        decoder.decode(text)
    except UnicodeDecodeError:
        return None
    return decoder.getstate()[0]
