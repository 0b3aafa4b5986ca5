"""Messages of several sources to one order without doubles, whatever their number."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Self

from exporters.account import Place
from exporters.blocks import Block, Sender
from exporters.flat import (
    CHAT,
    CHAT_ID,
    COPIES,
    ID,
    MOMENT,
    OUTGOING,
    PLACE,
    PLATFORM,
    SENDER,
    SOURCE,
    SPEAKER_ID,
    Entry,
    Sorter,
    copies_of,
    laid_flat,
    message_of,
)
from exporters.moves import Move
from exporters.slack_threads import opened_threads
from exporters.spool import Pile, Spool, Verdict
from exporters.telegram_moves import forums, groups_that_moved
from exporters.twins import Twins, numbered_by_account
from likeness.messages import Message

RUN_MESSAGES = 50_000
_MOST_PENDING = 5_000
_MOST_ALIGNED = 1_000
_MINUTE = 60 * 1_000_000

_by_id = itemgetter(CHAT, ID, PLACE)
_by_time = itemgetter(CHAT, MOMENT, PLACE)


class Merge:
    """Takes the messages of all sources as they come; gives them back in order, each once.

    Chats stand together in the order in which they first appeared, messages in order of time,
    those of the same time in the order in which they came. Of a message that came more than once
    (the same platform, chat and id) the last one stays: give the newest export last. Where only an
    earlier one says that it is mine, it is. Where sources overlap, messages of the same time stand
    as in the source that holds most of them; where one tells the minute alone and an earlier one
    the second, the second stays.

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
        self._entries = Sorter(_by_id, run_messages, self._files)
        self._begins: dict[tuple[int, int], int] = {}
        self._speakers: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
        self._ordered = Sorter(_by_time, run_messages, self._files)
        self.doubles: Counter[int] = Counter()
        """How many messages of each source gave way to a later one."""
        self._twins = Twins(self.doubles)
        self.apart = self._twins.apart
        """How many messages of each source had the number of another message of their chat."""
        self.moved: defaultdict[tuple[Place, Place], Counter[Sender]] = defaultdict(Counter)
        """How many messages of each sender moved from one chat to the other where they belong."""

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
        for step in groups_that_moved, forums, opened_threads:
            for pile in self._piles.values():
                pile.flush()
            for move in list(step(self._piles)):
                self._move(move)
        for chat, (place, pile) in enumerate(self._piles.items()):
            if not pile.tidy():
                self._untidy.add(place)
                for number, (source, message) in enumerate(pile.messages()):
                    self._enter(laid_flat(message, chat, number, source))
        tidy = self._piles.keys() - self._untidy
        remain = Counter({place: len(self._piles[place]) for place in tidy})
        for entry in self._once():
            remain[entry[PLATFORM], entry[CHAT_ID]] += 1
            self._ordered.add(entry)
        return remain

    def _enter(self, entry: Entry) -> None:
        part = entry[CHAT], entry[SOURCE]
        self._begins[part] = min(entry[MOMENT], self._begins.get(part, entry[MOMENT]))
        self._speakers[part].add(entry[SPEAKER_ID])
        self._entries.add(entry)

    def _move(self, move: Move) -> None:
        """Take the messages of some chats anew, in the order of their sources."""
        piles = [self._piles[place] for place in move.places]
        self._piles.update({place: Pile(self._spool) for place in move.places})
        for source, found in heapq.merge(*(pile.messages() for pile in piles), key=itemgetter(0)):
            message = move.put(found)
            if message.chat_id != found.chat_id:
                places = (found.platform, found.chat_id), (message.platform, message.chat_id)
                self.moved[places][message.speaker_id, message.speaker] += 1
            self.add(message, source)
        self._piles = {place: pile for place, pile in self._piles.items() if len(pile)}

    def _once(self) -> Iterator[Entry]:
        """Yield each message of the chats that must be sorted."""
        several = {place for place in self._untidy if len(self._piles[place].sources) > 1}
        crossed = Sorter(_by_time, self._run_messages, self._files)
        for entry in self._latest():
            if numbered_by_account(entry) and (entry[PLATFORM], entry[CHAT_ID]) in several:
                crossed.add(entry)
            else:
                yield entry
        yield from self._twins.joined(crossed.drain())

    def chats(self) -> Iterator["Settled"]:
        """Yield the chats, once they are settled; each is to be gone through before the next.

        Raises:
            LikenessError: The temporary folder cannot take any more.
        """
        untidy = groupby(self._ordered.drain(), key=itemgetter(CHAT))
        for place, pile in self._piles.items():
            if place not in self._untidy:
                yield Settled(place, (message for _, message in pile.messages()), pile.lines)
            else:
                _, entries = next(untidy)
                answered = map(self._twins.answered, entries)
                yield Settled(place, _in_order(answered), None)

    def messages(self) -> Iterator[Message]:
        """Yield the messages in order, once they are settled.

        Raises:
            LikenessError: The temporary folder cannot take any more.
        """
        for chat in self.chats():
            yield from chat.messages

    def _latest(self) -> Iterator[Entry]:
        for same in self._twins.told_apart(self._entries.drain()):
            entry: Entry = []
            copies: dict[int, int] = {}
            for later in same:
                if copies:
                    self.doubles[entry[SOURCE]] += 1
                    if self._is_miscounted(entry, later):
                        later[SENDER] = entry[SENDER]
                    elif later[OUTGOING] is None:
                        later[OUTGOING] = entry[OUTGOING] or None
                    later[MOMENT] = _second(entry[MOMENT], later[MOMENT])
                entry = later
                copies[entry[SOURCE]] = entry[PLACE]
            if len(copies) > 1:
                entry[COPIES] = list(copies.items())
            yield entry

    def _is_miscounted(self, earlier: Entry, later: Entry) -> bool:
        """Tell whether the later of two copies is of somebody else's equal words.

        They are counted from the first that an export holds, which may begin within their minute.
        Who bears a name that the earlier export does not know was but renamed.
        """
        begins = self._begins[later[CHAT], later[SOURCE]]
        speaker = later[SPEAKER_ID]
        return bool(
            speaker != earlier[SPEAKER_ID]
            and speaker in self._speakers[earlier[CHAT], earlier[SOURCE]]
            and later[MOMENT] // _MINUTE == begins // _MINUTE
        )


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


