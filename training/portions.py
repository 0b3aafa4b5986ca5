"""The conversations that teach, one after the other, however long the file and each of them is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from likeness.dialogue import parts
from likeness.messages import Message
from training.config import TrainConfig
from training.survey import Survey, chats, is_target

MOST_MESSAGES = 4096
"""That are new in one portion: a chat that never falls silent is taken in several."""
REPEATED_MESSAGES = 512
"""That come again as context before the next of them: as many as a row of 1024 tokens can hold."""


@dataclass(frozen=True, slots=True)
class Portion:
    """One conversation, or a part of a very long one, and where its held-out part begins.

    Attributes:
        messages: In order.
        held_out_from: The index of the first message that training must not see: `new_from` if it
            must see none of the new ones, `len(messages)` if it may see all.
        new_from: Those before this index belong to the portion before, and are context only.
        goes_on: Whether another portion is of the same conversation, and came before.
    """

    messages: list[Message]
    held_out_from: int
    new_from: int = 0
    goes_on: bool = False

    @property
    def taught(self) -> list[Message]:
        """What training may see."""
        return self.messages[: self.held_out_from]


def portions(path: Path, found: Survey, config: TrainConfig) -> Iterator[Portion]:
    """Yield the conversations in which I have a target, in the file's order.

    Raises:
        MessagesError: The file cannot be read.
    """
    held_out = found.held_out(config)
    for chat, messages in chats(path, found.speaker, masking=found.masking):
        left = found.targets[chat] - held_out[chat]
        gap_seconds = found.gap_seconds(chat, config)
        reply_gap_seconds = max(gap_seconds, config.reply_gap_seconds)
        goes_on = False
        for said, new_from in _stretches(messages, gap_seconds, reply_gap_seconds):
            goes_on = goes_on and new_from > 0
            mine = [place for place in range(new_from, len(said)) if is_target(said[place])]
            if mine:
                yield Portion(said, _cut(said, mine, left, new_from), new_from, goes_on)
                goes_on = True
            left = max(0, left - len(mine))


def train_texts(path: Path, found: Survey, config: TrainConfig) -> Iterator[str]:
    """Yield the words that training may see, for a tokenizer to be made from.

    Raises:
        MessagesError: The file cannot be read.
    """
    for message, taught in heard(path, found, config):
        if taught:
            yield message.text


def heard(path: Path, found: Survey, config: TrainConfig) -> Iterator[tuple[Message, bool]]:
    """Yield each message that has words in these conversations once, and if training may see it.

    Raises:
        MessagesError: The file cannot be read.
    """
    for portion in portions(path, found, config):
        for place in range(portion.new_from, len(portion.messages)):
            if portion.messages[place].shown:
                yield portion.messages[place], place < portion.held_out_from


def _stretches(
    messages: Iterable[Message], gap_seconds: float, reply_gap_seconds: float
) -> Iterator[tuple[list[Message], int]]:
    """Part a chat at its long silences, and between two turns where there is none for too long.

    Yields:
        Messages, and the index of the first that is new.
    """
    said: list[Message] = []
    new_from = 0
    for message in messages:
        if said and parts(said[-1], message, gap_seconds, reply_gap_seconds):
            yield said, new_from
            said, new_from = [], 0
        elif len(said) - new_from >= MOST_MESSAGES and _turns(said[-1], message):
            yield said, new_from
            said = said[-REPEATED_MESSAGES:]
            new_from = len(said)
        said.append(message)
    if said:
        yield said, new_from


def _cut(said: list[Message], mine: list[int], left: int, new_from: int) -> int:
    """Return where the held-out part begins: before my first held-out message, or at all."""
    if len(mine) <= left:
        return len(said)
    return mine[left] if left else new_from


def _turns(last: Message, message: Message) -> bool:
    return last.speaker_id != message.speaker_id and last.shown and message.shown
