"""Discord's data package: what its owner wrote, one file a channel, and nobody's answers.

Source: published readers of packages (Androz2091/discord-data-package-explorer, purarue/
discord_data): `messages.json` since March 2024, `messages.csv` before; the names of its folders
are translated, or in capitals.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from exporters.account import NAMELESS
from exporters.discord_account import Package
from exporters.discord_markdown import rendered
from exporters.discord_place import PLATFORM, Place
from exporters.discord_rows import csv_rows, has_columns
from exporters.entry import Unreadable, as_object, number, string
from exporters.sources import Reading, Source
from exporters.streaming import JSONReader, beginning, keep_whole
from likeness.messages import Message, Record, Rejected

_COLUMNS = ("ID", "Timestamp", "Contents", "Attachments")
_REMARK = (
    "A data package holds what you wrote and nobody's answers: it teaches your style, but no "
    "conversation. For whole conversations export the chats with DiscordChatExporter."
)
_NAMELESS = "The package does not tell your id: nothing else from Discord can be joined with it."


class _DiscordPackage:
    name = "Discord data package"

    def __init__(self) -> None:
        self._package: Package | None = None

    def recognises(self, source: Source) -> bool:
        found = beginning(source.head)
        first = found[0] if isinstance(found, list) and found else None
        if isinstance(first, dict):
            return {"ID", "Timestamp", "Contents"} <= first.keys()
        return has_columns(source, _COLUMNS)

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        if self._package is None or not self._package.holds(source):
            self._package = Package(source)
        reading.flavour = "own messages only"
        reading.remarks.append(_REMARK)
        if not self._package.user_id:
            reading.remarks.append(_NAMELESS)
        yield from keep_whole(_records(source, reading, self._package), source.name)


DISCORD_PACKAGE = _DiscordPackage()


def _records(source: Source, reading: Reading, package: Package) -> Iterator[Record]:
    place = package.place(source)
    for where, entry in _entries(source, reading):
        try:
            yield _message(as_object(entry), place, package)
        except Unreadable as error:
            yield Rejected(where, str(error))


def _entries(source: Source, reading: Reading) -> Iterator[tuple[str, Any]]:
    """Yield every entry with its place, in JSON or in CSV."""
    if has_columns(source, _COLUMNS):
        for where, row in csv_rows(source, _COLUMNS, reading.on_bytes):
            whole = len(row) == len(_COLUMNS)
            yield where, dict(zip(_COLUMNS, row, strict=True)) if whole else None
        return
    with ExitStack() as opened:
        json = JSONReader(opened.enter_context(source.open(reading.on_bytes)))
        if json.kind() == "array":
            for index in json.elements():
                yield f"[{index}]", json.value()


def _message(entry: dict[str, Any], place: Place, package: Package) -> Message:
    text = string(entry, "Contents").replace("\r\n", "\n")
    return Message(
        platform=PLATFORM,
        chat_id=place.id,
        chat=place.name,
        id=str(number(entry, "ID")),
        speaker_id=package.user_id or NAMELESS,
        speaker=package.user_name or NAMELESS,
        outgoing=True,
        sent_at=_moment(entry),
        text=rendered(text, package.names),
        kind="text" if text and not string(entry, "Attachments") else "media",
    )


def _moment(entry: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(string(entry, "Timestamp"))
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable("it has no date that can be read") from error