def _second(earlier: int, later: int) -> int:
    """Return when a message of two copies was sent.

    Where both say the same minute, a copy without seconds does not count, and of two seconds the
    first does: an export that is cut counts equal words of a minute from the first that it holds.
    """
    minute = later // _MINUTE * _MINUTE
    if earlier // _MINUTE * _MINUTE != minute:
        return later
    return min({earlier, later} - {minute}, default=minute)


def _in_order(entries: Iterator[Entry]) -> Iterator[Message]:
    for _, same in groupby(entries, key=itemgetter(MOMENT)):
        equals = iter(same)
        yield from map(message_of, _aligned(list(islice(equals, _MOST_ALIGNED))))
        yield from map(message_of, equals)


def _aligned(entries: list[Entry]) -> list[Entry]:
    """Return the entries of one moment in the order of the source that holds most of them.

    An export that begins or ends within a minute has only some of its messages, and those of equal
    words are numbered otherwise: what it alone holds stands behind what it has before that.
    """
    if not any(entry[COPIES] for entry in entries):
        return entries
    held: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for index, entry in enumerate(entries):
        for source, place in copies_of(entry):
            held[source][place] = index
    fullest = max(held, key=lambda source: (len(held[source]), source))
    ranks = {index: (place, -1) for place, index in held[fullest].items()}
    for places in held.values():
        behind = -1
        for place, index in sorted(places.items()):
            behind, _ = ranks.setdefault(index, (behind, place))
    return [entries[index] for index in sorted(ranks, key=lambda index: ranks[index])]
