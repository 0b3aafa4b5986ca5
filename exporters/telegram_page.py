"""A page of Telegram Desktop's HTML cut into its entries, and each of them read.

Source: `export_output_html.cpp` of telegramdesktop/tdesktop.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import IO

from exporters.markup import Element, element

_BLOCK_BYTES = 65_536
_LONGEST_ENTRY = 4 * _BLOCK_BYTES
_LONGEST_BORDER = 150
_BORDER = re.compile(
    rb'<div\s(?:id="message-?\d{1,19}"\s)?class="message (?=default|service)[a-z ]{0,40}"'
)
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html)\b", re.IGNORECASE)
_HISTORY = b'class="history"'
_END = b"</html>"
_ID = re.compile(r"message(-?\d{1,19})")
_ANSWERED = re.compile(r"#go_to_message(-?\d{1,19})")
_WRAPS = frozenset({"media_wrap", "photo_wrap", "video_file_wrap", "animated_wrap", "sticker_wrap"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a page, as it stands there.

    Attributes:
        id: Its number; empty if it has none.
        whole: Whether it was read up to its end.
        service: The app's own words, for a service entry or a day line; None for a message.
        joined: Whether it goes on from the message above, whose speaker it does not repeat.
        speaker: Who sent it; empty if it is not said.
        via_bot: Whether a bot wrote it for the speaker.
        forwarded: Whether it is someone else's.
        date: As it is written.
        text: The words.
        reply_to: The number of the message it answers, in this chat.
        media: What hangs on it, as the page names it: `media_photo`; empty for nothing.
        sticker: The emoji of a sticker whose file is not in the export.
    """

    id: str
    whole: bool
    service: str | None = None
    joined: bool = False
    speaker: str = ""
    via_bot: bool = False
    forwarded: bool = False
    date: str = ""
    text: str = ""
    reply_to: str | None = None
    media: str = ""
    sticker: str = ""


def is_page(head: bytes) -> bool:
    """Tell from the first bytes of a file whether it is such a page."""
    start = head.removeprefix(b"\xef\xbb\xbf")
    history = start.find(_HISTORY)
    return bool(_PAGE.match(start)) and history >= 0 and bool(_BORDER.search(start, history))


def title(head: bytes) -> str:
    """Return the title at the head of a page, empty if there is none."""
    start = head.find(b'<div class="page_header"')
    header = element(head[start:].decode(errors="replace")) if start >= 0 else None
    text = header.find("text", "bold") if header is not None else None
    return text.words() if text is not None else ""


@dataclass(slots=True)
class Page:
    """A page that is being read.

    Attributes:
        ended: Whether it was read up to the end mark that a finished export has.
    """

    file: IO[bytes]
    ended: bool = False

    def entries(self) -> Iterator[Entry]:
        """Yield every entry in order, in constant memory."""
        for piece in self._pieces():
            found = element(piece.decode(errors="replace"))
            if found is not None:
                yield _entry(found)

    def _pieces(self) -> Iterator[bytes]:
        """Yield what stands from the beginning of each entry up to that of the next."""
        held, inside = b"", False
        while block := self.file.read(_BLOCK_BYTES):
            held += block
            borders = [found.start() for found in _BORDER.finditer(held)]
            for start, end in pairwise(borders):
                yield held[start:end]
            inside = bool(borders)
            held = held[borders[-1] :] if inside else held[-_LONGEST_BORDER:]
            if len(held) > _LONGEST_ENTRY:
                yield held
                held, inside = held[-_LONGEST_BORDER:], False
        if inside:
            yield held
        self.ended = _END in held


def _entry(top: Element) -> Entry:
    number = _ID.fullmatch(top.attributes.get("id", ""))
    id_ = number[1] if number else ""
    body = top.child("body")
    if "service" in top.classes:
        return Entry(id_, top.whole, service=body.words() if body else "")
    if body is None:
        return Entry(id_, whole=False)
    forwarded = body.child("forwarded", "body")
    speaker, via_bot = _speaker(body)
    media = _media(body) or (_media(forwarded) if forwarded else None)
    date = body.child("date", "details")
    return Entry(
        id=id_,
        whole=top.whole,
        joined="joined" in top.classes,
        speaker=speaker,
        via_bot=via_bot,
        forwarded=forwarded is not None,
        date=date.attributes.get("title", "") if date else "",
        text=_text(body) or (_text(forwarded) if forwarded else ""),
        reply_to=_reply_to(body),
        media=_kind_of(media) if media else "",
        sticker=_sticker(media) if media else "",
    )


def _speaker(body: Element) -> tuple[str, bool]:
    found = body.child("from_name")
    told = found.words() if found else ""
    name, via, bot = told.rpartition(" via @")
    return (name.strip(), True) if via and " " not in bot else (told, False)


def _text(body: Element) -> str:
    text = body.child("text")
    return text.words() if text else ""


def _reply_to(body: Element) -> str | None:
    """Return what is answered, on this page or another; an answer to another chat has no link."""
    reply = body.child("reply_to")
    for part in reply.all() if reply else ():
        answered = _ANSWERED.search(part.attributes.get("href", ""))
        if answered:
            return answered[1]
    return None


def _media(body: Element) -> Element | None:
    return next((part for part in body.children() if part.classes & _WRAPS), None)


def _kind_of(media: Element) -> str:
    """Return the class that names a thing best."""
    for part in (media, *media.all()):
        for name in sorted(part.classes):
            if name.startswith("media_") and name != "media_wrap":
                return "media_list" if _is_list(part) else name
    return "media"


def _is_list(media: Element) -> bool:
    """Tell a list of things to do, which is laid out as a poll."""
    details = media.child("details")
    return details is not None and details.words() == "To-do List"


def _sticker(media: Element) -> str:
    """Return the emoji before the size: `🦊, 31.4 KB`; a size alone has digits and letters."""
    named, status = media.find("title", "bold"), media.find("status", "details")
    if named is None or status is None or named.words() != "Sticker":
        return ""
    first = status.words().split(", ")[0]
    size = any(map(str.isdigit, first)) and any(map(str.isalpha, first))
    return "" if size else first
