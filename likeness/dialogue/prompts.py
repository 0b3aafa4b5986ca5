"""What the bot asks: a window of whole turns, then my tag."""

from array import array
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zlib import crc32

from likeness.dialogue.tags import ME, NEXT_MESSAGE, SILENCES, Tokenizer, silence_tag
from likeness.dialogue.turns import Encoded, Turn, encode_newest, encode_text, join
from likeness.messages import Message


def turn_tokens(turn: Turn) -> int:
    """Return how many tokens a turn takes in a prompt, at most: its body, its tag, its silence."""
    return len(turn.body.ids) + (2 if turn.silence else 1)


def newest_that_fit(turns: Sequence[Turn], max_tokens: int) -> Sequence[Turn]:
    """Return the newest whole turns whose prompt has at most `max_tokens` tokens.

    A single turn that is too long by itself comes back shortened at its beginning.
    """
    room, first = max_tokens - 1, len(turns)
    while first and turn_tokens(turns[first - 1]) <= room:
        first -= 1
        room -= turn_tokens(turns[first])
    if first == len(turns) and turns:
        kept = max(1, max_tokens - 3)
        body = Encoded(turns[-1].body.ids[-kept:], turns[-1].body.weights[-kept:])
        return [replace(turns[-1], body=body)]
    return turns[first:]


def steady_window(turns: Sequence[Turn], max_tokens: int) -> Sequence[Turn]:
    """Return newest whole turns with at most `max_tokens` tokens, from a place that seldom moves.

    What a model has read of a chat is of use for its next prompt only as far as both begin alike.
    So where not all turns fit, the window does not begin at the oldest that does, which is another
    after every turn. Of all places that leave it at least half full it begins at the one after the
    longest silence, and among equals at the turn with the least checksum of its words. That one
    stays until it does not fit any more, and says the same whatever is known of older turns.

    A single turn that is too long by itself comes back shortened at its beginning.

    Source: the rule by which winnowing chooses fingerprints (Schleimer, Wilkerson, Aiken, 2003).
    """
    fitting = newest_that_fit(turns, max_tokens)
    if len(fitting) == len(turns):
        return fitting
    spare = 1 + sum(map(turn_tokens, fitting)) - max_tokens // 2
    places = [0]
    for turn in fitting[:-2]:
        spare -= turn_tokens(turn)
        if spare < 0:
            break
        places.append(len(places))
    return fitting[min(places, key=lambda place: _unfitness(fitting[place])) :]


def _unfitness(first: Turn) -> tuple[int, int]:
    """Return how little a turn suits as a window's first, as a number that looks like chance."""
    silence = SILENCES[first.silence] if first.silence else 0
    return -silence, crc32(array("I", first.body.ids).tobytes())


def context(messages: Sequence[Message], tokenizer: Tokenizer, max_tokens: int) -> list[int]:
    """Return a conversation as the model sees it before somebody speaks, ending with a newline.

    The next token's probabilities say how long the silence will be and whose turn it is; those
    after all but the newline say whether the last speaker has finished.
    """
    turns = encode_newest(messages, tokenizer, max_tokens)
    return join(steady_window(turns, max_tokens), tokenizer).ids


def prompt(
    messages: Sequence[Message],
    tokenizer: Tokenizer,
    max_tokens: int,
    *,
    now: datetime | None = None,
    opening: str = "",
) -> list[int]:
    """Return the ids after which the model, as me, writes on.

    Where I spoke last, the model goes on with my burst; else it begins my turn.

    Args:
        messages: The conversation so far, in order.
        tokenizer: Of the model.
        max_tokens: The prompt's length at the most.
        now: When I answer, if that is not at once.
        opening: Words that I have written already.
    """
    shown = [message for message in messages if message.shown]
    late = silence_tag((now - shown[-1].sent_at).total_seconds()) if now and shown else None
    begun = encode_text(opening, tokenizer) if opening else []
    ids = context(messages, tokenizer, max_tokens - len(begun) - 2)
    if messages and shown and shown[-1] is messages[-1] and shown[-1].outgoing:
        head = [NEXT_MESSAGE, late]
        ids.pop()
    else:
        head = [late, ME]
    return ids + [tokenizer.tag(name) for name in head if name] + begun
