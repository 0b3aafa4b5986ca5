"""A page of DiscordChatExporter's HTML, cut into its messages."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from exporters.discord_markup import Tag, TypedText
from exporters.streaming import BrokenJSON

_SCROLL = re.compile(r"scrollToMessage\(\s*event\s*,\s*'([0-9]{1,20})'")
_TRACKED = frozenset({"div", "span"})
_ROLES = {
    "chatlog__message-group": "group",
    "chatlog__content": "content",
    "chatlog__forwarded": "forwarded",
    "chatlog__reply": "reply",
    "chatlog__reference": "reply",
    "chatlog__author": "author",
    "chatlog__author-name": "author",
    "chatlog__system-notification-author": "author",
    "chatlog__author-tag": "bot",
    "chatlog__bot-tag": "bot",
    "chatlog__bot-label": "bot",
    "chatlog__timestamp": "time",
    "chatlog__short-timestamp": "time",
    "chatlog__system-notification-timestamp": "time",
    "chatlog__system-notification": "system",
    "chatlog__system-notification-content": "system",
    "chatlog__attachment": "media",
    "chatlog__sticker": "media",
    "preamble__entry": "preamble",
    "info__guild-name": "preamble",
    "info__channel-name": "preamble",
}
_TEXTS = frozenset({"chatlog__markdown-preserve", "preserve-whitespace"})
_OLD_TEXT = "markdown"
_CAPTURED = frozenset({"author", "time", "system", "text", "preamble"})
_MOST_NESTED = 200
_SENT = "Message sent: "


@dataclass(slots=True)
class Author:
    """Who wrote a group of messages.

    Attributes:
        id: Of the user.
        name: The name that others see.
        bot: Whether it is a bot or a webhook.
    """

    id: str = ""
    name: str = ""
    bot: bool = False


@dataclass(slots=True)
class PageEntry:
    """One message as it stands on the page.

    Attributes:
        id: Of the message.
        author: Who wrote it.
        reply_to: The id of the message it answers.
        dates: Its date in the forms in which it stands there.
        text: The words of the author, or, forwarded, of another.
        forwarded: Whether it was forwarded.
        media: Whether it has files or stickers.
        system: What a system message says, None in a person's message.
    """

    id: str
    author: Author
    reply_to: str | None
    dates: list[str]
    text: str = ""
    forwarded: bool = False
    media: bool = False
    system: str | None = None


@dataclass(slots=True)
class Page:
    """Reads a page from top to bottom.

    Attributes:
        preamble: The server's name and the channel's, as far as they were read.
    """

    preamble: list[str] = field(default_factory=list)
    _open: list[tuple[str, str]] = field(default_factory=list)
    _author: Author = field(default_factory=Author)
    _group_dates: list[str] = field(default_factory=list)
    _reply_to: str | None = None
    _entry: PageEntry | None = None
    _captured: tuple[str, TypedText] | None = None

    def entries(self, parts: Iterable[Tag | str]) -> Iterator[PageEntry]:
        """Yield each message that is whole.

        Raises:
            BrokenJSON: The page ends within a message.
        """
        for part in parts:
            if self._captured is not None:
                role, text = self._captured
                if text.add(part):
                    self._captured = None
                    self._take(role, text.text())
            elif isinstance(part, Tag) and part.closes and part.name in _TRACKED:
                yield from self._close(part.name)
            elif isinstance(part, Tag) and not part.closes:
                yield from self._start(part)
        if self._entry is not None:
            raise BrokenJSON

    def _close(self, name: str) -> Iterator[PageEntry]:
        """Leave the innermost element of this name."""
        if not any(name == other for other, _ in self._open):
            return
        while self._open:
            other, role = self._open.pop()
            if role == "message" and self._entry is not None:
                entry, self._entry = self._entry, None
                yield entry
            if other == name:
                return

    def _start(self, tag: Tag) -> Iterator[PageEntry]:
        role = self._role(tag)
        if role == "group":
            self._author, self._group_dates, self._reply_to = Author(), [], None
        elif role == "message":
            if self._entry is not None:
                yield self._entry
            self._entry = self._begun(tag)
        self._note(role, tag)
        if tag.name in _TRACKED:
            if role in _CAPTURED:
                self._captured = role, TypedText(tag)
            else:
                self._open.append((tag.name, role))
                if len(self._open) > _MOST_NESTED:
                    raise BrokenJSON

    def _role(self, tag: Tag) -> str:
        if "data-message-id" in tag.attributes:
            return "message"
        if tag.classes & _TEXTS or (_OLD_TEXT in tag.classes and tag.name == "span"):
            inside = {role for _, role in self._open}
            return "text" if inside & {"content", "forwarded"} else ""
        return next((_ROLES[name] for name in tag.classes if name in _ROLES), "")

    def _begun(self, tag: Tag) -> PageEntry:
        dates = list(self._group_dates)
        if (title := tag.attributes.get("title", "")).startswith(_SENT):
            dates.insert(0, title.removeprefix(_SENT))
        reply_to, self._reply_to = self._reply_to, None
        return PageEntry(tag.attributes["data-message-id"], self._author, reply_to, dates)

    def _note(self, role: str, tag: Tag) -> None:
        """Keep what a tag itself tells."""
        entry = self._entry
        if role == "author":
            id_, title = tag.attributes.get("data-user-id", ""), tag.attributes.get("title", "")
            self._author.id = id_ or title
            self._author.name = title
        elif role == "bot":
            self._author.bot = True
        elif role == "time" and tag.attributes.get("title"):
            self._date(tag.attributes["title"])
        elif entry is not None and role in ("forwarded", "media"):
            entry.forwarded |= role == "forwarded"
            entry.media |= role == "media"
        self._note_reply(tag)

    def _note_reply(self, tag: Tag) -> None:
        found = _SCROLL.match(tag.attributes.get("onclick", ""))
        if found and any(role == "reply" for _, role in self._open):
            if self._entry is None:
                self._reply_to = found[1]
            else:
                self._entry.reply_to = found[1]

    def _date(self, written: str) -> None:
        (self._group_dates if self._entry is None else self._entry.dates).append(written)

    def _take(self, role: str, text: str) -> None:
        """Keep the text of an element that has ended."""
        entry = self._entry
        if role == "preamble":
            self.preamble.append(text.strip())
        elif role == "author":
            self._author.name = text.strip() or self._author.name
            self._author.id = self._author.id or self._author.name
        elif role == "time":
            self._date(text.strip())
        elif entry is not None and role == "text":
            entry.text = text.strip("\n")
        elif entry is not None and role == "system":
            entry.system = (entry.system or "") + text
