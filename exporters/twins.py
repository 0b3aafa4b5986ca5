"""Which messages of a Telegram chat are one, where their numbers alone do not tell.

Private chats and basic groups are numbered for each account by itself: in the exports of two
accounts one number is of two messages, and one message has two numbers. One number may be of two
messages as well where two groups of one title come as HTML, which knows no other name of them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, count, groupby, islice
from operator import itemgetter

from exporters.flat import (
    CHAT,
    CHAT_ID,
    COPIES,
    ID,
    MOMENT,
    PLACE,
    PLATFORM,
    REPLY_TO,
    SOURCE,
    SPEAKER_ID,
    TEXT,
    Entry,
    copies_of,
)

_NUMBER = re.compile(r"([-#]?\d+)(?:-\d+)?")
_QUARTER = 900 * 1_000_000
_ZONES = 26 * 4 * _QUARTER
_MOST_COMPARED = 1_000


class Twins:
    """Tells apart what is numbered alike, and joins what is numbered otherwise.

    It keeps in memory what became of each number that changed.
    """

    def __init__(self, doubles: Counter[int]) -> None:
        """Take where to count the messages of each source that give way to a later one."""
        self.apart: Counter[int] = Counter()
        """How many messages of each source had a number that another message has."""
        self._doubles = doubles
        self._renamed: dict[tuple[int, int, str], str] = {}
        self._joined: dict[tuple[int, str], str] = {}

    def told_apart(self, entries: Iterable[Entry]) -> Iterator[Iterable[Entry]]:
        """Yield the copies of each message together, in the order in which they came.

        Args:
            entries: In the order of chats, ids and places.
        """
        for (platform, _, number), same in groupby(entries, key=_numbered):
            if platform != "telegram":
                yield same
                continue
            messages = _by_moment(same)
            self._name(messages, number)
            yield from messages

    def joined(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield each message once that accounts number otherwise: of the same second and words.

        Args:
            entries: In the order of chats and times.
        """
        for _, same in groupby(entries, key=itemgetter(CHAT, MOMENT)):
            while part := list(islice(same, _MOST_COMPARED)):
                yield from self._once(part)

    def answered(self, entry: Entry) -> Entry:
        """Return an entry with the id that what it answers has by now."""
        chat: int = entry[CHAT]
        reply: str | None = entry[REPLY_TO]
        if reply is not None:
            reply = self._renamed.get((chat, entry[SOURCE], reply), reply)
            while (chat, reply) in self._joined:
                reply = self._joined[chat, reply]
            entry[REPLY_TO] = reply
        return entry

    def _name(self, messages: list[list[Entry]], number: str) -> None:
        """Give each of the messages of one number an id of its own; what has one keeps it."""
        taken = set[str]()
        more = (f"{number}-{place}" for place in count(2))
        for copies in messages:
            id_ = max((entry[ID] for entry in copies), key=len)
            while id_ in taken:
                id_ = next(more)
            taken.add(id_)
            for entry in copies:
                if entry[ID] != id_:
                    self._renamed[entry[CHAT], entry[SOURCE], entry[ID]] = id_
                    self.apart[entry[SOURCE]] += 1
                    entry[ID] = id_

    def _once(self, entries: list[Entry]) -> Iterator[Entry]:
        """Join what several sources hold of one moment; what one says twice stays twice."""
        said = defaultdict[tuple[str, str], list[Entry]](list)
        held = Counter[tuple[str, str, int]]()
        for entry in sorted(entries, key=_sources, reverse=True):
            words = entry[SPEAKER_ID], entry[TEXT]
            holders = [(*words, source) for source, _ in copies_of(entry)]
            place = max(held[holder] for holder in holders)
            held.update({holder: place + 1 - held[holder] for holder in holders})
            if place < len(said[words]):
                said[words][place] = self._one(said[words][place], entry)
            else:
                said[words].append(entry)
        return chain.from_iterable(said.values())

    def _one(self, *both: Entry) -> Entry:
        earlier, later = sorted(both, key=itemgetter(PLACE))
        self._doubles[earlier[SOURCE]] += 1
        self._joined[later[CHAT], later[ID]] = earlier[ID]
        later[COPIES] = copies_of(earlier) + copies_of(later)
        later[ID] = earlier[ID]
        return later


def _sources(entry: Entry) -> int:
    return len(copies_of(entry))


def numbered_by_account(entry: Entry) -> bool:
    """Tell whether each account has a number of its own for a message that several may have.

    That is so in basic groups; what stood there before one became a supergroup has kept its number,
    below zero. Nobody else has what was sent in a private chat.
    """
    if entry[PLATFORM] != "telegram":
        return False
    kind = "channel" if entry[ID].startswith("-") else "chat"
    return bool(entry[CHAT_ID].startswith(kind))


def _numbered(entry: Entry) -> tuple[str, int, str]:
    """Return platform, chat and number of a message; in Telegram its id begins with that."""
    platform, chat, id_ = entry[PLATFORM], entry[CHAT], entry[ID]
    found = _NUMBER.fullmatch(id_) if platform == "telegram" else None
    return platform, chat, found[1] if found else id_


def _by_moment(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Part the messages of one number: an edit keeps its moment, and a zone's hour is told alike.

    Zones are told in quarters of an hour.
    """
    known: dict[int, list[Entry]] = {}
    for entry in sorted(entries, key=itemgetter(PLACE)):
        known.setdefault(_known_as(entry[MOMENT], known), []).append(entry)
    return list(known.values())


def _known_as(moment: int, known: dict[int, list[Entry]]) -> int:
    if not known or moment in known:
        return moment
    zones = range(moment - _ZONES, moment + _ZONES + 1, _QUARTER)
    return next(filter(known.__contains__, zones), moment)
