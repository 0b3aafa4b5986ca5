"""Our own messages in two parts: what lesser exports of a chat, HTML or CSV, told, and the rest."""

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass

from exporters.own import MESSAGES
from exporters.sources import Reading, Source
from likeness.errors import DamagedSource
from likeness.messages import Message, Record

_LINES = {
    "telegram": re.compile(rb'"platform": *"telegram", *"chat_id": *"html'),
    "discord": re.compile(rb'"platform": *"discord",.*?"id": *"[0-9a-f]{16}(?:-[0-9]+)?"'),
}
"""How a line shows that a lesser export told it: by an id that we made."""

_MADE = re.compile(r"[0-9a-f]{16}(?:-[0-9]+)?")


@dataclass(slots=True)
class _Part:
    """Reads one part of our own messages."""

    name: str
    lesser: bool

    def recognises(self, source: Source) -> bool:
        return MESSAGES.recognises(source)

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        for record in MESSAGES.read(source, reading):
            if self.lesser == (isinstance(record, Message) and is_of_lesser(record)):
                yield record


OWN_BETTER = _Part(MESSAGES.name, lesser=False)
OWN_LESSER = _Part(f"{MESSAGES.name} that lesser exports told", lesser=True)


def is_of_lesser(message: Message) -> bool:
    """Tell whether a lesser export told a message, by an id that we made."""
    if message.platform == "telegram":
        return message.chat_id.startswith("html")
    return message.platform == "discord" and _MADE.fullmatch(message.id) is not None


def lesser_told(source: Source, platforms: Collection[str]) -> bool:
    """Tell whether a file of ours holds what a lesser export of these platforms told."""
    patterns = [_LINES[platform] for platform in platforms]
    with suppress(DamagedSource), source.open() as lines:
        return bool(patterns) and any(look.search(line) for line in lines for look in patterns)
    return False
