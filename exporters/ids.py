"""Ids for messages of formats that have none: the same in every later export of a chat."""

from hashlib import blake2b

_MOST_REMEMBERED = 50_000


class MadeIds:
    """Gives each message of one source an id made of what it says.

    Two exports of one chat so agree on it and can be merged, and equal messages of one minute
    stay apart by their number among their equals.
    """

    def __init__(self) -> None:
        self._recent: dict[bytes, int] = {}
        self._older: dict[bytes, int] = {}

    def of(self, *told: str) -> str:
        """Return the id of the next message of which this is told, such as its time and words.

        Equals are counted while they are among the last messages; memory stays constant.
        """
        return self.made(_joined(*told)).decode()

    def made(self, told: bytes) -> bytes:
        """Return the same of what is joined by zero bytes."""
        key = blake2b(told, digest_size=8).digest()
        recent = self._recent
        equals = recent.get(key) or self._older.get(key, 0)
        if len(recent) >= _MOST_REMEMBERED:
            self._older = recent
            recent = self._recent = {}
        recent[key] = equals + 1
        told = key.hex().encode()
        return told if equals == 0 else b"%b-%d" % (told, equals + 1)


def digest(*told: str) -> bytes:
    """Return eight bytes that stand for these words in this order."""
    return blake2b(_joined(*told), digest_size=8).digest()


def _joined(*told: str) -> bytes:
    return "\0".join(told).encode(errors="surrogatepass")
