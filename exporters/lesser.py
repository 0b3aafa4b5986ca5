"""What a lesser export of a chat, HTML or CSV, adds to a better one that was given with it.

Lesser ones tell no ids of chats, people or messages, or other ones, so that nothing of them would
meet what the better one holds. They are compared by what both tell: in Telegram the numbers of the
messages, which HTML has too, in Discord the minute and the words. What an earlier export wrote of
a lesser one into our own file is met in the same way.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Final

from exporters import Exporter
from exporters.account import Place
from exporters.blocks import Block
from exporters.lesser_own import OWN_BETTER, OWN_LESSER, is_of_lesser, lesser_told
from exporters.own import MESSAGES
from exporters.sources import Reading, Source
from likeness.errors import SourceError
from likeness.messages import Message, Record

_FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "telegram": ("Telegram Desktop JSON", "Telegram Desktop HTML"),
    "discord": (
        "DiscordChatExporter JSON",
        "DiscordChatExporter HTML",
        "DiscordChatExporter CSV",
        "DiscordChatExporter text",
    ),
}
"""The forms in which a chat may come, the best first."""

_LESSER = (
    OWN_LESSER.name,
    "Telegram Desktop HTML",
    "DiscordChatExporter CSV",
    "DiscordChatExporter text",
)
_POORER = ("Discord data package", "DiscordChatExporter HTML")
"""They tell the ids of messages and less of these than the JSON, which is to come after them."""

_QUARTER_SECONDS = 900

Found = Sequence[tuple[Source, Exporter]]
_Folder = tuple[Path | None, PurePosixPath]
Meeting = Callable[[Record | Block], tuple[Record | Block, bool]]


@dataclass(slots=True)
class _Chat:
    """A chat of a better export, its topics included.

    Attributes:
        id: Its id.
        known: How often it holds each of what can be compared.
        speakers: The ids of those who speak, by name; None for a name that two have.
    """

    id: str
    known: Counter[int] = field(default_factory=Counter)
    speakers: dict[str, str | None] = field(default_factory=dict)

    def note(self, message: Message) -> None:
        self.known[_compared(message)] += 1
        known = self.speakers.setdefault(message.speaker, message.speaker_id)
        if known != message.speaker_id:
            self.speakers[message.speaker] = None


class Better:
    """What the better exports hold, as far as lesser ones were given too."""

    def __init__(self, found: Found) -> None:
        """Take in all sources and who reads them; nothing is kept if no chat can come twice."""
        given = {exporter.name for _, exporter in found}
        may_come = {
            platform: given.intersection((*forms, OWN_BETTER.name, OWN_LESSER.name))
            for platform, forms in _FORMS.items()
        }
        self._platforms = {
            platform
            for platform, forms in may_come.items()
            if not forms.isdisjoint(_LESSER) and len(forms) > 1
        }
        self._found = found
        self._seen: set[str] = set()
        self._same: defaultdict[_Folder, dict[Place, _Chat]] = defaultdict(dict)
        self._chats: dict[Place, _Chat] = {}
        self._named: defaultdict[tuple[str, str], list[_Chat]] = defaultdict(list)

    def __bool__(self) -> bool:
        """Tell whether a chat can come twice."""
        return bool(self._platforms)

    def meeting(self, source: Source, exporter: Exporter, reading: Reading) -> Meeting:
        """Return what every record of a source is to be passed through, in order.

        It returns the record, in a better export's chat if it belongs there, and whether that
        holds it already.

        Args:
            source: The source; before the first of a lesser form, all of this form are read once
                more to see which chats are the same.
            exporter: Who reads it.
            reading: A reading of its own for that.
        """
        if exporter.name not in _LESSER:
            return self._note
        if exporter.name not in self._seen:
            self._seen.add(exporter.name)
            for one, reader in self._found:
                if reader.name == exporter.name:
                    self._look_at(one, reader, reading)
        return _Lesser(self._same[_folder(source)], self._note).meet

    def _note(self, record: Record | Block) -> tuple[Record | Block, bool]:
        if isinstance(record, Message) and self._is_to_be_met(record):
            place = platform, root = _root(record)
            chat = self._chats.get(place)
            if chat is None:
                chat = self._chats[place] = _Chat(root)
                self._named[platform, _root_name(record)].append(chat)
            chat.note(record)
        return record, False

    def _is_to_be_met(self, message: Message) -> bool:
        """Tell whether a lesser form may hold a message; nothing is lesser than Telegram's HTML."""
        is_least = message.platform == "telegram" and is_of_lesser(message)
        return message.platform in self._platforms and not is_least

    def _look_at(self, source: Source, exporter: Exporter, reading: Reading) -> None:
        """Note which of a source's chats are chats of a better export: they share a message.

        The other pages of such a chat, which may share none, lie in the same folder.
        """
        same = self._same[_folder(source)]
        with suppress(SourceError):
            for record in exporter.read(source, reading) if self._chats else ():
                if isinstance(record, Message) and _root(record) not in same:
                    for chat in self._alike(record):
                        if _compared(record) in chat.known:
                            same[_root(record)] = chat

    def _alike(self, message: Message) -> Iterable[_Chat]:
        chat = self._chats.get(_root(message))
        return [chat] if chat else self._named.get((message.platform, _root_name(message)), ())


