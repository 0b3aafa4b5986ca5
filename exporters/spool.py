"""The lines of messages, waiting on disk until the whole is known."""

import re
import tempfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import IO

import msgspec
import numpy as np

from exporters.blocks import Block, Sender
from likeness.errors import LikenessError
from likeness.messages import Message, speaker_part
from likeness.texts import whole

_READ_BYTES = 1 << 20
_MOST_CORRECTED = 100
_SENDER = re.compile(
    rb'"speaker_id": ("(?:[^"\\]|\\.)*"), "speaker": "(?:[^"\\]|\\.)*", "outgoing": (\w+), "sent'
)
_WORDS = {True: b"true", False: b"false", None: b"null"}
_OUTGOING = {word: outgoing for outgoing, word in _WORDS.items()}
_message = msgspec.json.Decoder(Message).decode

Verdict = Callable[[str, bool | None], bool | None]
"""Whether a message is the owner's, by its speaker id and what it says itself."""


@dataclass(slots=True)
class _Piece:
    """Lines of one source that stand together on disk.

    Attributes:
        start: Where, in bytes.
        size: How many bytes.
        source: Its number.
        tally: How many of them each sender sent; only known where there is a guess.
        guess: What the lines say under `outgoing` by speaker id, if that is but a guess.
    """

    start: int
    size: int
    source: int
    tally: dict[Sender, int]
    guess: dict[str, bool | None] | None


class Spool:
    """A file without a name that takes lines at its end.

    Raises:
        LikenessError: In every method: the temporary folder cannot take any more.
    """

    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened
        self._file: IO[bytes] | None = None
        self._size = 0

    def write(self, data: bytes) -> int:
        """Add bytes, and return where they begin."""
        try:
            if self._file is None:
                unnamed = tempfile.TemporaryFile()  # noqa: SIM115
                self._file = self._opened.enter_context(unnamed)
            start = self._file.seek(self._size)
            self._size += self._file.write(data)
        except OSError as error:
            raise no_room(error) from error
        return start

    def read(self, start: int, size: int) -> bytes:
        """Return bytes that were written."""
        if self._file is None:
            return b""
        self._file.seek(start)
        return self._file.read(size)


