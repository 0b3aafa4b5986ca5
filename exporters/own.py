"""Our own `messages.jsonl`, read again, so that files can be merged."""

from collections.abc import Iterator
from typing import BinaryIO

from exporters.sources import Reading, Source
from exporters.streaming import beginning, keep_whole
from likeness.errors import BadLine, DamagedSource, UnknownVersion
from likeness.messages import VERSION, Message, Record, Rejected

_KEYS = frozenset({"v", "platform", "chat_id", "speaker_id", "outgoing", "sent_at", "text"})


class _Own:
    name = "messages of Likeness"

    def recognises(self, source: Source) -> bool:
        found = beginning(source.head)
        return isinstance(found, dict) and found.keys() >= _KEYS

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        found = beginning(source.head)
        version = found.get("v") if isinstance(found, dict) else None
        if isinstance(version, int) and version > VERSION:
            raise DamagedSource(
                f"{source.name} has version {version}, and this Likeness reads version {VERSION}: "
                "update it."
            )
        reading.flavour = f"messages.jsonl, version {VERSION}"
        with source.open(reading.on_bytes) as file:
            yield from keep_whole(_records(file), source.name)


MESSAGES = _Own()


def _records(lines: BinaryIO) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            # Editors put a byte order mark at the start of a file.
            yield Message.from_json(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except (BadLine, UnknownVersion) as error:
            yield Rejected(f"line {number}", str(error))
        except UnicodeDecodeError:
            yield Rejected(f"line {number}", "it is not JSON in UTF-8")
