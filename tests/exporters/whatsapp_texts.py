"""WhatsApp's texts held in memory, read, and told shortly."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from exporters.sources import HEAD_BYTES, Reading, Source
from exporters.whatsapp import WHATSAPP
from likeness.errors import DamagedSource
from likeness.messages import Message, Record

SAMPLES = Path(__file__).parent / "samples" / "whatsapp"


@dataclass(frozen=True, slots=True)
class Held(Source):
    """A source that lies in memory, and breaks after so many bytes if told to."""

    data: bytes
    breaks_at: int | None = None

    @contextmanager
    def open(self, on_bytes: Callable[[int], None] | None = None) -> Iterator[BinaryIO]:
        yield Breaking(self.data, self.breaks_at, on_bytes)


class Breaking(io.BytesIO):
    def __init__(
        self, data: bytes, breaks_at: int | None, on_bytes: Callable[[int], None] | None
    ) -> None:
        super().__init__(data if breaks_at is None else data[:breaks_at])
        self._breaks = breaks_at is not None
        self._on_bytes = on_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if not found and self._breaks:
            raise DamagedSource("it is a broken zip")
        if self._on_bytes:
            self._on_bytes(len(found))
        return found


def held(text: str | bytes, name: str = "_chat.txt", breaks_at: int | None = None) -> Held:
    data = text.encode() if isinstance(text, str) else text
    path = Path("exports") / name
    return Held(name, path, None, data[:HEAD_BYTES], len(data), data, breaks_at)


def sample(name: str) -> Held:
    return held((SAMPLES / name).read_bytes(), name)


def read(source: Source, **told: object) -> tuple[list[Record], Reading]:
    reading = Reading(ZoneInfo("UTC"))
    for key, value in told.items():
        setattr(reading, key, value)
    return list(WHATSAPP.read(source, reading)), reading


def told(records: list[Record]) -> list[tuple[str, ...]]:
    """Say the records shortly: sender, kind and words, or the reason."""
    return [
        (record.speaker, record.kind, record.text)
        if isinstance(record, Message)
        else (type(record).__name__, record.reason)
        for record in records
    ]


def times(records: list[Record]) -> list[str]:
    return [
        f"{record.sent_at:%Y-%m-%d %H:%M:%S}" for record in records if isinstance(record, Message)
    ]
