"""Prompts and replies as text: what a person may type, what the model wrote, what to show."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby

from likeness.dialogue.tags import (
    END_OF_TURN,
    LINE_BREAK,
    ME,
    NEXT_MESSAGE,
    SILENCES,
    SPEAKERS,
    START,
    Tokenizer,
)
from likeness.dialogue.turns import Encoded, decode_text
from likeness.messages import Message

_TURN = re.compile(rf"((?:{'|'.join(SILENCES)})?)({'|'.join(SPEAKERS)}) ?(.*)", re.DOTALL)
_INNER = re.compile(rf"{NEXT_MESSAGE}((?:{'|'.join(SILENCES)})?) ?")
_BREAK = re.compile(rf"{LINE_BREAK} ?")


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a reply.

    Attributes:
        text: Its words.
        silence: The `<after:…>` tag that the model put before it, if any.
    """

    text: str
    silence: str | None = None


@dataclass(slots=True)
class ReplyReader:
    """Reads a reply token by token, and gives each message as soon as it is whole."""

    tokenizer: Tokenizer
    ended: bool = False
    _words: list[int] = field(default_factory=list)
    _silence: str | None = None
    _ends: set[int] = field(init=False)
    _silences: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        tag = self.tokenizer.tag
        self._ends = {tag(name) for name in (END_OF_TURN, START, *SPEAKERS)}
        self._silences = {tag(name): name for name in SILENCES}

    def read(self, id_: int) -> Part | None:
        """Take the next token; return the message that it completes, if it completes one."""
        if id_ in self._ends:
            self.ended = True
            return self.finish()
        if id_ == self.tokenizer.tag(NEXT_MESSAGE):
            return self.finish()
        if id_ in self._silences:
            self._silence = self._silences[id_]
        else:
            self._words.append(id_)
        return None

    def finish(self) -> Part | None:
        """Return what has been written of a message, if it has words."""
        text = decode_text(self._words, self.tokenizer).strip()
        silence, self._silence, self._words = self._silence, None, []
        return Part(text, silence) if text else None


def read_prompt(text: str) -> tuple[list[Message], str, datetime | None]:
    """Read a prompt that the person at the keyboard wrote, in the workshop's form or ours.

    Here, and only here, a typed tag means what it says. Never give it a chat partner's words.

    Returns:
        The messages, the words that the last message of mine has begun, if the last line is mine,
        and when it came, if that is not at once.

    Raises:
        ValueError: A line does not begin with a speaker's tag.
    """
    messages: list[Message] = []
    moment = datetime(2000, 1, 1, tzinfo=UTC)
    lines = text.removeprefix(START).strip("\n").split("\n")
    for number, line in enumerate(lines, start=1):
        found = _TURN.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"line {number} of the prompt does not begin with a tag like {ME}")
        silence, tag, words = found.groups()
        pieces = [silence, *_INNER.split(words)]
        for silence_, said in zip(pieces[::2], pieces[1::2], strict=True):
            moment += timedelta(seconds=SILENCES.get(silence_, 1))
            messages.append(_typed(tag, _BREAK.sub("\n", said), moment, len(messages)))
    if tag != ME:
        return messages, "", None
    begun = messages.pop()
    return messages, begun.text.strip(), begun.sent_at if silence_ else None


def _typed(tag: str, text: str, moment: datetime, number: int) -> Message:
    return Message(
        platform="terminal",
        chat_id="prompt",
        chat="prompt",
        id=str(number),
        speaker_id=tag,
        speaker=tag,
        outgoing=tag == ME,
        sent_at=moment,
        text=text,
    )


def spans(encoded: Encoded, tokenizer: Tokenizer) -> Iterator[tuple[str, float]]:
    """Yield an encoded conversation as pieces of text, each with the weight its tokens carry."""
    pairs: Sequence[tuple[float, int]] = list(zip(encoded.weights, encoded.ids, strict=True))
    for weight, run in groupby(pairs, key=lambda pair: pair[0]):
        yield tokenizer.decode([id_ for _, id_ in run]), weight
