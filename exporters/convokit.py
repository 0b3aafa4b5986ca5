"""ConvoKit's corpora: `utterances.jsonl`, with names and titles from the files beside it.

A conversation is a chat, except in a film, which is one chat with its conversations days apart.
A corpus belongs to nobody: who is "me" is for the user to choose.

Source: `convokit/model/corpus_helpers.py` of CornellNLP/ConvoKit writes `speaker`, `reply-to` and
`meta`; its corpora before 2020 have `user` and `root`.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from exporters.entry import Unreadable, as_object, string, whole_number
from exporters.sources import Reading, Source
from exporters.streaming import BrokenJSON, JSONReader, beginning, keep_whole
from likeness.messages import Message, Record, Rejected

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MADE_UP = datetime(2000, 1, 1, tzinfo=UTC)
_STEP = timedelta(seconds=10)
_SPEAKERS, _CONVERSATIONS = ("speaker", "user"), ("conversation_id", "root")
_REPLIES = ("reply-to", "reply_to")
_NAMES = ("character_name", "name", "username", "speaker")
_TITLES = ("movie_name", "title", "name", "topic")
_NOBODY = "a corpus belongs to nobody"


class _ConvoKit:
    name = "ConvoKit corpus"

    def recognises(self, source: Source) -> bool:
        found = beginning(source.head)
        if not isinstance(found, dict) or not found.keys() >= {"id", "text", "timestamp"}:
            return False
        keys = (_SPEAKERS, _CONVERSATIONS, _REPLIES)
        return all(any(key in found for key in either) for either in keys)

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        reading.flavour = "utterances.jsonl"
        corpus = _Corpus(
            _told(source, ("speakers.json", "users.json"), _NAMES),
            _told(source, ("conversations.json",), _TITLES),
        )
        with source.open(reading.on_bytes) as file:
            yield from keep_whole(corpus.records(file, reading), source.name)


CONVOKIT = _ConvoKit()


def _told(source: Source, files: tuple[str, ...], keys: tuple[str, ...]) -> dict[str, str]:
    """Return what the file beside a source calls each speaker or conversation."""
    told: dict[str, str] = {}
    for name in files:
        near = source.near(name)
        if near is None:
            continue
        with near.open() as file, suppress(BrokenJSON):
            json_ = JSONReader(file)
            for id_ in json_.members() if json_.kind() == "object" else ():
                entry = json_.value()
                meta = entry.get("meta", entry) if isinstance(entry, dict) else None
                named = [meta.get(key) for key in keys] if isinstance(meta, dict) else []
                words = [name for name in named if isinstance(name, str) and name.strip()]
                told.update((id_, name) for name in words[:1])
    return told


class _Corpus:
    """One corpus on its way through.

    Attributes:
        names: What speakers are called, by id, where that is told.
        titles: What conversations are called.
    """

    def __init__(self, names: dict[str, str], titles: dict[str, str]) -> None:
        self.names = names
        self.titles = titles
        self._timeless = 0
        self._places: dict[str, _Place] = {}
        self._days: Counter[str] = Counter()

    def records(self, lines: BinaryIO, reading: Reading) -> Iterator[Record]:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                message = self._message(_entry(line))
            except Unreadable as error:
                yield Rejected(f"line {number}", str(error))
                continue
            reading.owner[message.chat_id] = "", _NOBODY
            yield message
        if self._timeless:
            reading.remarks.append(
                f"{self._timeless} utterances have no time: made-up ones keep their order."
            )

    def _message(self, entry: dict[str, Any]) -> Message:
        conversation = _first(entry, _CONVERSATIONS)
        id_, speaker = _word(entry, "id"), _first(entry, _SPEAKERS)
        if not (conversation and id_ and speaker):
            raise Unreadable("it lacks its id, its speaker or its conversation")
        meta = entry.get("meta")
        film = _word(meta, "movie_id") if isinstance(meta, dict) else ""
        chat, text = film or conversation, string(entry, "text")
        reply_to = _first(entry, _REPLIES) or None
        return Message(
            platform="convokit",
            chat_id=chat,
            chat=self.titles.get(conversation, chat),
            id=id_,
            speaker_id=speaker,
            speaker=self.names.get(speaker, speaker),
            outgoing=None,
            sent_at=_moment(entry) or self._made_up(chat, conversation, id_, reply_to),
            text=text,
            reply_to=reply_to,
        )

    def _made_up(self, chat: str, conversation: str, id_: str, reply_to: str | None) -> datetime:
        """Return a time that keeps the order, and keeps the conversations of a film days apart."""
        self._timeless += 1
        place = self._places.get(conversation)
        if place is None:
            place = self._places[conversation] = _Place(self._days[chat])
            self._days[chat] += 1
        try:
            return _MADE_UP + timedelta(days=place.day) + place.next(id_, reply_to) * _STEP
        except OverflowError as error:
            raise Unreadable("its film has too many conversations") from error


@dataclass(slots=True)
class _Place:
    """Where a conversation stands, written forwards or, as the films are, from its end.

    Attributes:
        day: Which of the chat's days is its own.
    """

    day: int
    _first: int = 1
    _last: int = 0
    _answers: str | None = None

    def next(self, id_: str, reply_to: str | None) -> int:
        """Return the number of the next utterance of the file in the conversation's order."""
        before = id_ == self._answers
        self._answers = reply_to
        if before:
            self._first -= 1
            return self._first
        self._last += 1
        return self._last


def _entry(line: bytes) -> dict[str, Any]:
    try:
        return as_object(json.loads(line))
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is not JSON") from error


def _word(entry: dict[str, Any], key: str) -> str:
    """Return the words under a key; a number stands for its digits."""
    number = whole_number(entry.get(key))
    return string(entry, key) if number is None else str(number)


def _first(entry: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next(filter(None, (_word(entry, key) for key in keys)), "")


def _moment(entry: dict[str, Any]) -> datetime | None:
    told = entry.get("timestamp")
    if told in (None, ""):
        return None
    if not isinstance(told, str | int | float):
        raise Unreadable("it has no timestamp that can be read")
    try:
        return _EPOCH + timedelta(seconds=float(told))
    except (ValueError, OverflowError) as error:
        raise Unreadable("it has no timestamp that can be read") from error
