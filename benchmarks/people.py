"""People to imitate: corpora of chats as `messages.jsonl`, written by our own exporter."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

from exporters.options import ExportOptions
from exporters.run import export

_BEGINNING = datetime(2020, 1, 1, 8, tzinfo=UTC)
_STEP = timedelta(seconds=10)
_FEWEST = 8


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose messages are to be predicted.

    Attributes:
        name: What the tables call them.
        file: The corpus, below the data's folder.
        speaker: Their name in it; None where its rows tell who is me.
        one_chat: Whether all dialogues are days of one chat, rather than a chat each.
    """

    name: str
    file: str
    speaker: str | None = None
    one_chat: bool = False


PEOPLE = {
    person.name: person
    for person in (
        Person("interviews-obama", "workshop-interviews/barack_obama_interviews.json"),
        Person("interviews-putin", "workshop-interviews/vladimir_putin_interviews.json"),
        Person("crd3", "corpora/crd3.jsonl.gz", "LAURA", one_chat=True),
        Person("ubuntu-irc", "corpora/ubuntu-irc.jsonl.gz", "bob2", one_chat=True),
        Person("group-chat", "corpora/group-chat-with-times.jsonl.gz", "Dia"),
    )
}
"""Two who are interviewed, one of eight at a table, a busy one in a channel, and in a forum."""


@dataclass(frozen=True, slots=True)
class _Dialogue:
    name: str
    turns: list[dict[str, Any]]
    share: float
    characters: int


def write_messages(person: Person, data: Path, folder: Path, characters: int) -> Path:
    """Write what a person and those around them said.

    Of a corpus the dialogues are taken in which the person says the largest share, up to so many
    characters of everybody's, the last of them cut; the order of time stays.

    Args:
        person: Who is me.
        data: The folder of the corpora.
        folder: Where the file is made.
        characters: How much of the corpus.

    Returns:
        The `messages.jsonl`.
    """
    source, me = data / person.file, ()
    if person.speaker is not None:
        me, found = (person.speaker,), _chosen(person, source, characters)
        source = folder / f"{person.name}.rows.json"
        source.write_text(json.dumps(list(_rows(person, found))), encoding="utf-8")
    output = folder / f"{person.name}.jsonl"
    export([source], output, ExportOptions(UTC, "UTC", me=me))
    return output


def _chosen(person: Person, source: Path, characters: int) -> list[_Dialogue]:
    dialogues = [one for one in _dialogues(person, source) if one.share]
    left, kept = characters, dict[str, int]()
    for dialogue in sorted(dialogues, key=lambda one: one.share, reverse=True):
        if left <= 0:
            break
        kept[dialogue.name] = left
        left -= dialogue.characters
    return [_cut(dialogue, kept[dialogue.name]) for dialogue in dialogues if dialogue.name in kept]


def _cut(dialogue: _Dialogue, characters: int) -> _Dialogue:
    ends = accumulate(len(turn["text"]) for turn in dialogue.turns)
    turns = [turn for turn, end in zip(dialogue.turns, ends, strict=True) if end <= characters]
    return replace(dialogue, turns=turns)


def _dialogues(person: Person, source: Path) -> Iterator[_Dialogue]:
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        turns = map(json.loads, lines)
        for name, group in groupby(turns, key=lambda turn: str(turn["dialogue"])):
            said = list(group)
            count = Counter(turn["speaker"] for turn in said)[person.speaker]
            share = count / len(said) if count >= _FEWEST else 0.0
            yield _Dialogue(name, said, share, sum(len(turn["text"]) for turn in said))


def _rows(person: Person, dialogues: list[_Dialogue]) -> Iterator[dict[str, Any]]:
    """Yield a row a turn; where a corpus tells no times, a dialogue has a day of its own."""
    for day, dialogue in enumerate(dialogues):
        moment = _BEGINNING + timedelta(days=day)
        for turn in dialogue.turns:
            moment = _moment(turn, moment)
            chat = person.name if person.one_chat else dialogue.name
            yield {
                "timestamp": moment.timestamp(),
                "conversationId": chat,
                "conversationWithName": chat,
                "senderName": turn["speaker"],
                "outgoing": turn["speaker"] == person.speaker,
                "text": turn["text"],
                "language": "en",
                "platform": "corpus",
            }


def _moment(turn: dict[str, Any], last: datetime) -> datetime:
    """Return when a turn was said, and no sooner than the one before."""
    if "ts" in turn:
        return datetime.fromtimestamp(turn["ts"], UTC)
    if "time" in turn:
        hour, minute = map(int, turn["time"].split(":"))
        return max(last, last.replace(hour=hour, minute=minute, second=0))
    return last + _STEP
