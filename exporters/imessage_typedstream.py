"""The words in an `attributedBody`: the first string of an archive that Apple calls typedstream.

Source: archives of `chat.db`. Behind the class `NSString` and a label stands the type of what
follows, `+` for bytes, then their number: in one byte below 0x80, or behind 0x81 in two bytes,
behind 0x82 in four, the lowest first; then the bytes, which are UTF-8.
"""

import re

from exporters.entry import Unreadable

_MAGIC = b"streamtyped"
_WORDS = re.compile(rb"NSString\x01.\x84\x01\+(?:\x81(..)|\x82(....)|([\x00-\x7f]))", re.DOTALL)


def text_in(archive: bytes) -> str:
    """Return the words of an attributed text, U+FFFC where a file stands.

    Raises:
        Unreadable: It is another kind of archive, or cut.
    """
    found = _WORDS.search(archive) if _MAGIC in archive[:16] else None
    if found is None:
        raise Unreadable("its attributed text is of an unknown form")
    length = int.from_bytes(found[1] or found[2] or found[3], "little")
    words = archive[found.end() : found.end() + length]
    if len(words) < length:
        raise Unreadable("its attributed text breaks off")
    return words.decode("utf-8", errors="replace")
