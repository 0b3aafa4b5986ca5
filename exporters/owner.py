"""Who is "me", chat by chat, with the evidence for it."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from exporters.account import ChatAccount
from likeness.errors import OwnerUnknown

_NAMES_LISTED = 20
_HOW = "say so with --me NAME (a name or an id; once for each that you have)"

Place = tuple[str, str]
"""A platform and a chat id."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who is me in one chat.

    Attributes:
        ids: My speaker ids; None to leave to the messages what they say themselves.
        evidence: How that was found.
    """

    ids: frozenset[str] | None
    evidence: str


def find_owners(
    chats: Sequence[ChatAccount],
    evidence: Mapping[Place, tuple[str, str]],
    me: Sequence[str],
) -> list[Owner]:
    """Return who is me in each chat.

    What the person said comes first, then what the messages, the export, or my other chats on the
    platform tell, at last who is the only one common to all of a platform's chats.

    Args:
        chats: All chats.
        evidence: What the exporters found: by chat, my speaker id and why.
        me: My names or ids, as the person gave them.

    Raises:
        OwnerUnknown: Nothing tells it for some chat, or nobody bears a name in `me`.
    """
    said = [_said(chat, me) for chat in chats]
    _refuse_strangers(chats, me)
    owners = [
        _found(index, chats, said, evidence) or _common(chats[index], chats)
        for index in range(len(chats))
    ]
    unknown = [chat for chat, owner in zip(chats, owners, strict=True) if owner is None]
    if unknown:
        where = f"in {len(unknown)} of {len(chats)} chats" if len(chats) > 1 else "in this chat"
        raise OwnerUnknown(
            f'Nothing tells who is "me" {where}: {_HOW}. Who speaks there: {_names(unknown)}.'
        )
    return [owner for owner in owners if owner is not None]


def _found(
    index: int,
    chats: Sequence[ChatAccount],
    said: Sequence[frozenset[str]],
    evidence: Mapping[Place, tuple[str, str]],
) -> Owner | None:
    chat = chats[index]
    if said[index]:
        return Owner(said[index], "you said so")
    if chat.told is not None:
        return Owner(None, "the export marks what is mine")
    if (chat.platform, chat.chat_id) in evidence:
        id_, why = evidence[chat.platform, chat.chat_id]
        return Owner(frozenset({id_}), why)
    elsewhere = {id_ for (platform, _), (id_, _) in evidence.items() if platform == chat.platform}
    if elsewhere:
        return Owner(frozenset(elsewhere), f"as in my other chats on {chat.platform}")
    if any(ids for ids, other in zip(said, chats, strict=True) if other.platform == chat.platform):
        return Owner(frozenset(), "nobody here bears the name you gave")
    return None


def _common(chat: ChatAccount, chats: Iterable[ChatAccount]) -> Owner | None:
    together = [set(other.speakers) for other in chats if other.platform == chat.platform]
    common = set.intersection(*together)
    if len(together) < 2 or len(common) != 1:
        return None
    return Owner(frozenset(common), f"the only one who speaks in all {len(together)} chats")


def _said(chat: ChatAccount, me: Sequence[str]) -> frozenset[str]:
    wanted = set(map(_plain, me))
    return frozenset(
        id_ for id_, name in chat.names.items() if {_plain(id_), _plain(name)} & wanted
    )


def _refuse_strangers(chats: Sequence[ChatAccount], me: Sequence[str]) -> None:
    seen = {_plain(word) for chat in chats for pair in chat.names.items() for word in pair}
    for name in me:
        if _plain(name) not in seen:
            raise OwnerUnknown(f"Nobody is called {name!r}. Who speaks: {_names(chats)}.")


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()


def _names(chats: Iterable[ChatAccount]) -> str:
    """List who speaks, most frequent first."""
    counts: Counter[str] = Counter()
    for chat in chats:
        for id_, count in chat.speakers.items():
            counts[chat.names[id_]] += count
    listed = ", ".join(f"{name} ({count})" for name, count in counts.most_common(_NAMES_LISTED))
    more = len(counts) - _NAMES_LISTED
    return f"{listed} and {more} more" if more > 0 else listed
