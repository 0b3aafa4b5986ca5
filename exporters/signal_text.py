"""The text of signal-export: where a message begins, and what of it a person wrote.

Source: `Message.to_md` of carderne/signal-export: quote, words, reactions, sticker, attachments.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from exporters.entry import Unreadable

_HEAD = re.compile(
    r"\[(\d{4}-\d\d-\d\d)(,?) (\d\d:\d\d)(:\d\d)?\] ([^\n:][^\n]{0,200}?):(?: (.*)|$)", re.ASCII
)
_CALL = re.compile(r"(?:Incoming|Outgoing|Missed) (?:(?:voice|video) )?call(?: \([^()\n]{1,60}\))?")
_DELETED = "(This message was deleted)"
_LEFT_OUT = ("(media not exported)", "(attachment not exported)")
_STICKER = re.compile(r"\n\(\( ([^\n]{1,40}) \)\)$")
_MOST_ATTACHMENTS = 100
_STICKER_FILE = "../exported_stickers/"


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a message.

    Attributes:
        date: As it stands there, `2024-05-01`.
        clock: As it stands there, `12:30` or `12:30:59`.
        comma: Whether one stands between them, as in older versions.
        speaker: Who wrote.
        rest: What stands behind the name.
    """

    date: str
    clock: str
    comma: bool
    speaker: str
    rest: str

    @property
    def seconds(self) -> bool:
        """Whether the time tells seconds."""
        return self.clock.count(":") == 2

    def local(self) -> datetime:
        """Return the local time.

        Raises:
            Unreadable: There is no such date or time.
        """
        try:
            return datetime.fromisoformat(f"{self.date}T{self.clock}")
        except ValueError as error:
            raise Unreadable("it has no date that can be read") from error


@dataclass(frozen=True, slots=True)
class Said:
    """What of an entry a person wrote.

    Attributes:
        text: The words; of a sticker its emoji.
        media: Whether a file or sticker came with them.
        deleted: Whether they were taken back.
        call: Whether the entry tells of a call instead.
    """

    text: str
    media: bool = False
    deleted: bool = False
    call: bool = False


def head_of(line: str) -> Head | None:
    """Return the head that begins a line, None if there is none."""
    found = _HEAD.match(line)
    if found is None:
        return None
    date, comma, minutes, seconds, speaker, rest = found.groups()
    return Head(date, minutes + (seconds or ""), bool(comma), speaker, rest or "")


def entries(file: Iterable[bytes]) -> Iterator[tuple[str, Head, list[str]]]:
    """Yield each message: where it begins, its head, and its lines without it."""
    head: Head | None = None
    lines: list[str] = []
    where = ""
    for number, data in enumerate(file, 1):
        encoding = "utf-8-sig" if number == 1 else "utf-8"
        line = data.decode(encoding, errors="replace").removesuffix("\n").removesuffix("\r")
        found = head_of(line)
        if found is None:
            lines.append(line)
            continue
        if head is not None:
            yield where, head, lines
        head, lines, where = found, [found.rest], f"line {number}"
    if head is not None:
        yield where, head, lines


def said(body: str) -> Said:
    """Return what a person wrote of an entry's text: not its quote, reactions, attachments."""
    text, media, stickers = _without_attachments(_without_quote(body).rstrip())
    found = _STICKER.search(text)
    if found:
        text, media = text[: found.start()], True
        stickers.insert(0, found[1])
    text = _without_reactions(text).rstrip()
    if text == _DELETED:
        return Said("", deleted=True)
    if not media and _CALL.fullmatch(text):
        return Said(text, call=True)
    return Said("\n".join(filter(None, (text, *stickers))), media=media)


def _without_quote(body: str) -> str:
    """Drop the quote that stands before the words, below an empty first line."""
    lines = body.split("\n")
    if lines[0].strip():
        return body
    quoted = 1
    while quoted < len(lines) and (not lines[quoted].strip() or lines[quoted].startswith(">")):
        quoted += 1
    is_quote = any(line.startswith(">") for line in lines[:quoted])
    return "\n".join(lines[quoted:]) if is_quote else body


def _without_attachments(text: str) -> tuple[str, bool, list[str]]:
    """Drop the links to files at the end; a sticker's tells its emoji."""
    media = False
    stickers: list[str] = []
    for _ in range(_MOST_ATTACHMENTS):
        text = text.rstrip()
        if text.endswith(_LEFT_OUT):
            text = text[: text.rindex("(")]
        elif text.endswith(")") and (link := _last_link(text)) is not None:
            start, label, path = link
            text = text[:start]
            if path.startswith(_STICKER_FILE):
                stickers.insert(0, label)
        else:
            break
        media = True
    return text, media, stickers


def _last_link(text: str) -> tuple[int, str, str] | None:
    """Return where the last link of a text begins, its label and the local path it leads to."""
    middle = text.rfind("](.")
    path = text[middle + 2 : -1]
    name = path.removeprefix("./media/").replace("%20", " ")
    start = middle - len(name) - 1
    if text[start + 1 : middle] != name or text[start : start + 1] != "[":
        start = text.rfind("[", 0, max(middle, 0))
    if middle < 0 or start < 0 or "\n" in path or not path.startswith(("./", "../")):
        return None
    label = text[start + 1 : middle]
    return start - (text[start - 1 : start] == "!"), label, path


def _without_reactions(text: str) -> str:
    start = text.rfind("\n(- ")
    whole = start >= 0 and text.endswith(" -)") and "\n" not in text[start + 1 :]
    return text[:start] if whole else text
