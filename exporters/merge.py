"""Messages of several sources to one order without doubles, whatever their number."""

import heapq
import marshal
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import IO, Any, Self

from exporters.account import Place
from exporters.blocks import Block
from exporters.spool import Pile, Spool, Verdict, no_room
from likeness.messages import Message

RUN_MESSAGES = 50_000
_MOST_PENDING = 5_000
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

_CHAT, _MOMENT, _PLACE, _SOURCE, _ID, _PLATFORM, _CHAT_ID = range(7)
_COPIES = -1
_by_id = itemgetter(_CHAT, _ID, _PLACE)
_by_time = itemgetter(_CHAT, _MOMENT, _PLACE)


class Merge:
    """Takes the messages of all sources as they come; gives them back in order, each once.

    Chats stand together in the order in which they first appeared, messages in order of time,
    those of the same time in the order in which they came. Of a message that came more than once
    (the same platform, chat and id) the last one stays: give the newest export last. Where sources
    overlap, messages of the same time stand as in the source that holds most of them.

    The lines of the messages wait on disk as they came. A chat that came in order and held nothing
    twice, as most do, is given back so; any other is sorted, in runs that wait on disk as well. At
    most about two runs of messages are in memory at once, and eight bytes of every message. The
    files have no name and go when the merge is left as a context.
    """

    def __init__(self, run_messages: int = RUN_MESSAGES) -> None:
        self._run_messages = run_messages
        self._files = ExitStack()
        self._spool = Spool(self._files)
        self._piles: dict[Place, Pile] = {}
        self._pending = 0
        self._untidy: set[Place] = set()
        self._entries = _Sorter(_by_id, run_messages, self._files)
        self._ordered = _Sorter(_by_time, run_messages, self._files)
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
        self._pile(message.platform, message.chat_id).add(message, source)
        self._pending += 1
        if self._pending >= min(self._run_messages, _MOST_PENDING):
            self._pending = 0
            for pile in self._piles.values():
                pile.flush()

    def add_block(self, block: Block, source: int) -> None:
        """Take many messages of a chat.

        Raises:
            LikenessError: The temporary folder cannot take any more.
        """
        self._pile(block.platform, block.chat_id).add_block(block, source)

    def _pile(self, *place: str) -> Pile:
        platform, chat_id = place
        pile = self._piles.get((platform, chat_id))
        if pile is None:
            pile = self._piles[platform, chat_id] = Pile(self._spool)
        return pile

    def settle(self) -> Counter[Place]:
        """Let doubles give way; return how many messages of each platform and chat id remain.

        Raises:
            LikenessError: The temporary folder cannot take any more.
        """
        remain = Counter({place: len(pile) for place, pile in self._piles.items()})
        for chat, (place, pile) in enumerate(self._piles.items()):
            if not pile.tidy():
                self._untidy.add(place)
                remain[place] = 0
                for number, (source, message) in enumerate(pile.messages()):
                    self._entries.add(_flat(message, chat, number, source))
        for entry in self._latest():
            remain[entry[_PLATFORM], entry[_CHAT_ID]] += 1
            self._ordered.add(entry)
        return remain

    def chats(self) -> Iterator["Settled"]:
        """Yield the chats, once they are settled; each is to be gone through before the next.

        Raises:
            LikenessError: The temporary folder cannot take any more.
        """
        untidy = groupby(self._ordered.drain(), key=itemgetter(_CHAT))
        for place, pile in self._piles.items():
            if place not in self._untidy:
                yield Settled(place, (message for _, message in pile.messages()), pile.lines)
            else:
                _, entries = next(untidy)
                yield Settled(place, _in_order(entries), None)

    def messages(self) -> Iterator[Message]:
        """Yield the messages in order, once they are settled.

        Raises:
            LikenessError: The temporary folder cannot take any more.
        """
        for chat in self.chats():
            yield from chat.messages

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


@dataclass(frozen=True, slots=True)
class Settled:
    """A chat as it is to be written.

    Attributes:
        place: Its platform and id.
        messages: Its messages, to be gone through once.
        lines: The same as lines, much faster, given who is the owner: pieces of bytes, each with
            how many messages in it are the owner's. None where the messages must be sorted.
    """

    place: Place
    messages: Iterator[Message]
    lines: Callable[[Verdict], Iterator[tuple[bytes, int]]] | None


def _in_order(entries: Iterator[Entry]) -> Iterator[Message]:
    for _, same in groupby(entries, key=itemgetter(_MOMENT)):
        equals = iter(same)
        yield from map(_message, _aligned(list(islice(equals, _MOST_ALIGNED))))
        yield from map(_message, equals)


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
            raise no_room(error) from error
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
    if all(map(str.isascii, texts)) or not any(map(_HALF.search, texts)):
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
