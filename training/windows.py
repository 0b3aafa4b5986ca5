"""A conversation as windows no longer than the model's context, each of its tokens taught once.

What lies before the taught part of a window is context: it stands in several windows and weighs
nothing. A window is made by `newest_that_fit` and `join`, as the bot makes its prompt, so that the
model meets in training what it will be asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from likeness.dialogue import (
    NEXT_MESSAGE,
    Encoded,
    Tokenizer,
    Turn,
    decode_text,
    join,
    newest_that_fit,
    turn_tokens,
)

WINDOW_OVERHEAD = 3
"""What a window holds beside one turn's body at the most: START, a silence and a speaker's tag."""
TEACHING_SHARE = 0.75
"""Of a window that is not a conversation's first, how much it may teach: the rest is read again.

With half, every second token that a long conversation costs teaches nothing; what a model learns
from as many tokens read was the same: see `docs/training.md`.
"""
JUDGING_SHARE = 0.5
"""The same where it judges: a bot's window is half full at the least."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a conversation: `token` tokens of the body of turn `turn` lie before it."""

    turn: int = 0
    token: int = 0


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is taught together: a turn, or messages of one that is too long for a window.

    Attributes:
        end: Where it ends.
        taught: How many tokens it teaches, its tags included.
        room: How many tokens it takes from a window, at most.
        closes: Whether no later turn may follow in its window, as its own would not fit whole.
    """

    end: Place
    taught: int
    room: int
    closes: bool = False


def windows(
    turns: Sequence[Turn],
    tokenizer: Tokenizer,
    most_tokens: int,
    begin: Place = Place(),
    share: float = TEACHING_SHARE,
) -> Iterator[Encoded]:
    """Yield windows of at most `most_tokens` tokens that teach everything from `begin` on, once.

    A window at the conversation's beginning is filled; the others teach a share at the most, so
    that the rest, or nearly, is context before what is taught.

    Args:
        turns: One conversation, each turn shortened to fit by `shorten`.
        tokenizer: The one that encoded it.
        most_tokens: The longest window.
        begin: What lies before teaches nothing.
        share: How much of a window that is not the first may teach.
    """
    region: list[_Piece] = []
    most_taught = int(most_tokens * share)
    room = most_tokens - 1 if begin == Place() else most_taught
    for piece in _pieces(turns, tokenizer, most_tokens, begin):
        if region and (piece.room > room or _closed(region[-1], piece)):
            yield _window(turns, region, tokenizer, most_tokens)
            region, room = [], most_taught
        region.append(piece)
        room -= piece.room
    if region:
        yield _window(turns, region, tokenizer, most_tokens)


@dataclass(frozen=True, slots=True)
class Lost:
    """What shortening took from my messages.

    Attributes:
        targets: How many of them lost their end.
        characters: How many characters it had.
    """

    targets: int = 0
    characters: int = 0

    def __add__(self, other: "Lost") -> "Lost":
        """Return both together."""
        return Lost(self.targets + other.targets, self.characters + other.characters)

    def __sub__(self, other: "Lost") -> "Lost":
        """Return what is lost beside another's."""
        return Lost(self.targets - other.targets, self.characters - other.characters)


def shorten(turn: Turn, tokenizer: Tokenizer, most_tokens: int) -> tuple[Turn, Lost]:
    """Cut the end off every message of a turn that no window can hold.

    What follows the cut is the end of the message, which shortened words must not teach: it
    weighs nothing.

    Returns:
        The turn, and what it lost of what teaches.
    """
    most, begin, lost = most_tokens - WINDOW_OVERHEAD, 0, Lost()
    if len(turn.body.ids) <= most:
        return turn, lost
    ids: list[int] = []
    weights: list[float] = []
    for end in _message_ends(turn, tokenizer):
        kept = end if end - begin <= most else begin + most - 1
        ids += turn.body.ids[begin:kept]
        weights += turn.body.weights[begin:kept]
        if kept < end:
            if turn.outgoing and turn.body.weights[kept - 1] > 0:
                lost += Lost(1, _characters(turn.body.ids[kept : end - 1], tokenizer))
            ids.append(turn.body.ids[end - 1])
            weights.append(0.0)
        begin = end
    return replace(turn, body=Encoded(ids, weights)), lost


def _characters(ids: Sequence[int], tokenizer: Tokenizer) -> int:
    return len(decode_text(ids, tokenizer))


def _window(
    turns: Sequence[Turn], region: list[_Piece], tokenizer: Tokenizer, most_tokens: int
) -> Encoded:
    end = region[-1].end
    # A turn takes two tokens at the least, so more turns than this cannot fit.
    within = list(turns[max(0, end.turn - most_tokens // 2) : end.turn + 1])
    body = within[-1].body
    within[-1] = replace(within[-1], body=Encoded(body.ids[: end.token], body.weights[: end.token]))
    window = join(newest_that_fit(within, most_tokens), tokenizer)
    context = max(1, len(window.ids) - sum(piece.taught for piece in region))
    return Encoded(window.ids, [0.0] * context + window.weights[context:])


def _closed(last: _Piece, piece: _Piece) -> bool:
    return last.closes and last.end.turn != piece.end.turn


def _pieces(
    turns: Sequence[Turn], tokenizer: Tokenizer, most_tokens: int, begin: Place
) -> Iterator[_Piece]:
    for index, turn in enumerate(turns[begin.turn :], start=begin.turn):
        start = begin.token if index == begin.turn else 0
        size, room = len(turn.body.ids), turn_tokens(turn)
        if room < most_tokens:
            taught = size - start if start else _head_tokens(turn, index) + size
            yield _Piece(Place(index, size), taught, room)
            continue
        for stop in _stops(turn, tokenizer, start, most_tokens // 2 - WINDOW_OVERHEAD):
            taught = stop - start if start else _head_tokens(turn, index) + stop
            yield _Piece(Place(index, stop), taught, stop - start + 2, closes=True)
            start = stop


def _head_tokens(turn: Turn, index: int) -> int:
    return 2 if index and turn.silence else 1


def _stops(turn: Turn, tokenizer: Tokenizer, start: int, most: int) -> Iterator[int]:
    """Yield where to part a long turn: behind messages that together take `most` tokens or less."""
    last = start
    for end in _message_ends(turn, tokenizer):
        if start < last < end and end - start > most:
            yield last
            start = last
        last = max(last, end)
    yield last


def _message_ends(turn: Turn, tokenizer: Tokenizer) -> list[int]:
    boundary = tokenizer.tag(NEXT_MESSAGE)
    inner = (place for place, id_ in enumerate(turn.body.ids, start=1) if id_ == boundary)
    return [*inner, len(turn.body.ids)]
