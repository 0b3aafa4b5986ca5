"""Slack's text to what people saw: mentions, links and emoji by their names.

Source: "Formatting text for app surfaces" of Slack's documentation; what a person typed of `&`,
`<` and `>` is always escaped, so every angle bracket is Slack's.
"""

import re
from collections.abc import Callable
from typing import Any

_MARK = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_EMOJI = re.compile(r":([a-z0-9_+'-]{1,80}):(?::skin-tone-[2-6]:)?")
_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_MOST_BLOCKS = 10_000


def decoded(text: str, mentioned: Callable[[str], str | None], blocks: Any = None) -> str:
    """Return a text as people saw it.

    Args:
        text: As the export holds it.
        mentioned: Returns the name of a person or channel by its id, None if it is unknown.
        blocks: The same text in Slack's other form, which tells its emoji.
    """

    def plain(found: re.Match[str]) -> str:
        sign, what, label = found.groups()
        if sign in ("@", "#"):
            return f"{sign}{label or mentioned(what) or what}".replace(sign * 2, sign)
        if sign == "!":
            return label or f"@{what.partition('^')[0]}"
        return label or what

    text = _MARK.sub(plain, text)
    for escape, character in _ESCAPES:
        text = text.replace(escape, character)
    if not blocks or ":" not in text:
        return text
    emoji = _emoji_in(blocks)
    return _EMOJI.sub(lambda found: emoji.get(found[1], found[0]), text)


def _emoji_in(blocks: Any) -> dict[str, str]:
    """Return the emoji that a message's blocks name."""
    known: dict[str, str] = {}
    waiting = [blocks]
    for _ in range(_MOST_BLOCKS):
        if not waiting:
            break
        block = waiting.pop()
        if isinstance(block, list):
            waiting.extend(block)
        elif isinstance(block, dict):
            waiting.append(block.get("elements"))
            name, points = block.get("name"), block.get("unicode")
            if isinstance(name, str) and isinstance(points, str):
                known[name] = _characters(points) or f":{name}:"
    return known


def _characters(points: str) -> str | None:
    """Return the characters of code points such as `1f44d-1f3fb`."""
    try:
        return "".join(chr(int(point, 16)) for point in points.split("-"))
    except (ValueError, OverflowError):
        return None