class _Lesser:
    """One lesser export on its way."""

    def __init__(self, same: Mapping[Place, _Chat], note: Meeting) -> None:
        self._same = same
        self._note = note
        self._seen: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def meet(self, record: Record | Block) -> tuple[Record | Block, bool]:
        chat = self._same.get(_root(record)) if isinstance(record, Message) else None
        if chat is None or not isinstance(record, Message):
            return self._note(record)
        speaker = record.speaker_id
        if speaker == record.speaker:
            speaker = chat.speakers.get(speaker) or speaker
        _, of_topic, topic = record.chat_id.partition("/")
        placed = replace(record, chat_id=chat.id + of_topic + topic, speaker_id=speaker)
        compared = _compared(record)
        self._seen[chat.id][compared] += 1
        known = self._seen[chat.id][compared] <= chat.known[compared]
        chat.known[compared] += not known
        return placed, known


def _folder(source: Source) -> _Folder:
    return (source.path if source.member else None), source.place.parent


def _root(message: Message) -> Place:
    """Return where a message stands; for one of a topic, the forum."""
    return message.platform, message.chat_id.partition("/")[0]


def _root_name(message: Message) -> str:
    """Return the name of a message's chat; of a topic's, that of its forum."""
    return message.chat.rpartition(" / ")[0] if "/" in message.chat_id else message.chat


def better_first(found: Found) -> Found:
    """Return the sources with the lesser ones last, so that they meet what is known by then.

    The poorer ones stand first: of a message that comes again the last version stays. Our own file
    stands twice if it holds what a lesser export told of a platform of which a better one is given.
    """
    ranks = {name: rank for rank, name in enumerate(_POORER, -len(_POORER))}
    ranks |= {name: rank for rank, name in enumerate(_LESSER, 1)}
    return sorted(_parted(found), key=lambda one: ranks.get(one[1].name, 0))


def _parted(found: Found) -> Iterator[tuple[Source, Exporter]]:
    given = {exporter.name for _, exporter in found}
    platforms = [platform for platform, forms in _FORMS.items() if given.intersection(forms[:-1])]
    for source, exporter in found:
        if exporter is MESSAGES and lesser_told(source, platforms):
            yield source, OWN_BETTER
            yield source, OWN_LESSER
        else:
            yield source, exporter


def _compared(message: Message) -> int:
    """Return what two exports tell alike of a message.

    Zones are told in quarters of an hour, and HTML tells the wrong one half the year.
    """
    seconds = int(message.sent_at.timestamp())
    if message.platform == "telegram":
        return hash((message.id, seconds % _QUARTER_SECONDS))
    return hash((seconds // 60, message.text.strip()))