class Pile:
    """The messages of one chat as they came: their lines on disk, eight bytes of each in memory."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._pieces: list[_Piece] = []
        self._pending: list[Message] = []
        self._source = 0
        self._keys = array("q")
        self._ordered = True
        self._last = float("-inf")

    def __len__(self) -> int:
        return len(self._keys) + len(self._pending)

    @property
    def sources(self) -> set[int]:
        """The numbers of the sources that they came from, as far as they are written."""
        return {piece.source for piece in self._pieces}

    def add(self, message: Message, source: int) -> None:
        """Take a message of the source with this number."""
        if source != self._source:
            self.flush()
            self._source = source
        self._pending.append(message)

    def add_block(self, block: Block, source: int) -> None:
        """Take messages of this chat, of the source with this number."""
        self.flush()
        if block.ids:
            piece = self._write(block.data, block.ids, block.moments, source)
            piece.guess = block.guess
            piece.tally = block.tally
            self._append(piece)

    def flush(self) -> None:
        """Write what was taken message by message."""
        if self._pending:
            moments = [message.sent_at.timestamp() for message in self._pending]
            lines = "".join([f"{message.to_json()}\n" for message in self._pending])
            ids = [message.id.encode() for message in self._pending]
            self._append(self._write(lines.encode(), ids, moments, self._source))
            self._pending = []

    def _write(self, data: bytes, ids: list[bytes], moments: list[float], source: int) -> _Piece:
        in_order = sorted(moments)
        if moments != in_order and len(set(ids)) == len(ids):
            # Apps swap neighbours; those that came twice are left for the merge to compare.
            places = sorted(range(len(moments)), key=moments.__getitem__)
            lines = data.splitlines(keepends=True)
            data, moments = b"".join([lines[place] for place in places]), in_order
        self._ordered = self._ordered and moments == in_order and self._last <= moments[0]
        self._last = moments[-1]
        self._keys.extend(map(hash, ids))
        return _Piece(self._spool.write(data), len(data), source, {}, None)

    def _append(self, piece: _Piece) -> None:
        last = self._pieces[-1] if self._pieces else None
        if (
            last is None
            or (last.source, last.start + last.size) != (piece.source, piece.start)
            or (last.guess is None) != (piece.guess is None)
        ):
            self._pieces.append(piece)
            return
        last.size += piece.size
        for sender, count in piece.tally.items():
            last.tally[sender] = last.tally.get(sender, 0) + count
        if last.guess is not None and piece.guess is not None:
            last.guess.update(piece.guess)

    def tidy(self) -> bool:
        """Tell whether they came in order of time, and none of them twice.

        To be asked once, at the end. Of two ids with one hash it is taken that they are one.
        """
        self.flush()
        keys = np.frombuffer(self._keys, np.int64)
        keys.sort()
        return self._ordered and not bool((keys[1:] == keys[:-1]).any())

    def messages(self) -> Iterator[tuple[int, Message]]:
        """Yield them as they came, each with the number of its source."""
        for piece in self._pieces:
            for data in self._read(piece):
                for line in data.splitlines():
                    message = _message(line)
                    if piece.guess is not None:
                        message = replace(message, outgoing=None)
                    yield piece.source, message

    def lines(self, verdict: Verdict) -> Iterator[tuple[bytes, int]]:
        """Yield their lines as bytes, and how many of these messages are the owner's.

        Args:
            verdict: What to write under `outgoing`.
        """
        for piece in self._pieces:
            right = _corrections(piece, verdict)
            if right is None or len(right) > _MOST_CORRECTED:
                judged = _Judged(verdict, guessed=piece.guess is not None)
                for data in self._read(piece):
                    yield _SENDER.sub(judged, data), judged.counted()
                continue
            mine = sum(count for (id_, _), count in piece.tally.items() if verdict(id_, None))
            wrong = re.compile(b"|".join(map(re.escape, right)))
            corrected = partial(wrong.sub, lambda found, right=right: right[found[0]])
            for data in self._read(piece):
                yield corrected(data) if right else data, mine
                mine = 0

    def _read(self, piece: _Piece) -> Iterator[bytes]:
        """Yield whole lines."""
        rest = b""
        for start in range(0, piece.size, _READ_BYTES):
            size = min(_READ_BYTES, piece.size - start)
            data = rest + self._spool.read(piece.start + start, size)
            cut = data.rfind(b"\n") + 1
            yield data[:cut]
            rest = data[cut:]


def _corrections(piece: _Piece, verdict: Verdict) -> dict[bytes, bytes] | None:
    """Return what stands in lines where the guess is wrong, and what is right; None if unknown."""
    if piece.guess is None:
        return None
    right = {}
    for id_, name in piece.tally:
        guess, outgoing = piece.guess.get(id_), verdict(id_, None)
        if guess != outgoing:
            written = speaker_part(id_, name, guess).encode()
            right[written] = speaker_part(id_, name, outgoing).encode()
    return right


class _Judged:
    """Puts a verdict where lines tell who sent a message, and counts those of the owner."""

    def __init__(self, verdict: Verdict, *, guessed: bool) -> None:
        self._verdict = verdict
        self._guessed = guessed
        self._known: dict[bytes, tuple[bytes, bool]] = {}
        self._mine = 0

    def __call__(self, found: re.Match[bytes]) -> bytes:
        told = found[0]
        known = self._known.get(told)
        if known is None:
            said = None if self._guessed else _OUTGOING[found[2]]
            outgoing = self._verdict(msgspec.json.decode(found[1], type=str), said)
            start, end = (place - found.start() for place in found.span(2))
            known = told[:start] + _WORDS[outgoing] + told[end:], bool(outgoing)
            self._known[told] = known
        self._mine += known[1]
        return known[0]

    def counted(self) -> int:
        mine, self._mine = self._mine, 0
        return mine


def no_room(error: OSError) -> LikenessError:
    """Return how to tell that the temporary folder cannot take any more."""
    return LikenessError(
        f"{tempfile.gettempdir()} cannot take what must be sorted: {error.strerror}; "
        "make room there, or set TMPDIR to another folder."
    )


def mended(message: Message) -> Message:
    """Return a message whose texts UTF-8 can hold."""
    texts = message.id, message.speaker_id, message.speaker, message.chat, message.text
    id_, speaker_id, speaker, chat, text = kept = tuple(map(whole, texts))
    if kept == texts:
        return message
    return replace(message, id=id_, speaker_id=speaker_id, speaker=speaker, chat=chat, text=text)
