"""Messages of several sources to one order without doubles, whatever their number."""

import heapq
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import IO, Any, Self

from likeness.errors import LikenessError
from likeness.messages import Message

RUN_MESSAGES = 50_000
_MOST_RUNS = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF = re.compile("[\ud800-\udfff]")
_MICROSECOND = timedelta(microseconds=1)

Entry = list[Any]
"""A message laid flat, to be sorted and spilled: its place, its source, then its fields."""

_CHAT, _MOMENT, _PLACE, _SOURCE, _ID = range(5)
_by_id = itemgetter(_CHAT, _ID, _PLACE)
_by_time = itemgetter(_CHAT, _MOMENT, _PLACE)


class Merge:
    """Takes the messages of all sources as they come; gives them back in order, each once.

    Chats stand together in the order in which they first appeared, messages in order of time,
    those of the same time in the order in which they came. Of a message that came more than once
    (the same platform, chat and id) the last one stays: give the newest export last.

    At most about two runs of messages are in memory at once; sorted runs wait on disk in files
    that have no name, until the merge is left as a context.
    """

    def __init__(self, run_messages: int = RUN_MESSAGES) -> None:
        self._run_messages = run_messages
        self._chats: dict[tuple[str, str], int] = {}
        self._files = ExitStack()
        self._entries = _Sorter(_by_id, run_messages, self._files)
        self._count = 0
        self.doubles: Counter[int] = Counter()
        """How many messages of each source gave way to a later one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def add(self, message: Message, source: int) -> None:
        """Take a message of the source with this number.

        Raises:
            LikenessError: The temporary folder cannot take any more.
        """
        key = message.platform, message.chat_id
        chat = self._chats.setdefault(key, len(self._chats))
        self._entries.add(_flat(message, chat, self._count, source))
        self._count += 1

    def messages(self) -> Iterator[Message]:
        """Yield the messages in order; `doubles` is whole from the first one on.

        Raises:
            LikenessError: The temporary folder cannot take any more.
        """
        ordered = _Sorter(_by_time, self._run_messages, self._files)
        for entry in self._latest():
            ordered.add(entry)
        for entry in ordered.drain():
            yield _message(entry)

    def _latest(self) -> Iterator[Entry]:
        for _, same in groupby(self._entries.drain(), key=itemgetter(_CHAT, _ID)):
            earlier: Entry | None = None
            for entry in same:
                if earlier is not None:
                    self.doubles[earlier[_SOURCE]] += 1
                earlier = entry
            if earlier is not None:
                yield earlier


class _Sorter:
    """Sorts more entries than memory holds: sorted runs go to disk and are merged."""

    def __init__(self, key: Callable[[Entry], Any], run_length: int, opened: ExitStack) -> None:
        self._key = key
        self._run_length = run_length
        self._run: list[Entry] = []
        self._files: list[IO[str]] = []
        self._opened = opened

    def add(self, entry: Entry) -> None:
        self._run.append(entry)
        if len(self._run) >= self._run_length:
            self._run.sort(key=self._key)
            self._files.append(self._spilled(self._run))
            self._run = []
            if len(self._files) == _MOST_RUNS:
                self._files = [self._spilled(self._merged(self._files))]

    def drain(self) -> Iterator[Entry]:
        """Yield everything in order."""
        self._run.sort(key=self._key)
        last, self._run = self._run, []
        yield from heapq.merge(self._merged(self._files), last, key=self._key)

    def _merged(self, files: list[IO[str]]) -> Iterator[Entry]:
        runs: list[Iterator[Entry]] = [map(json.loads, file) for file in files]
        yield from heapq.merge(*runs, key=self._key)
        for file in files:
            file.close()

    def _spilled(self, entries: Iterable[Entry]) -> IO[str]:
        try:
            unnamed = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115
            file = self._opened.enter_context(unnamed)
            file.writelines(f"{json.dumps(entry)}\n" for entry in entries)
            file.seek(0)
        except OSError as error:
            raise LikenessError(
                f"{tempfile.gettempdir()} cannot take what must be sorted: {error.strerror}; "
                "make room there, or set TMPDIR to another folder."
            ) from error
        return file


def mended(message: Message) -> Message:
    """Return a message whose halves of characters are joined, or, where alone, U+FFFD.

    UTF-8 cannot hold such surrogates, which JSON may still spell out.
    """
    texts = message.id, message.speaker_id, message.speaker, message.chat, message.text
    if not any(map(_HALF.search, texts)):
        return message
    id_, speaker_id, speaker, chat, text = (
        text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts
    )
    return replace(message, id=id_, speaker_id=speaker_id, speaker=speaker, chat=chat, text=text)


def _flat(message: Message, chat: int, place: int, source: int) -> Entry:
    return [
        chat,
        (message.sent_at - _EPOCH) // _MICROSECOND,
        place,
        source,
        message.id,
        message.platform,
        message.chat_id,
        message.chat,
        message.speaker_id,
        message.speaker,
        message.outgoing,
        message.text,
        message.reply_to,
        message.kind,
    ]


def _message(entry: Entry) -> Message:
    _, moment, _, _, id_, platform, chat_id, chat, speaker_id, speaker, outgoing, *rest = entry
    text, reply_to, kind = rest
    return Message(
        platform=platform,
        chat_id=chat_id,
        chat=chat,
        id=id_,
        speaker_id=speaker_id,
        speaker=speaker,
        outgoing=outgoing,
        sent_at=_EPOCH + moment * _MICROSECOND,
        text=text,
        reply_to=reply_to,
        kind=kind,
    )
