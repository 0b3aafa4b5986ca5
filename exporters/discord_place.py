"""Where on Discord the messages of a file stand: the channel's id and its name."""

import re
from dataclasses import dataclass
from typing import Any

from exporters.entry import name_or_number, part
from exporters.ids import digest
from exporters.sources import Source

PLATFORM = "discord"
_IN_BRACKETS = re.compile(r"\[([0-9]{1,20})\]")
_BARE = re.compile(r"[0-9]{15,20}")
_PART = re.compile(r" \[part [0-9]+\]$")
_RANGE = re.compile(r" \((?:after|before|[0-9-]{10} to) [0-9-]{10}\)$")
_DIRECT = "Direct Messages"
_PRIVATE = ("Private", "Group")


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, thread or direct chat.

    Attributes:
        id: Unique on Discord.
        name: What to call it.
    """

    id: str
    name: str


def place_of(source: Source, guild: str, channel: str) -> Place:
    """Return the place of a file that spells it out, its id taken from the file's name.

    Where the name was changed and holds no id, one is made of what the file says, so that the
    parts of an export and later exports of the channel agree on it.

    Args:
        source: The file.
        guild: The server's name, empty if unknown.
        channel: The channel's name behind those above it: `Text channels / general`.

    Source: `ExportRequest.cs` of DiscordChatExporter names a file
    `Guild - Category - channel [id] (after 2020-01-01) [part 2].csv`.
    """
    stem = _stem(source)
    named = _named(guild, channel) or _named_by_file(stem)
    told = [*_IN_BRACKETS.findall(stem), *_BARE.findall(stem)[: _BARE.fullmatch(stem) is not None]]
    return Place(told[-1] if told else digest(guild, channel or stem).hex(), named)


def named(*parts: str) -> str:
    """Return the name of a place, the wider part first."""
    return " / ".join(filter(None, parts))


def answered_in(entry: dict[str, Any], channel_id: str) -> str | None:
    """Return the id of the message that an entry answers, unless that lies in another channel.

    Args:
        entry: As it stands in a JSON.
        channel_id: Where it stands.

    Raises:
        Unreadable: What it says is not what the app writes.
    """
    reference = part(entry, "reference")
    if name_or_number(reference, "channelId") not in ("", channel_id):
        return None
    return name_or_number(reference, "messageId") or None


def _named(guild: str, channel: str) -> str:
    """Return what the JSON of the same place would be called: without the channel's category."""
    category, _, rest = channel.partition(" / ")
    if guild == _DIRECT:
        return rest if rest and category in _PRIVATE else channel
    return named(guild, rest or category)


def _named_by_file(stem: str) -> str:
    whole = _IN_BRACKETS.sub("", stem).strip()
    guild, _, channel = whole.partition(" - ")
    category, _, name = channel.partition(" - ")
    return _named(guild, f"{category} / {name}" if name else category) or stem


def _stem(source: Source) -> str:
    """Return the name of a file without its ending, its number among the parts and its range."""
    stem = re.sub(r"\.[A-Za-z]{1,5}$", "", source.place.name)
    return _RANGE.sub("", _PART.sub("", stem))
