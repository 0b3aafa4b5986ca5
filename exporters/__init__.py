"""Other people's files to messages: the protocol of an exporter, and the registry."""

from collections.abc import Iterator
from typing import Protocol

from exporters.sources import Reading, Source
from likeness.messages import Record


class Exporter(Protocol):
    """Reads one foreign format. An exporter is a module-level object with these three."""

    name: str
    """The format as people call it: "Telegram Desktop JSON"."""

    def recognises(self, source: Source) -> bool:
        """Tell from the content, never from the name alone, whether this is its format."""

    def read(self, source: Source, reading: Reading) -> Iterator[Record]:
        """Yield every record of a source as exactly one message, notice or rejected.

        Leaves `outgoing` None where the format does not tell, and puts evidence into
        `reading.owner`.

        Raises:
            DamagedSource: Nothing of it can be read. What is whole before the damage is yielded
                first, then one Rejected for the rest.
        """
