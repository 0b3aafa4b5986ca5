"""What an exporter reads: a file or folder, on disk or inside a zip."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO

HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Source:
    """One file to be recognised and read.

    Attributes:
        name: What to call it before people: `export.zip/_chat.txt`, `ChatExport/result.json`.
        path: Where it lies on disk; for a member of a zip, the zip.
        member: Its name inside the zip, None for a plain file.
        head: Its first HEAD_BYTES bytes, read once for all exporters.
        size: Its size in bytes, uncompressed.
    """

    name: str
    path: Path
    member: str | None
    head: bytes = field(repr=False)
    size: int

    @contextmanager
    def open(self, on_bytes: Callable[[int], None] | None = None) -> Iterator[BinaryIO]:
        """Open it for reading bytes; `on_bytes` is told how many were read, as they are."""
        raise NotImplementedError


@dataclass(slots=True)
class Reading:
    """What a run tells an exporter, and what the exporter tells of its reading.

    Attributes:
        local_zone: The zone of exports that hold local times only.
        on_bytes: To be told of bytes read.
        flavour: What exactly was recognised, for people: "one chat, 2023 layout".
        remarks: Sentences for the account: the template and why, order of dates and why, repairs.
        owner: The exporter's evidence who "me" is: per chat id, the owner's speaker id and why.
    """

    local_zone: tzinfo
    on_bytes: Callable[[int], None] | None = None
    flavour: str = ""
    remarks: list[str] = field(default_factory=list)
    owner: dict[str, tuple[str, str]] = field(default_factory=dict)
