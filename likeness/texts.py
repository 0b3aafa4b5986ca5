"""Texts that others wrote, made fit to be kept as UTF-8 and shown in a terminal."""

import re

_HALF = re.compile("[\ud800-\udfff]")
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def whole(text: str) -> str:
    """Return a text whose halves of characters are joined, or, where alone, U+FFFD.

    UTF-8 cannot hold such surrogates, which JSON may still spell out, and which stand in the names
    of files for bytes that are not UTF-8.
    """
    if text.isascii() or not _HALF.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def counted(count: int, what: str) -> str:
    """Return how many of something there are: `1 message`, `1,200 messages`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def harmless(text: str) -> str:
    """Return a text without what would steer a terminal, or what it cannot be given."""
    return _STEERING.sub("\ufffd", whole(text))
