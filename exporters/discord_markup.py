"""The HTML that DiscordChatExporter writes, tag by tag, and the text of a message in it as typed.

Newer files are minified: attributes stand with and without quotes. Any file takes linear time.

Source: `MessageGroupTemplate.cshtml` and `HtmlMarkdownVisitor.cs` of DiscordChatExporter 2.18 to
2.43, which turns marks such as `**` into tags: its JSON and CSV keep them as they were typed.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import BinaryIO

_CHUNK_BYTES = 1 << 20
_MOST_WAITING = 1 << 22
_MOST_NESTED = 100
_TAG = re.compile(r"<(?:!--[^<>]*+|(/?)([a-zA-Z][^\s<>/]*+)([^<>]*+))>")
_ATTRIBUTE = re.compile(r"""([^\s"'=<>/]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'<>]++)))?""")
_CUSTOM_EMOJI = re.compile(r"[A-Za-z0-9_~-]+")
_ALONE = frozenset({"area", "br", "hr", "img", "input", "link", "meta", "source", "use", "wbr"})
_PAIRS = {"strong": "**", "b": "**", "em": "*", "i": "*", "u": "__", "s": "~~", "del": "~~"}
_HEADINGS = {"h1": "# ", "h2": "## ", "h3": "### "}
_BLOCKS = _HEADINGS.keys() | {"div", "li"}
_KNOWN = _ALONE | _PAIRS.keys() | _HEADINGS.keys() | {"a", "code", "div", "li", "pre", "span", "ul"}


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag.

    Attributes:
        name: Its name in small letters.
        closes: Whether it is an end tag.
        attributes: Its attributes.
        classes: Its classes.
        raw: The tag as it stands.
    """

    name: str
    closes: bool
    attributes: dict[str, str]
    classes: frozenset[str]
    raw: str

    @property
    def alone(self) -> bool:
        """Whether no end tag belongs to it."""
        return self.name in _ALONE


def parts_of(file: BinaryIO) -> Iterator[Tag | str]:
    """Yield the tags of a page and the text between them, in constant memory."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
    waiting = ""
    while data := file.read(_CHUNK_BYTES):
        waiting += decoder.decode(data)
        at = 0
        for found in _TAG.finditer(waiting):
            if at < found.start():
                yield unescape(waiting[at : found.start()])
            at = found.end()
            if found[2]:
                yield _tag(found)
        waiting = waiting[at:]
        if len(waiting) > _MOST_WAITING:
            yield unescape(waiting)
            waiting = ""


def _tag(found: re.Match[str]) -> Tag:
    if found[1] or not found[3]:
        return Tag(found[2].lower(), bool(found[1]), {}, frozenset(), found[0])
    attributes = {
        name.lower(): unescape(double or single or bare)
        for name, double, single, bare in _ATTRIBUTE.findall(found[3])
    }
    classes = frozenset(attributes.get("class", "").split())
    return Tag(found[2].lower(), False, attributes, classes, found[0])


@dataclass(slots=True)
class TypedText:
    """Takes what stands in one element and gives it back as it was typed.

    Attributes:
        root: The tag that opened the element.
    """

    root: Tag
    _words: list[str] = field(default_factory=list)
    _open: list[tuple[Tag, int]] = field(default_factory=list)

    def add(self, part: Tag | str) -> bool:
        """Take in a part; True if it ended the element."""
        if isinstance(part, str):
            self._words.append(part)
        elif part.name not in _KNOWN:  # what stood in angle brackets, exported without rendering
            self._words.append(part.raw)
        elif part.closes:
            return self._close(part.name)
        elif part.alone:
            self._words.append(_alone(part))
        elif len(self._open) < _MOST_NESTED:
            self._open.append((part, len(self._words)))
        return False

    def _close(self, name: str) -> bool:
        while self._open:
            tag, start = self._open.pop()
            typed = _typed(tag, "".join(self._words[start:]))
            before = "".join(self._words[max(0, start - 1) : start])
            if typed.endswith("\n") and tag.name in _BLOCKS and before[-1:] not in ("", "\n"):
                typed = f"\n{typed}"
            self._words[start:] = [typed]
            if tag.name == name:
                return False
        return name == self.root.name

    def text(self) -> str:
        """Return all of it."""
        return "".join(self._words).replace("\r\n", "\n")


def _alone(tag: Tag) -> str:
    if tag.name == "br":
        return "\n"
    alt = tag.attributes.get("alt", "")
    return f":{alt}:" if _CUSTOM_EMOJI.fullmatch(alt) else alt


def _typed(tag: Tag, inside: str) -> str:
    """Return the text of an element with the marks that made it one."""
    classes = {name.removeprefix("chatlog__markdown-") for name in tag.classes}
    if "pre" in classes:
        return _code(tag, classes, inside)
    if classes & {"spoiler", "spoiler-text"}:
        return f"||{inside}||"
    if "quote" in classes:
        return "".join(f"> {line}\n" for line in inside.strip("\n").split("\n"))
    if tag.name == "a":
        address = tag.attributes.get("href", "")
        plain = (
            address[:1] in ("", "#")
            or inside == address
            or inside.startswith(("http://", "https://"))
        )
        return inside if plain else f"[{inside}]({address})"
    if tag.name in _HEADINGS or tag.name == "li":
        return f"{_HEADINGS.get(tag.name, '- ')}{inside}\n"
    mark = _PAIRS.get(tag.name, "")
    return f"{mark}{inside}{mark}"


def _code(tag: Tag, classes: set[str], inside: str) -> str:
    if classes & {"pre--multiline", "pre-multiline", "pre--multi-line"}:
        languages = [name.removeprefix("language-") for name in tag.classes if "language-" in name]
        return f"```{''.join(languages)}\n{inside}\n```"
    return f"`{inside}`"
