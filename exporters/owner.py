"""Who is "me", chat by chat, with the evidence for it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from exporters.account import NAMELESS, ChatAccount, Place, names_in
from exporters.names import plain
from likeness.errors import OwnerUnknown

_HOW = "say so with --me NAME (a name or an id; once for each that you have)"

BY_ACCOUNT = "the account names its owner"
BY_SAVED = "who writes in Saved Messages"
_OF_ACCOUNTS = frozenset({BY_ACCOUNT, BY_SAVED})
"""Evidence whose account it is, in all of its chats."""

_NOBODYS = frozenset({"456226577798135808", "Deleted User", "Deleted User#0000", "Deleted Account"})
"""The ids that all have in common who deleted their account, in Discord and in Telegram's HTML."""

Evidence = Mapping[Place, Mapping[str, str]]
"""What the exporters found: by chat, my speaker ids, each with why.

An empty one alone says that nobody there can be me.
"""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who is me in one chat.

    Attributes:
        ids: My speaker ids; None if nothing tells.
        evidence: How that was found.
        marked: Whether what messages say themselves outweighs the ids.
    """

    ids: frozenset[str] | None
    evidence: str
    marked: bool = False

    def owns(self, speaker_id: str, outgoing: bool | None) -> bool | None:
        """Tell whether a message is mine, None if that is unknown.

        Args:
            speaker_id: Who sent it.
            outgoing: What it says itself.
        """
        if self.ids is None or (self.marked and outgoing is not None):
            return outgoing
        return speaker_id in self.ids


def find_owners(
    chats: Sequence[ChatAccount],
    evidence: Evidence,
    me: Sequence[str],
    wanted: Callable[[Place], bool] = lambda _: True,
) -> dict[Place, Owner]:
    """Return who is me in each wanted chat, perhaps in others too.

    What the person said comes first, then what the messages, the export, my other chats on the
    platform, or my name on another platform tell; at last who is the only one common to all chats.

    Args:
        chats: All chats: those that are not wanted are evidence too.
        evidence: What the exporters found.
        me: My names or ids, as the person gave them.
        wanted: Whether it must be known who is me in a chat.

    Raises:
        OwnerUnknown: Nothing tells it for some wanted chat, nobody bears a name in `me`, or
            accounts have different owners and `me` does not tell which of them are me.
    """
    _refuse_strangers(chats, me)
    for platform in {chat.platform for chat in chats if wanted(chat.place)}:
        evidence = _without_others(platform, chats, evidence, me)
    search = _Search(chats, evidence, me)
    search.chat_by_chat()
    for step in (
        search.as_elsewhere_on,
        search.by_my_name_on,
        search.common_to,
        search.by_my_name_on,
        search.common_to_all,
    ):
        search.platform_by_platform(step)
    search.leave_ownerless()
    unknown = [chat for chat in search.open_chats() if wanted(chat.place)]
    if unknown:
        where, how = "in this chat", _HOW
        if len(chats) > 1:
            where = f"in {len(unknown)} of {len(chats)} chats"
            how = f"{_HOW}, or leave such a chat out with --not-chat CHAT"
        raise OwnerUnknown(
            f'Nothing tells who is "me" {where}: {how}. Who speaks there: {names_in(unknown)}.'
        )
    return search.found


class _Search:
    """The search for me, from the strongest evidence to the weakest.

    Attributes:
        found: Who is me, for the chats where that is known by now.
    """

    def __init__(self, chats: Sequence[ChatAccount], evidence: Evidence, me: Sequence[str]) -> None:
        self.found: dict[Place, Owner] = {}
        mine = {
            place: {id_: found[id_] for id_ in found if id_} for place, found in evidence.items()
        }
        self._evidence = {place: found for place, found in mine.items() if found}
        self._nobodys = {
            place: found[""]
            for place, found in evidence.items()
            if "" in found and place not in self._evidence
        }
        self._all_chats = chats
        self._chats = [chat for chat in chats if chat.speakers and chat.place not in self._nobodys]
        wanted = frozenset(map(plain, me))
        self._said = {chat.place: _called(chat, wanted, ids_too=True) for chat in chats}
        self._mine: dict[str, frozenset[str]] = {}
        self._everywhere: dict[str, frozenset[str]] = {}
        for platform in {chat.platform for chat in chats}:
            self._note_mine_on(platform)

    def _note_mine_on(self, platform: str) -> None:
        """Gather my ids on a platform; if they are of accounts, they are mine in all its chats."""
        chats = self._on(platform)
        told = frozenset(id_ for chat in chats for id_ in chat.told or () if id_ != NAMELESS)
        self._mine[platform] = told.union(*(self._evidence.get(chat.place, ()) for chat in chats))
        accounts = frozenset(_account_owners(platform, self._evidence))
        self._everywhere[platform] = accounts and accounts | told

    def open_chats(self) -> list[ChatAccount]:
        """Return the chats of somebody where nothing tells yet who that is."""
        return [chat for chat in self._chats if chat.place not in self.found]

    def chat_by_chat(self) -> None:
        """Take what was said of each chat, or what it tells itself."""
        for chat in self._all_chats:
            evidence = self._evidence.get(chat.place, {})
            everywhere = self._everywhere[chat.platform]
            if ids := self._said[chat.place]:
                self.found[chat.place] = Owner(ids, _said_so(chat, ids))
            elif chat.told:
                ids = everywhere.union(chat.told, evidence)
                self.found[chat.place] = Owner(ids, "the export marks what is mine", marked=True)
            elif evidence:
                why = " and ".join(dict.fromkeys(evidence.values()))
                self.found[chat.place] = Owner(everywhere.union(evidence), why)
            elif chat.told is not None and chat.place not in self._nobodys:
                mine, why = self._mine[chat.platform], "the export marks nothing as mine"
                self.found[chat.place] = Owner(
                    mine, _elsewhere(chat.platform) if mine else why, marked=True
                )

    def platform_by_platform(self, step: Callable[[str], Owner | None]) -> None:
        """Take a step for each platform that has an open chat; what it finds holds for them all."""
        open_chats = self.open_chats()
        owners = {platform: step(platform) for platform in {chat.platform for chat in open_chats}}
        for chat in open_chats:
            if owner := owners[chat.platform]:
                self.found[chat.place] = owner

    def as_elsewhere_on(self, platform: str) -> Owner | None:
        """Take who is me in other chats of a platform."""
        if mine := self._mine[platform]:
            return Owner(mine, _elsewhere(platform))
        if any(self._said[chat.place] for chat in self._on(platform)):
            return Owner(frozenset(), "nobody here bears the name you gave")
        return None

    def by_my_name_on(self, platform: str) -> Owner | None:
        """Take who is called on a platform exactly as I am on another one."""
        mine = {
            plain(name): (name, chat.platform)
            for chat in self._chats
            for name in _names_of_me(chat, self.found.get(chat.place))
        }
        ids, called = set[str](), dict[str, str]()
        for chat in self._on(platform):
            for id_, name in chat.names.items():
                if plain(name) in mine:
                    ids.add(id_)
                    called.setdefault(*mine[plain(name)])
        said = " and ".join(f"{name} on {other}" for name, other in called.items())
        return Owner(frozenset(ids), f"called as I am: {said}") if ids else None

    def common_to(self, platform: str) -> Owner | None:
        """Take the only person who speaks in all chats of a platform, if these are several."""
        chats = self._on(platform)
        common = set.intersection(*map(_people, chats))
        if len(chats) < 2 or len(common) != 1:
            return None
        return Owner(frozenset(common), f"the only one who speaks in all {len(chats)} chats")

    def common_to_all(self, platform: str) -> Owner | None:
        """Take the only name that stands in all chats, if nothing tells of any of them."""
        if any(chat.place in self.found for chat in self._chats):
            return None
        names = [{plain(chat.names[id_]) for id_ in _people(chat)} for chat in self._chats]
        common = frozenset(set.intersection(*names))
        if len(names) < 2 or len(common) != 1:
            return None
        ids = (_called(chat, common, ids_too=False) for chat in self._on(platform))
        why = f"the only name in all {len(names)} chats of all platforms"
        return Owner(frozenset().union(*ids), why)

    def leave_ownerless(self) -> None:
        """Say of chats that belong to nobody: not me, if I am anybody; unknown otherwise."""
        ids = frozenset[str]() if self.found else None
        for place, why in self._nobodys.items():
            self.found.setdefault(place, Owner(ids, why))

    def _on(self, platform: str) -> list[ChatAccount]:
        return [chat for chat in self._chats if chat.platform == platform]


def _people(chat: ChatAccount) -> set[str]:
    return chat.names.keys() - chat.bots - _NOBODYS


def _elsewhere(platform: str) -> str:
    return f"as in my other chats on {platform}"


def _said_so(chat: ChatAccount, ids: frozenset[str]) -> str:
    """Return why they are me whom the person named, and who else is marked as me."""
    others = " and ".join(chat.names_of((chat.told or set()) - ids))
    more = f"; the export marks {others} as me, which one more --me keeps"
    return f"you said so{more if others else ''}"


def _names_of_me(chat: ChatAccount, owner: Owner | None) -> list[str]:
    ids = (owner and owner.ids) or ()
    return [chat.names[id_] for id_ in ids if id_ in chat.names and id_ != NAMELESS]


def _without_others(
    platform: str, chats: Sequence[ChatAccount], evidence: Evidence, me: Sequence[str]
) -> Evidence:
    """Return the evidence without that of accounts which are somebody else's.

    Two accounts are one person's if the person says so, if earlier messages were marked so, or if
    their owners bear one name.

    Raises:
        OwnerUnknown: They are different people's, for all that is known.
    """
    there = [chat for chat in chats if chat.platform == platform]
    words = defaultdict[str, set[str]](set)
    for chat in there:
        for id_, name in chat.names.items():
            words[id_] |= {plain(id_), plain(name)}
    owners = [id_ for id_ in _account_owners(platform, evidence) if id_ in words]
    mine = {id_ for chat in there for id_ in chat.told or ()} or set(owners[:1])
    called = set[str]().union(*(words[id_] for id_ in mine))
    if all(words[id_] & called for id_ in owners):
        return evidence
    said = set(map(plain, me))
    if not any(said & words[id_] for id_ in (*mine, *owners)):
        raise OwnerUnknown(
            f"The exports from {platform} are of several people's accounts: {_HOW}, or leave the "
            f"others' exports out. Who speaks there: {names_in(there)}."
        )
    others = {id_ for id_ in owners if not said & words[id_]}
    return {
        place: {id_: why for id_, why in found.items() if place[0] != platform or id_ not in others}
        for place, found in evidence.items()
    }


def _account_owners(platform: str, evidence: Evidence) -> dict[str, None]:
    """Return whose accounts the exports from a platform are, in the order in which they came."""
    found = [mine.items() for place, mine in evidence.items() if place[0] == platform]
    return {id_: None for id_, why in chain.from_iterable(found) if why in _OF_ACCOUNTS}


def _called(chat: ChatAccount, wanted: frozenset[str], *, ids_too: bool) -> frozenset[str]:
    """Return the ids in a chat of those who bear one of these plain names."""
    if not wanted:
        return frozenset()
    return frozenset(
        id_
        for id_, name in chat.names.items()
        if plain(name) in wanted or (ids_too and plain(id_) in wanted)
    )


def _refuse_strangers(chats: Sequence[ChatAccount], me: Sequence[str]) -> None:
    seen = {plain(word) for chat in chats for pair in chat.names.items() for word in pair}
    for name in me:
        if plain(name) not in seen:
            raise OwnerUnknown(f"Nobody is called {name!r}. Who speaks: {names_in(chats)}.")
