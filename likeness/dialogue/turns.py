"""Messages to encoded turns, and turns to one sequence with its loss weights."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from likeness.dialogue.tags import (
    END_OF_TURN,
    LINE_BREAK,
    ME,
    NEXT_MESSAGE,
    SPEAKERS,
    START,
    Tokenizer,
    silence_tag,
)
from likeness.messages import Message


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids, and how much each counts in the loss of the model that predicts it.

    Attributes:
        ids: T token ids.
        weights: T weights from 0 to 1; `weights[t]` belongs to the prediction of `ids[t]`.
    """

    ids: list[int]
    weights: list[float]


@dataclass(frozen=True, slots=True)
class Turn:
    """Consecutive messages of one speaker, encoded, without the speaker's tag.

    Attributes:
        speaker_id: Who spoke.
        outgoing: Whether it was me.
        silence: The `<after:…>` tag before it, if any.
        body: The words and tags from after the speaker's tag up to and with the newline.
        targets: How many of its messages teach.
    """

    speaker_id: str
    outgoing: bool
    silence: str | None
    body: Encoded
    targets: int


def split_conversations(
    messages: Iterable[Message], gap_seconds: float, reply_gap_seconds: float | None = None
) -> Iterator[list[Message]]:
    """Part the messages of one chat, in order, wherever a long silence lies.

    Args:
        messages: Messages of one chat, in order.
        gap_seconds: A silence longer than this ends a conversation.
        reply_gap_seconds: The same before a message of mine that answers another's: a slow reply
            still belongs to its question. `gap_seconds` if None.
    """
    conversation: list[Message] = []
    for message in messages:
        if conversation and parts(conversation[-1], message, gap_seconds, reply_gap_seconds):
            yield conversation
            conversation = []
        conversation.append(message)
    if conversation:
        yield conversation


def parts(
    last: Message, message: Message, gap_seconds: float, reply_gap_seconds: float | None
) -> bool:
    """Tell whether the silence between two messages ends a conversation."""
    answers = bool(message.outgoing) and not last.outgoing
    limit = reply_gap_seconds if answers and reply_gap_seconds is not None else gap_seconds
    return (message.sent_at - last.sent_at).total_seconds() > limit


def encode_turns(
    messages: Sequence[Message], tokenizer: Tokenizer, context_weight: float = 0.0
) -> list[Turn]:
    """Encode a conversation turn by turn.

    A message that is not shown (deleted, automated, a picture without a caption) ends the turn it
    falls into and leaves no other trace.

    Args:
        messages: One conversation, in order; `outgoing` must be known.
        tokenizer: Of the model.
        context_weight: The weight of others' words; mine and all tags have 1, words that do not
            teach have 0.
    """
    return [
        _encode_turn(previous, burst, tokenizer, context_weight)
        for previous, burst in _bursts(messages)
    ]


def encode_newest(messages: Sequence[Message], tokenizer: Tokenizer, tokens: int) -> list[Turn]:
    """Encode the newest turns of a conversation, as many as have more than `tokens` tokens, or all.

    They are those of `encode_turns`; it costs no more however long the conversation is.
    """
    newest: list[Turn] = []
    for before, burst in reversed(list(_bursts(messages))):
        newest.append(_encode_turn(before, burst, tokenizer, context_weight=0.0))
        tokens -= len(newest[-1].body.ids)
        if tokens < 0:
            break
    return newest[::-1]


def _bursts(messages: Sequence[Message]) -> Iterator[tuple[Message | None, list[Message]]]:
    """Yield each turn's messages with the message before it, None for the first."""
    burst: list[Message] = []
    before: Message | None = None
    ended = False
    for message in messages:
        if not message.shown:
            ended = True
            continue
        if burst and (ended or message.speaker_id != burst[-1].speaker_id):
            yield before, burst
            before, burst = burst[-1], []
        burst.append(message)
        ended = False
    if burst:
        yield before, burst


def _encode_turn(
    before: Message | None, burst: list[Message], tokenizer: Tokenizer, context_weight: float
) -> Turn:
    first = burst[0]
    ids: list[int] = []
    weights: list[float] = []
    outgoing = bool(first.outgoing)
    for previous, message in zip([None, *burst], burst, strict=False):
        if previous is not None:
            tags = [NEXT_MESSAGE, _silence_between(previous, message)]
            ids += [tokenizer.tag(tag) for tag in tags if tag]
        weights += [1.0] * (len(ids) - len(weights))
        ids += encode_text(message.text, tokenizer)
        words = 0.0 if not message.teaches else 1.0 if outgoing else context_weight
        weights += [words] * (len(ids) - len(weights))
    return Turn(
        speaker_id=first.speaker_id,
        outgoing=outgoing,
        silence=_silence_between(before, first) if before else None,
        body=Encoded([*ids, tokenizer.tag(END_OF_TURN)], [*weights, 1.0]),
        targets=sum(message.teaches for message in burst) if outgoing else 0,
    )


def _silence_between(last: Message, message: Message) -> str | None:
    return silence_tag((message.sent_at - last.sent_at).total_seconds())


def encode_text(text: str, tokenizer: Tokenizer) -> list[int]:
    """Encode one message's words, its newlines as LINE_BREAK, each line behind a space.

    Tokenizers like GPT-2's know most words better behind a space than without one.
    """
    ids: list[int] = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
        if number:
            ids.append(tokenizer.tag(LINE_BREAK))
        ids += tokenizer.encode(f" {line}") if line else []
    return ids


def decode_text(ids: Sequence[int], tokenizer: Tokenizer) -> str:
    """Return the words of a message, or of a part of one: the reverse of `encode_text`.

    The space that the first line stands behind is left, as a part may begin with one of its own.
    """
    line_break = tokenizer.tag(LINE_BREAK)
    ends = [place for place, id_ in enumerate(ids) if id_ == line_break]
    begins = [0, *(end + 1 for end in ends)]
    lines = [
        tokenizer.decode(ids[begin:end])
        for begin, end in zip(begins, [*ends, len(ids)], strict=True)
    ]
    return "\n".join([lines[0], *(line.removeprefix(" ") for line in lines[1:])])


def join(turns: Sequence[Turn], tokenizer: Tokenizer, first_target: int = 0) -> Encoded:
    """Put turns together as one prompt, beginning with START.

    Args:
        turns: A window of whole turns of one conversation.
        tokenizer: The one that encoded them.
        first_target: The index of the first turn that teaches; those before it weigh nothing.
    """
    ids, weights = [tokenizer.tag(START)], [0.0]
    tags = _speaker_tags(turns)
    for index, (turn, tag) in enumerate(zip(turns, tags, strict=True)):
        head = [turn.silence, tag] if index and turn.silence else [tag]
        ids += [tokenizer.tag(name) for name in head] + turn.body.ids
        taught = [1.0] * len(head) + turn.body.weights
        weights += taught if index >= first_target else [0.0] * len(taught)
    return Encoded(ids, weights)


def _speaker_tags(turns: Sequence[Turn]) -> list[str]:
    """Give each turn its speaker's tag; only what came before a turn decides about it."""
    tag_of: dict[str, str] = {}
    last_used = dict.fromkeys(SPEAKERS[1:], -1)
    tags = []
    for index, turn in enumerate(turns):
        if turn.outgoing:
            tags.append(ME)
            continue
        tag = tag_of.setdefault(turn.speaker_id, min(last_used, key=last_used.__getitem__))
        last_used[tag] = index
        tags.append(tag)
    return tags
