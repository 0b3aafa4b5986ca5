"""Other people's files to messages: the protocol of an exporter, and the registry."""

from collections.abc import Iterator
from typing import Protocol

from exporters.blocks import Block
from exporters.convokit import CONVOKIT
from exporters.cornell import CORNELL
from exporters.discord import DISCORD
from exporters.discord_csv import DISCORD_CSV
from exporters.discord_html import DISCORD_HTML
from exporters.discord_package import DISCORD_PACKAGE
from exporters.discord_text import DISCORD_TEXT
from exporters.imessage import IMESSAGE
from exporters.imessage_html import IMESSAGE_HTML
from exporters.imessage_text import IMESSAGE_TEXT
from exporters.instagram_archive import INSTAGRAM_ARCHIVE
from exporters.messenger import MESSENGER
from exporters.own import MESSAGES
from exporters.rows import ROWS
from exporters.signal import SIGNAL
from exporters.sigtop import SIGTOP
from exporters.slack import SLACK
from exporters.sources import Reading, Source
from exporters.telegram import TELEGRAM
from exporters.telegram_html import TELEGRAM_HTML
from exporters.whatsapp import WHATSAPP
from likeness.errors import AmbiguousSource
from likeness.messages import Record


class Exporter(Protocol):
    """Reads one foreign format. An exporter is a module-level object with these three."""

    name: str
    """The format as people call it: "Telegram Desktop JSON"."""

    def recognises(self, source: Source) -> bool:
        """Tell from the content, never from the name alone, whether this is its format."""

    def read(self, source: Source, reading: Reading) -> Iterator[Record | Block]:
        """Yield every record of a source as exactly one message, notice or rejected.

        Blocks of them only if `reading.blocks` says so.

        Leaves `outgoing` None where the format does not tell, and puts evidence into
        `reading.owner`.

        Raises:
            DamagedSource: Nothing of it can be read. What is whole before the damage is yielded
                first, then one Rejected for the rest.
        """


EXPORTERS: tuple[Exporter, ...] = (
    TELEGRAM,
    TELEGRAM_HTML,
    WHATSAPP,
    DISCORD,
    DISCORD_CSV,
    DISCORD_TEXT,
    DISCORD_HTML,
    DISCORD_PACKAGE,
    MESSENGER,
    INSTAGRAM_ARCHIVE,
    SIGNAL,
    SIGTOP,
    IMESSAGE,
    IMESSAGE_TEXT,
    IMESSAGE_HTML,
    SLACK,
    ROWS,
    CORNELL,
    CONVOKIT,
    MESSAGES,
)
"""Every format that Likeness reads: a new one is one more name here."""


def find_exporter(source: Source) -> Exporter | None:
    """Return the exporter that recognises a source, None if there is none.

    Raises:
        AmbiguousSource: More than one does.
    """
    claims = [exporter for exporter in EXPORTERS if exporter.recognises(source)]
    if len(claims) > 1:
        names = " and ".join(exporter.name for exporter in claims)
        raise AmbiguousSource(f"{source.name} could be {names}: this is a mistake of Likeness.")
    return claims[0] if claims else None
