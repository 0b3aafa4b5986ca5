"""What a model is asked: the prompt for a reply, and how long that may be."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

from bot.engine import Sampling
from likeness.card import RunCard
from likeness.dialogue import (
    ME,
    NEXT_MESSAGE,
    SILENCES,
    Tokenizer,
    context,
    prompt,
    split_conversations,
)
from likeness.masking import mask, masked
from likeness.messages import Message

_TAGS_OF_A_PROMPT = 2
"""What `prompt` adds to a context at the most: a silence, and my tag."""


def room_for(sampling: Sampling, card: RunCard) -> int:
    """Return how many tokens a reply has at the most; half of what the model knows is for it."""
    return min(sampling.max_new_tokens, card.context_tokens // 2)


def ask(
    messages: Sequence[Message],
    tokenizer: Tokenizer,
    card: RunCard,
    sampling: Sampling,
    now: datetime | None = None,
    opening: str = "",
) -> list[int]:
    """Return the prompt for a reply in a chat: its newest conversation, as the model knows it.

    Args:
        messages: The chat so far, in order.
        tokenizer: Of the model.
        card: Of the model.
        sampling: Its reply's length must fit behind the prompt.
        now: When the answer is given, if that is not at once.
        opening: Words of the reply that are given.
    """
    limit = card.context_tokens - room_for(sampling, card)
    newest = newest_conversation(messages, card)
    begun = masked(opening.strip()) if card.masking else opening.strip()
    return prompt(newest, tokenizer, limit, now=now, opening=begun)[-limit:]


def seen(
    messages: Sequence[Message], tokenizer: Tokenizer, card: RunCard, sampling: Sampling
) -> list[int]:
    """Return a chat as the model sees it before somebody speaks, as `ask` would begin.

    Args:
        messages: Its newest conversation.
        tokenizer: Of the model.
        card: Of the model.
        sampling: A reply's length must fit behind it.
    """
    limit = card.context_tokens - room_for(sampling, card) - _TAGS_OF_A_PROMPT
    return context(messages, tokenizer, limit)


def newest_conversation(messages: Sequence[Message], card: RunCard) -> list[Message]:
    """Return what was said since the last long silence of a chat, as the model may know it."""
    conversations = split_conversations(messages, card.gap_seconds, card.reply_gap_seconds)
    newest = deque(conversations, maxlen=1)
    return as_known(newest[0] if newest else [], card)


def as_known(messages: Sequence[Message], card: RunCard) -> list[Message]:
    """Return messages as the model may know them: where it learnt from masked ones, masked."""
    return [mask(message) if card.masking else message for message in messages]


def given_words(ids: Sequence[int], tokenizer: Tokenizer) -> list[int]:
    """Return the words of mine at a prompt's end: those that the opening gave."""
    tags = {tokenizer.tag(tag) for tag in (ME, NEXT_MESSAGE, *SILENCES)}
    words = takewhile(lambda id_: id_ not in tags, reversed(ids))
    return list(words)[::-1]
