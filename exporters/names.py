"""Names as people type them: how they are compared, and which of them are one person's."""

import unicodedata
from collections import Counter
from collections.abc import Iterable

from exporters.account import ChatAccount
from likeness.messages import Message
from likeness.texts import whole


def plain(name: str) -> str:
    """Return a name as it is compared: its composition, case and outer blanks do not matter."""
    return composed(name).casefold().strip()


def composed(name: str) -> str:
    """Return a name with each accented letter as one character, which a Mac's file names part.

    What is not UTF-8 in a file's name is U+FFFD.
    """
    return unicodedata.normalize("NFC", whole(name))


class Aliases:
    """Joins the names and ids of one person, within and across platforms.

    A speaker id that bore one of the names anywhere is that person everywhere; the person's name
    is then their id as well.
    """

    def __init__(self, groups: Iterable[str] = ()) -> None:
        """Take groups such as `Bob=Bob K.,bobby`: the name to use, then what else they are called.

        Raises:
            ValueError: A group has no such form, or a name stands for two people.
        """
        self._targets: dict[str, str] = {}
        self._typed: dict[str, str] = {}
        self._met: set[tuple[str, str, str]] = set()
        self._seen: set[str] = set()
        self._joined: dict[tuple[str, str], str] = {}
        for group in groups:
            self._take(group)

    def _take(self, group: str) -> None:
        target, equals, others = group.partition("=")
        target, names = target.strip(), [name.strip() for name in others.split(",")]
        if not equals or not target or not all(names):
            raise ValueError(f"{group!r} does not look like 'Bob=Bob K.,bobby'")
        for name in (target, *names):
            known = self._targets.setdefault(plain(name), target)
            if known != target:
                raise ValueError(f"{name!r} cannot be both {known!r} and {target!r}")
        self._typed.update((plain(name), name) for name in names)

    def __bool__(self) -> bool:
        """Whether there is anything to join."""
        return bool(self._targets)

    def meet(self, message: Message) -> None:
        """Take in who sent a message, before anything is joined."""
        met = message.platform, message.speaker_id, message.speaker
        if not self._targets or met in self._met:
            return
        self._met.add(met)
        for name in map(plain, (message.speaker_id, message.speaker)):
            if name in self._targets:
                self._seen.add(name)
                self._joined.setdefault((message.platform, message.speaker_id), self._targets[name])

    @property
    def unseen(self) -> list[str]:
        """The names that nobody bears, as they were typed."""
        return [name for key, name in self._typed.items() if key not in self._seen]

    def target(self, name: str) -> str:
        """Return the name to use for one that was typed."""
        return self._targets.get(plain(name), name)

    def id_of(self, platform: str, speaker_id: str) -> str:
        """Return the id that a speaker has once all are joined."""
        return self._joined.get((platform, speaker_id), speaker_id)

    def speaker(self, message: Message) -> tuple[str, str]:
        """Return the id and the name of who sent a message."""
        joined = self._joined.get((message.platform, message.speaker_id))
        return (message.speaker_id, message.speaker) if joined is None else (joined, joined)

    def join(self, chat: ChatAccount) -> None:
        """Enter who is one into the account of a chat."""
        if not self._joined:
            return
        counts, names = chat.speakers, chat.names
        ids = {id_: self.id_of(chat.platform, id_) for id_ in names}
        chat.speakers = Counter()
        for id_, count in counts.items():
            chat.speakers[ids[id_]] += count
        chat.names = {
            new: new if (chat.platform, old) in self._joined else names[old]
            for old, new in ids.items()
        }
        people = {new for old, new in ids.items() if old not in chat.bots}
        chat.bots = {ids[id_] for id_ in chat.bots} - people
        if chat.told is not None:
            chat.told = {self.id_of(chat.platform, id_) for id_ in chat.told}
