"""What a lesser export of a chat, HTML or CSV, adds to a better one that was given with it.

Lesser ones tell no ids of chats, people or messages, or other ones, so that nothing of them would
meet what the better one holds. They are compared by what both tell: in Telegram the numbers of the
messages, which HTML has too, in Discord the minute and the words.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from exporters import Exporter
from exporters.blocks import Block
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

_LESSER = ("Telegram Desktop HTML", "DiscordChatExporter CSV", "DiscordChatExporter text")
_POORER = ("Discord data package", "DiscordChatExporter HTML")
"""They tell the ids of messages and less of these than the JSON, which is to come after them."""

_QUARTER_SECONDS = 900

Found = Sequence[tuple[Source, Exporter]]
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
        self._platforms = {
            platform
            for platform, forms in _FORMS.items()
            if given.intersection(forms, _LESSER) and len(given.intersection(forms)) > 1
        }
        self._chats: dict[tuple[str, str], _Chat] = {}
        self._named: defaultdict[tuple[str, str], list[_Chat]] = defaultdict(list)

    def __bool__(self) -> bool:
        """Tell whether a chat can come twice."""
        return bool(self._platforms)

    def meeting(self, source: Source, exporter: Exporter, reading: Reading) -> Meeting:
        """Return what every record of a source is to be passed through, in order.

        It returns the record, in a better export's chat if it belongs there, and whether that
        holds it already.

        Args:
            source: The source; a lesser one is read once more to see which chats are the same.
            exporter: Who reads it.
            reading: A reading of its own for that.
        """
        if not any(exporter.name in _FORMS[platform] for platform in self._platforms):
            return _unmet
        if exporter.name in _LESSER:
            return _Lesser(self._same(source, exporter, reading), self._note).meet
        return self._note

    def _note(self, record: Record | Block) -> tuple[Record | Block, bool]:
        if isinstance(record, Message):
            root, _, _ = record.chat_id.partition("/")
            chat = self._chats.get((record.platform, root))
            if chat is None:
                chat = self._chats[record.platform, root] = _Chat(root)
                self._named[record.platform, _root_name(record)].append(chat)
            chat.note(record)
        return record, False

    def _same(self, source: Source, exporter: Exporter, reading: Reading) -> dict[str, _Chat]:
        """Return which of a source's chats are chats of a better export: they share a message."""
        same: dict[str, _Chat] = {}
        with suppress(SourceError):
            for record in exporter.read(source, reading) if self._chats else ():
                if isinstance(record, Message) and record.chat_id not in same:
                    for chat in self._alike(record):
                        if _compared(record) in chat.known:
                            same[record.chat_id] = chat
        return same

    def _alike(self, message: Message) -> Iterable[_Chat]:
        root, _, _ = message.chat_id.partition("/")
        chat = self._chats.get((message.platform, root))
        return [chat] if chat else self._named.get((message.platform, _root_name(message)), ())


class _Lesser:
    """One lesser export on its way."""

    def __init__(self, same: dict[str, _Chat], note: Meeting) -> None:
        self._same = same
        self._note = note
        self._seen: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def meet(self, record: Record | Block) -> tuple[Record | Block, bool]:
        chat = self._same.get(record.chat_id) if isinstance(record, Message) else None
        if chat is None or not isinstance(record, Message):
            return self._note(record)
        compared = _compared(record)
        self._seen[chat.id][compared] += 1
        if self._seen[chat.id][compared] <= chat.known[compared]:
            return record, True
        chat.known[compared] += 1
        speaker = record.speaker_id
        if speaker == record.speaker:
            speaker = chat.speakers.get(speaker) or speaker
        _, of_topic, topic = record.chat_id.partition("/")
        return replace(record, chat_id=chat.id + of_topic + topic, speaker_id=speaker), False


def _root_name(message: Message) -> str:
    """Return the name of a message's chat; of a topic's, that of its forum."""
    return message.chat.rpartition(" / ")[0] if "/" in message.chat_id else message.chat


def _unmet(record: Record | Block) -> tuple[Record | Block, bool]:
    return record, False


def better_first(found: Found) -> Found:
    """Return the sources with the lesser ones last, so that they meet what is known by then.

    The poorer ones stand first: of a message that comes again the last version stays.
    """
    ranks = {name: rank for rank, name in enumerate(_POORER, -len(_POORER))}
    ranks |= {name: rank for rank, name in enumerate(_LESSER, 1)}
    return sorted(found, key=lambda one: ranks.get(one[1].name, 0))


def _compared(message: Message) -> int:
    """Return what two exports tell alike of a message.

    Zones are told in quarters of an hour, and HTML tells the wrong one half the year.
    """
    seconds = int(message.sent_at.timestamp())
    if message.platform == "telegram":
        return hash((message.id, seconds % _QUARTER_SECONDS))
    return hash((seconds // 60, message.text.strip()))
