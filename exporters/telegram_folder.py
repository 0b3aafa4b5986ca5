"""What the files around a page of Telegram's HTML tell of its chat.

A page names its chat and nothing else. In the export of a whole account, `lists/chats.html` says
what kind of chat stands in which folder, and `export_results.html` whose account it is.

Source: `export_output_html.cpp` of telegramdesktop/tdesktop.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePath

from exporters.ids import digest
from exporters.markup import element
from exporters.sources import Source
from exporters.telegram_page import title

_FOLDER = re.compile(r"chat_\d+")
_LISTED = re.compile(
    rb'<a class="entry[a-z_ ]{0,40}" href="[^"]{0,40}chats/(chat_\d+)/messages\.html'
)
_MOST_BYTES = 64 * 1024 * 1024
_PERSONAL = b'<div class="personal_info'
_KINDS = {
    "bot": "bot_chat",
    "channel": "private_channel",
    "group": "private_group",
    "private": "personal_chat",
}
_NAMED_KINDS = {
    "Saved messages": "saved_messages",
    "Replies": "replies",
    "Verification Codes": "verification_codes",
}
"""What the list calls "private" as well; the app writes these names in English always."""


@dataclass(frozen=True, slots=True)
class PageChat:
    """The chat of a page.

    Attributes:
        id: The same for all its pages, made of its title; of its folder too, if other chats of
            the account bear that title.
        name: Its title.
        type: As in the app's JSON; empty if nothing tells.
        listed: Whether it stands in the export of a whole account.
        owner: Whose account that is, None if it does not tell.
    """

    id: str
    name: str
    type: str
    listed: bool
    owner: str | None


def find_chat(page: Source) -> PageChat:
    """Return the chat of a page.

    Raises:
        DamagedSource: A file beside it is there and cannot be read.
    """
    name = title(page.head)
    if not name:
        first = page.near("messages.html")
        name = title(first.head) if first else ""
    folder = PurePath(page.member or page.path.resolve()).parent.name
    if not _FOLDER.fullmatch(folder):
        return PageChat(_id(name or folder), name or folder, "", listed=False, owner=None)
    chats = page.near("../../lists/chats.html")
    listed = _listed(chats) if chats else {}
    named, kind = listed.get(folder, (name, ""))
    type_ = _NAMED_KINDS.get(named, "") if kind == "private" else ""
    others = Counter(other for other, _ in listed.values())
    alone = others[named] == 1 and not named.startswith("Deleted ")
    saved = type_ == "saved_messages"  # which bears its owner's name
    return PageChat(
        id=_id(name) if alone else _id(name, folder),
        name="Saved Messages" if saved else name or named or folder,
        type=type_ or _KINDS.get(kind, ""),
        listed=True,
        owner=_account_owner(page) or (name if saved and name else None),
    )


def _id(*told: str) -> str:
    return f"html{digest(*told).hex()}"


@lru_cache(maxsize=2)
def _listed(chats: Source) -> dict[str, tuple[str, str]]:
    """Return the name and the kind of each chat, by its folder."""
    with chats.open() as file:
        text = file.read(_MOST_BYTES)
    found = list(_LISTED.finditer(text))
    borders = [chat.start() for chat in found] + [len(text)]
    listed = {}
    for chat, (start, end) in zip(found, pairwise(borders), strict=True):
        entry = element(text[start:end].decode(errors="replace"))
        if entry is not None:
            parts = entry.find("name", "bold"), entry.find("info", "details")
            name, kind = (part.words() if part else "" for part in parts)
            listed[chat[1].decode()] = name, kind
    return listed


def _account_owner(page: Source) -> str | None:
    """Return the name of the account's owner, as it stands before each of their messages."""
    results = page.near("../../export_results.html")
    start = results.head.find(_PERSONAL) if results else -1
    if results is None or start < 0:
        return None
    person = element(results.head[start:].decode(errors="replace"))
    names = person.find("rows", "names") if person else None
    values = [value.words() for value in names.all() if "value" in value.classes] if names else []
    return " ".join(values) or None
