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
        reading.flavour = f"messages.jsonl, version {VERSION}"
        with source.open(reading.on_bytes) as file:
            yield from keep_whole(_records(file, source.name), source.name)


MESSAGES = _Own()


def _records(lines: BinaryIO, name: str) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield Message.from_json(line.decode("utf-8"))
        except UnknownVersion as error:
            raise DamagedSource(f"{name}, line {number}: {error}.") from error
        except BadLine as error:
            yield Rejected(f"line {number}", str(error))
        except (UnicodeDecodeError, RecursionError, OverflowError):
            yield Rejected(f"line {number}", "it is not JSON in UTF-8")
