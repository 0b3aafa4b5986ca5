"""Many messages of one chat at once, as the lines that they become."""

from collections import Counter
from dataclasses import dataclass, field

from likeness.messages import Message, Rejected

Sender = tuple[str, str]
"""A speaker id and a name."""


@dataclass(slots=True)
class Block:
    """What a run of records of one chat comes to; it stands for its messages one by one.

    Attributes:
        platform: Of all its messages.
        chat_id: Of all its messages.
        chat: The chat's name.
        lines: The messages' lines, each with its newline.
        ids: The messages' ids.
        moments: When they were sent, in seconds since 1970.
        senders: Who sent them.
        speakers: How many of them each speaker id sent.
        notices: How many notices stood among them, by reason.
        rejected: The records that could not be read.
        guess: What the lines say under `outgoing`, by speaker id, before anybody can know it.
    """

    platform: str
    chat_id: str
    chat: str
    lines: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    senders: list[Sender] = field(default_factory=list)
    speakers: Counter[str] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    guess: dict[str, bool | None] = field(default_factory=dict)

    def add(self, message: Message) -> None:
        """Take a message of this chat."""
        self.lines.append(f"{message.to_json()}\n")
        self.ids.append(message.id)
        self.moments.append(message.sent_at.timestamp())
        self.senders.append((message.speaker_id, message.speaker))

    @property
    def records(self) -> int:
        """How many records it stands for."""
        return len(self.lines) + self.notices.total() + len(self.rejected)
