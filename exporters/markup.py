"""A piece of HTML, as an app writes it, as a tree of elements.

Made for files that a program wrote: every element is closed, every attribute quoted. The standard
library's parser takes far more, but quadratic time over brackets that never close (3.11), which a
damaged file may be full of; this one takes linear time for any text.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)([^<>]*)>")
_ATTRIBUTE = re.compile(r'([a-zA-Z-]++)\s*+=\s*+"([^"]*)"')
_ALONE = frozenset({"hr", "img", "input", "link", "meta", "wbr"})


@dataclass(slots=True)
class Element:
    """An element and what stands in it.

    Attributes:
        classes: Its classes.
        attributes: All its attributes.
        inside: Elements and words, in order; a `<br>` is a newline.
        whole: Whether its end tag was there.
    """

    classes: frozenset[str]
    attributes: dict[str, str]
    inside: "list[Element | str]" = field(default_factory=list)
    whole: bool = False

    def children(self, *classes: str) -> "Iterator[Element]":
        """Yield the elements directly inside that have all these classes."""
        for child in self.inside:
            if isinstance(child, Element) and child.classes.issuperset(classes):
                yield child

    def child(self, *classes: str) -> "Element | None":
        """Return the first of them, None if there is none."""
        return next(self.children(*classes), None)

    def all(self) -> "Iterator[Element]":
        """Yield every element inside, at any depth, in order."""
        for part in self._parts():
            if isinstance(part, Element):
                yield part

    def find(self, *classes: str) -> "Element | None":
        """Return the first element inside, at any depth, that has all these classes."""
        return next((part for part in self.all() if part.classes.issuperset(classes)), None)

    def words(self) -> str:
        """Return the words inside, without the layout around them."""
        return "".join(part for part in self._parts() if isinstance(part, str)).strip(" \t\r\n")

    def _parts(self) -> "Iterator[Element | str]":
        waiting = self.inside[::-1]
        while waiting:
            part = waiting.pop()
            yield part
            if isinstance(part, Element):
                waiting.extend(reversed(part.inside))


def element(markup: str) -> Element | None:
    """Return the element with which a piece of HTML begins, None if it begins with none.

    What follows its end is left alone.
    """
    first = _TAG.match(markup)
    if first is None or first[1]:
        return None
    top = _opened(first[3])
    path, names = [top], [first[2].lower()]
    open_ = Counter(names)
    at = first.end()
    for tag in _TAG.finditer(markup, at):
        if at < tag.start():
            path[-1].inside.append(_plain(markup[at : tag.start()]))
        at = tag.end()
        closes, name, rest = tag[1], tag[2].lower(), tag[3]
        if closes:
            while open_[name]:
                path.pop().whole = names[-1] == name
                open_[names[-1]] -= 1
                if names.pop() == name:
                    break
            if not path:
                return top
        elif name == "br":
            path[-1].inside.append("\n")
        else:
            inner = _opened(rest)
            path[-1].inside.append(inner)
            if name not in _ALONE and not rest.endswith("/"):
                path.append(inner)
                names.append(name)
                open_[name] += 1
    path[-1].inside.append(_plain(markup[at:]))
    return top


def _opened(rest: str) -> Element:
    attributes = {key.lower(): _plain(value) for key, value in _ATTRIBUTE.findall(rest)}
    return Element(frozenset(attributes.get("class", "").split()), attributes)


def _plain(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:  # a number too long for a character, or for Python
        return text
