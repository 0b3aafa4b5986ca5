"""Messages of several sources to one order without doubles, whatever their number."""

import heapq
import marshal
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import IO, Any, Self

from likeness.errors import LikenessError
from likeness.messages import Message

RUN_MESSAGES = 50_000
_MOST_RUNS = 64
_MOST_ALIGNED = 1_000
_BATCH = 100
_LENGTH_BYTES = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF = re.compile("[\ud800-\udfff]")
_MICROSECOND = timedelta(microseconds=1)

Entry = list[Any]
"""A message laid flat, to be sorted and spilled: its place, its source, then its fields.

At last the source and place of each of its copies, None if it came once.
"""

_CHAT, _MOMENT, _PLACE, _SOURCE, _ID = range(5)
_COPIES = -1
_by_id = itemgetter(_CHAT, _ID, _PLACE)
_by_time = itemgetter(_CHAT, _MOMENT, _PLACE)


class Merge:
    """Takes the messages of all sources as they come; gives them back in order, each once.

    Chats stand together in the order in which they first appeared, messages in order of time,
    those of the same time in the order in which they came. Of a message that came more than once
    (the same platform, chat and id) the last one stays: give the newest export last. Where sources
    overlap, messages of the same time stand as in the source that holds most of them.

    At most about two runs of messages are in memory at once; sorted runs wait on disk in files
    that have no name, until the merge is left as a context.
    """

    def __init__(self, run_messages: int = RUN_MESSAGES) -> None:
        self._run_messages = run_messages
        self._chats: dict[tuple[str, str], int] = {}
        self._files = ExitStack()
        self._entries = _Sorter(_by_id, run_messages, self._files)
        self._ordered = _Sorter(_by_time, run_messages, self._files)
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

    def settle(self) -> Counter[tuple[str, str]]:
        """Let doubles give way; return how many messages of each platform and chat id remain.

        Raises:
            LikenessError: The temporary folder cannot take any more.
        """
        remain = [0] * len(self._chats)
        for entry in self._latest():
            remain[entry[_CHAT]] += 1
            self._ordered.add(entry)
        return Counter(dict(zip(self._chats, remain, strict=True)))

    def messages(self) -> Iterator[Message]:
        """Yield the messages in order, once they are settled.

        Raises:
            LikenessError: The temporary folder cannot take any more.
        """
        for _, same in groupby(self._ordered.drain(), key=itemgetter(_CHAT, _MOMENT)):
            entries = iter(same)
            yield from map(_message, _aligned(list(islice(entries, _MOST_ALIGNED))))
            yield from map(_message, entries)

    def _latest(self) -> Iterator[Entry]:
        for _, same in groupby(self._entries.drain(), key=itemgetter(_CHAT, _ID)):
            entry: Entry = []
            copies: dict[int, int] = {}
            for later in same:
                if copies:
                    self.doubles[entry[_SOURCE]] += 1
                entry = later
                copies[entry[_SOURCE]] = entry[_PLACE]
            yield [*entry, list(copies.items()) if len(copies) > 1 else None]


def _aligned(entries: list[Entry]) -> list[Entry]:
    """Return the entries of one moment in the order of the source that holds most of them.

    An export that begins or ends within a minute has only some of its messages, and those of equal
    words are numbered otherwise: what it alone holds stands behind what it has before that.
    """
    if not any(entry[_COPIES] for entry in entries):
        return entries
    held: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for index, entry in enumerate(entries):
        for source, place in entry[_COPIES] or [(entry[_SOURCE], entry[_PLACE])]:
            held[source][place] = index
    fullest = max(held, key=lambda source: (len(held[source]), source))
    ranks = {index: (place, -1) for place, index in held[fullest].items()}
    for places in held.values():
        behind = -1
        for place, index in sorted(places.items()):
            behind, _ = ranks.setdefault(index, (behind, place))
    return [entries[index] for index in sorted(ranks, key=lambda index: ranks[index])]


class _Sorter:
    """Sorts more entries than memory holds: sorted runs go to disk and are merged."""

    def __init__(self, key: Callable[[Entry], Any], run_length: int, opened: ExitStack) -> None:
        self._key = key
        self._run_length = run_length
        self._run: list[Entry] = []
        self._files: list[IO[bytes]] = []
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
            raise LikenessError(
                f"{tempfile.gettempdir()} cannot take what must be sorted: {error.strerror}; "
                "make room there, or set TMPDIR to another folder."
            ) from error
        return file


def _loaded(file: IO[bytes]) -> Iterator[Entry]:
    """Yield what was spilled; marshal reads nothing but what this process wrote."""
    while length := int.from_bytes(file.read(_LENGTH_BYTES)):
        yield from marshal.loads(file.read(length))  # noqa: S302


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
