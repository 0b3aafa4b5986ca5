"""Dialogues of the corpora as conversations: messages with times, one of the speakers being me."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.starter.corpora import Record, Source, dialogues, dice, is_held_out
from likeness.messages import Message

_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
_BETWEEN_MESSAGES = timedelta(seconds=20)
_LONGEST_SILENCE = timedelta(minutes=30)
_MOST_CHARACTERS = 1_700
"""Of a conversation, so that it fits into 512 tokens, most of the time."""
_CHARACTERS_OF_TAGS = 8
_FEWEST_MESSAGES = 2
_CASUAL = 0.35
"""Of the speakers of carefully written corpora, those who type in small letters."""

_STAGE = re.compile(r"\[[^\]]*\]|\([^)]{0,60}\)|\*[^*]{1,40}\*|\"")
_SPACE = re.compile(r"\s+")
_ADDRESSED = re.compile(r"^[^\s:,]{2,20}[:,]\s*(?=\S)")
_COMMAND = re.compile(r"^[!/]\w")
_BOTS = frozenset({"ubotu", "ubottu", "ubot3"})


def conversations(
    folder: Path, corpus: Source, *, held_out: bool
) -> Iterator[tuple[str, list[Message]]]:
    """Yield the conversations of a corpus that teach, or those of its held-out dialogues.

    Args:
        folder: Where the corpora lie.
        corpus: Which of them.
        held_out: Which side.

    Yields:
        A name of its own for each conversation, and its messages.
    """
    for dialogue, records in dialogues(folder, corpus.name):
        if is_held_out(corpus, dialogue) != held_out:
            continue
        said = (_as_typed(message, corpus) for message in cleaned(corpus, dialogue, records))
        for number, messages in enumerate(_parted(said, corpus)):
            name = f"{dialogue}#{number}"
            for time in range(1 if held_out else _times(corpus, name)):
                again = f"{name}#{time}" if time else name
                yield again, _with_me(messages, corpus, again)


def cleaned(
    corpus: Source, dialogue: str, records: list[Record], moment: datetime = _BEGINNING
) -> Iterator[Message]:
    """Yield the messages of a dialogue without what nobody types; nobody is me.

    Args:
        corpus: What it is of.
        dialogue: Its name.
        records: Its lines.
        moment: When it begins.
    """
    names = {str(record["speaker"]) for record in records}
    for number, record in enumerate(records):
        moment = _moment(moment, record)
        speaker = str(record["speaker"])
        text = _clean(str(record["text"]), corpus, names)
        if not text or speaker in _BOTS:
            continue
        yield Message(
            platform=corpus.name,
            chat_id=dialogue,
            chat=dialogue,
            id=str(number),
            speaker_id=speaker,
            speaker=speaker,
            outgoing=None,
            sent_at=moment,
            text=text,
        )


def _as_typed(message: Message, corpus: Source) -> Message:
    """Put some speakers of careful words into small letters, as many people type."""
    if corpus.spoken and dice("casual", message.chat_id, message.speaker_id) < _CASUAL:
        return replace(message, text=message.text.lower().removesuffix("."))
    return message


def _clean(text: str, corpus: Source, names: set[str]) -> str:
    """Take out what nobody types in a chat: stage directions, names before answers."""
    if corpus.spoken:
        text = _STAGE.sub(" ", text)
    elif _COMMAND.match(text):
        return ""
    elif (found := _ADDRESSED.match(text)) and found[0].rstrip(" :,") in names:
        text = text[found.end() :]
    return _SPACE.sub(" ", text).strip(" -")


def _moment(last: datetime, record: Record) -> datetime:
    """Return when something was said: by the clock where there is one, else a little later."""
    if "time" not in record:
        return last + _BETWEEN_MESSAGES
    hour, minute = map(int, str(record["time"]).split(":"))
    moment = last.replace(hour=hour, minute=minute, second=0)
    if moment < last.replace(second=0):
        moment += timedelta(days=1)
    return max(last, moment)


def _parted(messages: Iterator[Message], corpus: Source) -> Iterator[list[Message]]:
    """Part a dialogue at silences, at speeches, and where it gets too long for a row."""
    piece: list[Message] = []
    characters = 0
    for message in messages:
        size = len(message.text) + _CHARACTERS_OF_TAGS
        speech = len(message.text) > corpus.longest
        silent = piece and message.sent_at - piece[-1].sent_at > _LONGEST_SILENCE
        if speech or silent or characters + size > _MOST_CHARACTERS:
            if len(piece) >= _FEWEST_MESSAGES:
                yield piece
            piece, characters = [], 0
        if not speech:
            piece.append(message)
            characters += size
    if len(piece) >= _FEWEST_MESSAGES:
        yield piece


def _times(corpus: Source, name: str) -> int:
    """Return how often a conversation teaches, so that all together do by the corpus' share."""
    whole, part = divmod(corpus.share, 1)
    return int(whole) + (dice("share", corpus.name, name) < part)


def _with_me(messages: list[Message], corpus: Source, name: str) -> list[Message]:
    """Let one of the speakers be me, the same one whenever it is asked."""
    speakers = sorted({message.speaker_id for message in messages})
    me = speakers[int(dice("me", corpus.name, name) * len(speakers))]
    return [replace(message, outgoing=message.speaker_id == me) for message in messages]
