"""What lies around Slack's files: who is who, and which chat a folder is."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exporters.entry import string
from exporters.sources import Source
from exporters.streaming import BrokenJSON, JSONReader
from likeness.errors import SourceError

_CHANNELS = ("channels.json", "groups.json", "mpims.json", "dms.json")
_PEOPLE, _DIRECT = "users.json", "dms.json"
_LISTS = (_PEOPLE, *_CHANNELS)
_NAMES = ("display_name", "real_name", "name")


@dataclass(slots=True)
class Workspace:
    """The people and chats of one export.

    Attributes:
        people: Names by user id.
        bots: The user ids of bots.
        chats: Names and members by the chat's id.
        owner: Who exported it, and why that is so; None if nothing tells.
    """

    people: dict[str, str] = field(default_factory=dict)
    bots: set[str] = field(default_factory=set)
    chats: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    owner: tuple[str, str] | None = None

    def name(self, id_: str) -> str | None:
        """Return the name of a person, None if the export does not tell it."""
        return self.people.get(id_)

    def is_bot(self, id_: str) -> bool:
        """Tell whether an id is a bot's."""
        return id_ in self.bots

    def mentioned(self, id_: str) -> str | None:
        """Return the name of a person or a channel."""
        return self.people.get(id_) or (self.chats[id_][0] if id_ in self.chats else None)

    def chat(self, source: Source, dumped: dict[str, Any] | None) -> "Chat":
        """Return the chat of a file: a dump says it itself, a day file lies in its folder."""
        path = source.place
        told = path.parent.name
        name = ""
        if dumped is not None:
            name = string(dumped, "name")
            told = string(dumped, "channel_id") or name or path.stem
        for id_, (known, members) in self.chats.items():
            if told in (id_, known):
                return Chat(id_, self._shown(known, members), self)
        return Chat(told or source.name, name or told or source.name, self)

    def _shown(self, name: str, members: list[str]) -> str:
        """Return the name of a channel, or who else is in a chat that has none."""
        if name and not name.startswith("mpdm-"):
            return name
        me = self.owner[0] if self.owner else None
        others = [self.people.get(id_, id_) for id_ in members if id_ != me]
        return ", ".join(others) or name or ", ".join(members)


@dataclass(frozen=True, slots=True)
class Chat:
    """The chat whose entries are being read."""

    id: str
    name: str
    workspace: Workspace


class Workspaces:
    """Reads what lies around a file, and remembers it for the next files of the same export."""

    def __init__(self) -> None:
        self._last: tuple[object, Workspace] | None = None

    def around(self, source: Source, *, dumped: bool) -> Workspace:
        """Return the workspace of a day file, or of a dump, which lies beside its lists."""
        folder = posixpath.dirname(source.member or source.path.as_posix())
        root = folder if dumped else posixpath.dirname(folder)
        lists = [source.path] if source.member else [Path(root, name) for name in _LISTS]
        states = [(one.stat().st_mtime_ns, one.stat().st_size) for one in lists if one.exists()]
        key = (source.holder, root, states)
        if self._last is None or self._last[0] != key:
            self._last = key, _read(source, "" if dumped else "../")
        return self._last[1]


def _read(source: Source, up: str) -> Workspace:
    workspace = Workspace()
    for person in _listed(source, f"{up}{_PEOPLE}"):
        _enter(person, workspace)
    together: list[set[str]] = []
    for file in _CHANNELS:
        for chat in _listed(source, f"{up}{file}"):
            id_, name, members = chat.get("id"), chat.get("name"), chat.get("members")
            if isinstance(id_, str) and id_:
                listed = members if isinstance(members, list) else []
                ids = [one for one in listed if isinstance(one, str)]
                workspace.chats[id_] = name if isinstance(name, str) else "", ids
                together += [set(ids)] if file == _DIRECT and len(set(ids)) == 2 else []
    common = set.intersection(*together) if len(together) > 1 else set()
    if len(common) == 1:
        why = f"the only one in all {len(together)} direct chats of the export"
        workspace.owner = common.pop(), why
    return workspace


def _enter(person: dict[str, Any], workspace: Workspace) -> None:
    id_, profile = person.get("id"), person.get("profile")
    if not isinstance(id_, str):
        return
    told = [profile.get(key) for key in _NAMES] if isinstance(profile, dict) else []
    told += [person.get(key) for key in _NAMES]
    workspace.people[id_] = next((name for name in told if isinstance(name, str) and name), id_)
    if person.get("is_bot") is True:
        workspace.bots.add(id_)


def _listed(source: Source, relative: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list that lies near a file; of one that is damaged, the whole ones."""
    try:
        near = source.near(relative)
        if near is None:
            return
        with near.open() as file:
            json = JSONReader(file)
            if json.kind() == "array":
                for _ in json.elements():
                    value = json.value()
                    if isinstance(value, dict):
                        yield value
    except (BrokenJSON, SourceError):
        return
