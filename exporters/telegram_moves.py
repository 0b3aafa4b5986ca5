"""Messages of Telegram that belong in another chat than the one in which they came.

Several exports tell it together. A basic group that became a supergroup begins the supergroup's
export, under shifted numbers. And an export that begins later than a forum's topics tells of none.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from operator import itemgetter

from exporters.account import Place
from exporters.moves import Move, Piles
from exporters.spool import Pile
from exporters.telegram_topics import Topics
from likeness.messages import Message

_GROUP = re.compile(r"chat\d+")
_SUPERGROUP = re.compile(r"channel\d+")
_TOPIC = re.compile(r"([^/]+)/(\d{1,18})")
_NUMBER = re.compile(r"(\d{1,18})(-\d+)?")
_LOWERED = re.compile(r"-(\d{1,18})(-\d+)?")
_SHIFT = 1_000_000_000
"""By how much a supergroup lowers the numbers of the group that it was.

Source: `kMigratedMessagesIdShift` of telegramdesktop/tdesktop.
"""


def groups_that_moved(piles: Piles) -> Iterator[Move]:
    """Yield each basic group with the supergroup that it became."""
    groups = [place for place in piles if place[0] == "telegram" and _GROUP.fullmatch(place[1])]
    if not groups:
        return
    told: dict[int, Place] = {}
    names: dict[Place, str] = {}
    for place, pile in piles.items():
        if place[0] == "telegram" and _SUPERGROUP.fullmatch(place[1]):
            for message in _before_it_moved(pile):
                told[_seen(message, _raised(message.id))] = place
                names[place] = message.chat
    for group in groups if told else ():
        seen = (_seen(message, message.id) for _, message in piles[group].messages())
        for place, _ in Counter(told[one] for one in seen if one in told).most_common(1):
            yield Move([group, place], _Moved(group[1], place[1], names[place]).put)


def forums(piles: Piles) -> Iterator[Move]:
    """Yield each forum that several exports hold with its topics."""
    topics = defaultdict[Place, dict[Place, int]](dict)
    for platform, chat_id in piles:
        found = _TOPIC.fullmatch(chat_id)
        if platform == "telegram" and found:
            topics[platform, found[1]][platform, chat_id] = int(found[2])
    for root, numbers in topics.items():
        places = [root, *numbers]
        if root in piles and len(set[int]().union(*(piles[one].sources for one in places))) > 1:
            yield Move(places, _Forum(root[1], _topics(piles, root, numbers)).put)


def _before_it_moved(pile: Pile) -> Iterator[Message]:
    """Yield what a supergroup holds from before; it stands first in each export."""
    messages = (message for _, message in pile.messages())
    if len(pile.sources) == 1:
        return takewhile(_is_old, messages)
    return filter(_is_old, messages)


def _is_old(message: Message) -> bool:
    return _LOWERED.fullmatch(message.id) is not None


def _seen(message: Message, number: str) -> int:
    return hash((number, message.speaker_id, message.sent_at))


@dataclass(frozen=True, slots=True)
class _Moved:
    """What a group's messages are in the supergroup."""

    group: str
    chat_id: str
    chat: str

    def put(self, message: Message) -> Message:
        if message.chat_id != self.group:
            return message
        return replace(
            message,
            chat_id=self.chat_id,
            chat=self.chat,
            id=_lowered(message.id),
            reply_to=message.reply_to and _lowered(message.reply_to),
        )


def _lowered(id_: str) -> str:
    found = _NUMBER.fullmatch(id_)
    return f"{int(found[1]) - _SHIFT}{found[2] or ''}" if found else id_


def _raised(id_: str) -> str:
    found = _LOWERED.fullmatch(id_)
    return f"{_SHIFT - int(found[1])}{found[2] or ''}" if found else id_


@dataclass(frozen=True, slots=True)
class _Forum:
    """Where the messages of a forum stand."""

    chat_id: str
    topics: Topics

    def put(self, message: Message) -> Message:
        return self.topics.placed(message) if message.chat_id == self.chat_id else message


def _topics(piles: Piles, root: Place, numbers: Mapping[Place, int]) -> Topics:
    """Return what all exports of a forum tell of its topics."""
    topics = Topics()
    for place, number in sorted(numbers.items(), key=itemgetter(1)):
        _, first = next(piles[place].messages())
        _, _, title = first.chat.rpartition(" / ")
        topics.note({"id": number, "action": "topic_created", "title": title})
    for place, number in numbers.items():
        for _, message in piles[place].messages():
            topics.note({"id": message.id, "reply_to_message_id": number})
    answers = ((one.id, one.reply_to) for _, one in piles[root].messages() if one.reply_to)
    for id_, answered in sorted(answers, key=_sent_first):
        topics.note({"id": id_, "reply_to_message_id": answered})
    return topics


def _sent_first(answer: tuple[str, str]) -> int:
    """Return what sorts answers by their numbers: newer exports may have come first."""
    found = _NUMBER.fullmatch(answer[0])
    return int(found[1]) if found else 0
