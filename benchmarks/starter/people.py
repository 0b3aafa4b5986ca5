"""Somebody to become: their chat as `messages.jsonl`, of three kinds, none of which has taught."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.starter.conversations import cleaned
from benchmarks.starter.corpora import dialogues, is_held_out, source
from exporters.options import ExportOptions
from exporters.run import export
from likeness.files import read_messages
from likeness.messages import Message

_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


def interviews(data: Path, folder: Path) -> Iterator[Message]:
    """Yield interviews: long answers, carefully spoken, somebody else's every other turn."""
    output = folder / "interviews.jsonl"
    rows = data / "workshop-interviews" / "barack_obama_interviews.json"
    export([rows], output, ExportOptions(UTC, "UTC"))
    yield from sorted(read_messages(output), key=lambda message: message.sent_at)


def player(data: Path, _folder: Path) -> Iterator[Message]:
    """Yield one of eight at a table, from those sessions that never taught the starter."""
    corpus = source("crd3")
    for day, (session, records) in enumerate(dialogues(data / "corpora", corpus.name)):
        if is_held_out(corpus, session):
            for message in cleaned(corpus, session, records, _BEGINNING + timedelta(days=day)):
                yield _by("LAURA", message)


def forum(data: Path, _folder: Path) -> Iterator[Message]:
    """Yield somebody of a forum's chat, with its true times."""
    for topic, records in dialogues(data / "corpora", "group-chat-with-times"):
        for number, record in enumerate(records):
            message = Message(
                platform="corpus",
                chat_id=topic,
                chat=topic,
                id=str(number),
                speaker_id=str(record["speaker"]),
                speaker=str(record["speaker"]),
                outgoing=None,
                sent_at=datetime.fromtimestamp(float(record["ts"]), UTC),
                text=str(record["text"]),
            )
            yield _by("Ben", message)


PEOPLE: dict[str, Callable[[Path, Path], Iterator[Message]]] = {
    "interviews": interviews,
    "crd3, one player": player,
    "group chat, one member": forum,
}


def write_chat(messages: list[Message], mine: int, path: Path) -> int:
    """Write the newest part of a chat that holds so many messages of mine, as one chat.

    Returns:
        How many messages of mine there are.
    """
    places = [number for number, message in enumerate(messages) if message.outgoing]
    begin = places[-mine] if len(places) > mine else 0
    with path.open("w", encoding="utf-8") as file:
        for number, message in enumerate(messages[begin:]):
            file.write(_in_one_chat(message, number).to_json() + "\n")
    return min(mine, len(places))


def _by(me: str, message: Message) -> Message:
    return replace(message, outgoing=message.speaker == me)


def _in_one_chat(message: Message, number: int) -> Message:
    return replace(message, chat_id="one", chat="one", id=str(number), reply_to=None)
