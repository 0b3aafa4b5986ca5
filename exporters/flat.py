"""Messages laid flat, and sorted though memory does not hold them."""

import heapq
import marshal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import IO, Any

from exporters.spool import no_room
from likeness.messages import Message

_MOST_RUNS = 64
_BATCH = 100
_LENGTH_BYTES = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Entry = list[Any]
"""A message laid flat, to be sorted and spilled: its place, its source, then its fields.

At last the source and place of each of its copies, None if it came once.
"""

CHAT, MOMENT, PLACE, SOURCE, ID, PLATFORM, CHAT_ID = range(7)
SPEAKER_ID, OUTGOING, TEXT, REPLY_TO, COPIES = 8, 10, 11, 12, 14
SENDER = slice(8, 11)


class Sorter:
    """Sorts more entries than memory holds: sorted runs go to disk and are merged."""

    def __init__(self, key: Callable[[Entry], Any], run_length: int, opened: ExitStack) -> None:
        self._key = key
        self._run_length = run_length
        self._run: list[Entry] = []
        self._files: list[IO[bytes]] = []
        self._opened = opened

    def add(self, entry: Entry) -> None:
        """Take an entry.

        Raises:
            LikenessError: The temporary folder cannot take any more.
        """
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

    def _merged(self, files: list[IO[bytes]]) -> Iterator[Entry]:
        runs = [_loaded(file) for file in files]
        yield from heapq.merge(*runs, key=self._key)
        for file in files:
            file.close()

    def _spilled(self, entries: Iterable[Entry]) -> IO[bytes]:
        try:
            unnamed = tempfile.TemporaryFile()  # noqa: SIM115
            file = self._opened.enter_context(unnamed)
            rest = iter(entries)
            while batch := list(islice(rest, _BATCH)):
                data = marshal.dumps(batch)
                file.write(len(data).to_bytes(_LENGTH_BYTES) + data)
            file.seek(0)
        except OSError as error:
            raise no_room(error) from error
        return file


def _loaded(file: IO[bytes]) -> Iterator[Entry]:
    """Yield what was spilled; marshal reads nothing but what this process wrote."""
    while length := int.from_bytes(file.read(_LENGTH_BYTES)):
        yield from marshal.loads(file.read(length))  # noqa: S302


def laid_flat(message: Message, chat: int, place: int, source: int) -> Entry:
    """Return a message as an entry, whose copies nobody knows yet."""
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
        None,
    ]


def message_of(entry: Entry) -> Message:
    """Return the message that an entry is."""
    _, moment, _, _, id_, platform, chat_id, chat, speaker_id, speaker, outgoing, *rest = entry
    text, reply_to, kind, _ = rest
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


def copies_of(entry: Entry) -> list[tuple[int, int]]:
    """Return the source and the place of each copy of a message."""
    return entry[COPIES] or [(entry[SOURCE], entry[PLACE])]
