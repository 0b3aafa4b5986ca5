"""Which of the messages are wanted: by date, by chat, by how many a chat has, by who speaks."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from exporters.account import ChatAccount, Place, names_in
from exporters.names import plain
from likeness.errors import NoSuchName

_CHATS_LISTED = 20

BEFORE, AFTER = "before --since", "after --until"
NOT_ASKED, UNWANTED, SHORT = "not in --chat", "in --not-chat", "in a chat under --min-messages"
UNHEARD = "of those in --not-speaker"
NO_ROW = "of bots, deleted or without words, which rows do not hold"

Speaker = tuple[str, str]
"""A platform and a speaker id."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the person at the keyboard wants of all that was read.

    Attributes:
        since: The first moment, None for no limit.
        until: The first moment no longer wanted.
        chats: Names, ids or patterns with `*` and `?` of the only chats that are wanted.
        not_chats: The same of those that are not.
        min_messages: How many messages a chat must have between those moments, doubles aside,
            whoever sent them.
        not_speakers: Names or ids of people of whom no message is wanted in any chat.
    """

    since: datetime | None = None
    until: datetime | None = None
    chats: tuple[str, ...] = ()
    not_chats: tuple[str, ...] = ()
    min_messages: int = 0
    not_speakers: tuple[str, ...] = ()

    @property
    def any_time(self) -> bool:
        """Whether messages of every time are wanted."""
        return self.since is None and self.until is None

    def out_of_time(self, moment: datetime) -> str | None:
        """Return why a message of this moment is not wanted, None if it is."""
        if self.since is not None and moment < self.since:
            return BEFORE
        return AFTER if self.until is not None and moment >= self.until else None

    def left_out(
        self, chats: Iterable[ChatAccount], remaining: Mapping[Place, int]
    ) -> dict[Place, str]:
        """Return why chats are not wanted, without those that are.

        Args:
            chats: All chats.
            remaining: How many messages each of them has, doubles and those out of time aside.

        Raises:
            NoSuchName: Something that was asked for fits no chat; the error names the chats.
        """
        chats = list(chats)
        for pattern in (*self.chats, *self.not_chats):
            if not any(_fits(chat, pattern) for chat in chats):
                raise NoSuchName(f"No chat is called {pattern!r}. The chats: {_listed(chats)}.")
        why = {chat.place: self._why(chat, remaining[chat.place]) for chat in chats}
        return {place: reason for place, reason in why.items() if reason}

    def unheard(
        self, chats: Collection[ChatAccount], called: Callable[[str], str]
    ) -> frozenset[Speaker]:
        """Return those of whom no message is wanted, by all the ids that bear one of their names.

        Args:
            chats: All chats, once the names of each person are one.
            called: Returns that one name for one that was typed.

        Raises:
            NoSuchName: Nobody bears a name; the error names who speaks.
        """
        found = set[Speaker]()
        for typed in self.not_speakers:
            name = plain(called(typed))
            bearers = {
                (chat.platform, id_)
                for chat in chats
                for id_, said in chat.names.items()
                if name in (plain(id_), plain(said))
            }
            if not bearers:
                raise nobody(typed, chats)
            found |= bearers
        return frozenset(found)

    def _why(self, chat: ChatAccount, messages: int) -> str | None:
        if self.chats and not any(_fits(chat, pattern) for pattern in self.chats):
            return NOT_ASKED
        if any(_fits(chat, pattern) for pattern in self.not_chats):
            return UNWANTED
        return SHORT if messages < self.min_messages else None


def nobody(name: str, chats: Iterable[ChatAccount]) -> NoSuchName:
    """Return the error that says that nobody bears a name, and who speaks."""
    return NoSuchName(f"Nobody is called {name!r}. Who speaks: {names_in(chats)}.")


def _fits(chat: ChatAccount, pattern: str) -> bool:
    wanted = plain(pattern)
    called = plain(chat.chat), plain(chat.chat_id)
    return wanted in called or any(fnmatchcase(name, wanted) for name in called)


def _listed(chats: list[ChatAccount]) -> str:
    """List the chats, largest first."""
    largest = sorted(chats, key=lambda chat: -chat.speakers.total())
    listed = ", ".join(chat.chat for chat in largest[:_CHATS_LISTED])
    more = len(chats) - _CHATS_LISTED
    return f"{listed} and {more} more" if more > 0 else listed
