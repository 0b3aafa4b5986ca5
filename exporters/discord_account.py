"""What Discord's data package tells beside its messages: its owner, and the channels' names."""

import posixpath
import re
from collections import Counter
from contextlib import suppress
from typing import Any

from exporters.discord_markdown import Names
from exporters.discord_place import Place, named
from exporters.entry import whole_number
from exporters.ids import digest
from exporters.sources import Source
from exporters.streaming import BrokenJSON, JSONReader, beginning
from likeness.errors import DamagedSource

_FOLDER = re.compile(r"c?([0-9]{1,20})")
_DIRECT = re.compile(r"Direct Message with (.+?)(?:#0)?")


class Package:
    """A package, known from the files beside one of its messages files.

    Attributes:
        user_id: Of its owner, empty if nothing tells it.
        user_name: The owner's name, empty if nothing tells it.
        names: Of all people and channels that it knows.
    """

    def __init__(self, source: Source) -> None:
        self._beside = _beside(source)
        self._index = _index(source)
        self._channels: dict[str, dict[str, Any]] = {}
        self.names = Names()
        for file in source.all_near("../*/channel.json"):
            found = beginning(file.head)
            if isinstance(found, dict):
                id_ = _digits(found.get("id")) or _folder_id(file)
                self._channels[id_] = found
                self.names.channels[id_] = _word(found, "name")
        self.user_id, self.user_name = _user(source)
        self.user_id = self.user_id or self._who_is_everywhere()
        self.names.user(self.user_id, self.user_name)
        self._name_partners()

    def holds(self, source: Source) -> bool:
        """Tell whether a messages file belongs to this package."""
        return _beside(source) == self._beside

    def place(self, source: Source) -> Place:
        """Return the channel of a messages file."""
        id_ = _folder_id(source)
        if not id_:
            beside = source.near("channel.json")
            found = beginning(beside.head) if beside else None
            id_ = _digits(found.get("id")) if isinstance(found, dict) else ""
        channel = self._channels.get(id_, {})
        guild = channel.get("guild")
        whole = named(_word(guild, "name"), _word(channel, "name")) if guild else ""
        listed = self._index.get(id_, "")
        direct = _DIRECT.fullmatch(listed)
        name = whole or (direct[1] if direct else listed) or _word(channel, "name")
        return Place(id_ or digest(source.name).hex(), name or id_ or source.name)

    def _who_is_everywhere(self) -> str:
        """Return who takes part in all direct chats, if that is one."""
        partners = [pair for channel in self._channels.values() if (pair := _pair(channel))]
        counts = Counter(id_ for pair in partners for id_ in pair)
        everywhere = [id_ for id_, count in counts.items() if count == len(partners)]
        return everywhere[0] if len(everywhere) == 1 else ""

    def _name_partners(self) -> None:
        for id_, channel in self._channels.items():
            direct = _DIRECT.fullmatch(self._index.get(id_, ""))
            partner = _pair(channel) - {self.user_id}
            if direct and len(partner) == 1:
                self.names.user(partner.pop(), direct[1])


def _beside(source: Source) -> tuple[object, str]:
    """Return the folder that holds the channels' folders: inside which zip, and where it lies."""
    path = source.member or source.path.as_posix()
    return source.holder, posixpath.dirname(posixpath.dirname(path))


def _folder_id(source: Source) -> str:
    found = _FOLDER.fullmatch(source.place.parent.name)
    return found[1] if found else ""


def _index(source: Source) -> dict[str, str]:
    index = source.near("../index.json")
    found = None
    if index is not None:
        with suppress(BrokenJSON, DamagedSource), index.open() as file:
            found = JSONReader(file).value()
    pairs = found.items() if isinstance(found, dict) else ()
    return {id_: name for id_, name in pairs if isinstance(name, str)}


def _user(source: Source) -> tuple[str, str]:
    """Return the id and name of the package's owner, empty if it holds no account."""
    for file in source.all_near("../../*/user.json"):
        user: dict[str, Any] = {}
        with suppress(BrokenJSON, DamagedSource), file.open() as opened:
            json = JSONReader(opened)
            for key in json.members() if json.kind() == "object" else ():
                if key in ("id", "username", "global_name"):
                    user[key] = json.value()
        if id_ := _digits(user.get("id")):
            return id_, _word(user, "global_name") or _word(user, "username")
    return "", ""


def _pair(channel: dict[str, Any]) -> set[str]:
    """Return the ids of the two who write in a direct chat, empty for any other channel."""
    recipients = channel.get("recipients")
    ids = set(map(_digits, recipients)) if isinstance(recipients, list) else set()
    return ids if len(ids) == 2 and "" not in ids else set()


def _digits(value: object) -> str:
    number = whole_number(value)
    return "" if number is None else str(number)


def _word(found: object, key: str) -> str:
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""
