"""What the person at the keyboard chose for an export."""

from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Literal

from exporters.selection import Selection

Form = Literal["messages", "rows"]


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the person at the keyboard chose.

    Attributes:
        local_zone: The zone of exports that hold local times only.
        zone_name: What to call it.
        me: The owner's names or ids, where the export cannot tell.
        form: What to write: `messages.jsonl`, or the workshop's rows.
        aliases: Groups of one person's names, such as `Bob=Bob K.,bobby`.
        selection: Which messages are wanted.
        day_first: Whether a date such as 3/4/24 is of April, None to go by the evidence.
        include: Besides conversations with people: `bots`, `channels`, `saved`.
        strict: Whether anything that cannot be read is a failure.
        report: Where to write the whole account as JSON, None for nowhere.
    """

    local_zone: tzinfo
    zone_name: str
    me: tuple[str, ...] = ()
    form: Form = "messages"
    aliases: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    day_first: bool | None = None
    include: frozenset[str] = frozenset()
    strict: bool = False
    report: Path | None = None
