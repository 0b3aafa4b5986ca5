"""Many messages of one chat at once, as the lines that they become."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from likeness.messages import Message, Notice, Record, Rejected

Sender = tuple[str, str]
"""A speaker id and a name."""

Guess = Callable[[str, str], bool | None]
"""Whether a speaker is the owner by id and name, as far as it can be told before all is read.

Of one id it says always the same.
"""


@dataclass(slots=True)
class Block:
    """What a run of records of one chat comes to; it stands for its messages one by one.

    Attributes:
        platform: Of all its messages.
        chat_id: Of all its messages.
        chat: The chat's name.
        parts: What the messages' lines, each with its newline, are put together of.
        ids: The messages' ids.
        moments: When they were sent, in seconds since 1970.
        senders: Who sent them.
        data: The lines; once it is closed.
        tally: How many of them each sender sent, whoever spoke last at the end; once it is closed.
        notices: How many notices stood among them, by reason.
        rejected: The records that could not be read.
        guess: What the lines say under `outgoing`, by speaker id, before anybody can know it.
        automated: How many of each speaker id a program wrote.
    """

    platform: str
    chat_id: str
    chat: str
    parts: list[bytes] = field(default_factory=list)
    ids: list[bytes] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    senders: list[Sender] = field(default_factory=list)
    data: bytes = b""
    tally: dict[Sender, int] = field(default_factory=dict)
    notices: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    guess: dict[str, bool | None] = field(default_factory=dict)
    automated: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record, guess: Guess | None = None) -> None:
        """Take in a record; a message must be of this chat.

        Args:
            record: The record.
            guess: Who is me, if the message does not say it itself.
        """
        match record:
            case Message():
                if guess is not None:
                    outgoing = guess(record.speaker_id, record.speaker)
                    record = replace(record, outgoing=outgoing)
                self.parts.append(f"{record.to_json()}\n".encode())
                self.ids.append(record.id.encode())
                self.moments.append(record.sent_at.timestamp())
                self.senders.append((record.speaker_id, record.speaker))
                if record.kind == "automated":
                    self.automated[record.speaker_id] += 1
            case Notice(reason=reason):
                self.notices[reason] += 1
            case Rejected():
                self.rejected.append(record)

    def closed(self, guess: Guess) -> Self:
        """Return itself, once all is in it.

        Args:
            guess: What was written under `outgoing`.
        """
        self.data = b"".join(self.parts)
        counts = Counter(self.senders)
        last_at_the_end = reversed(dict.fromkeys(reversed(self.senders)))
        self.tally = {sender: counts[sender] for sender in last_at_the_end}
        self.guess = {id_: guess(id_, name) for id_, name in self.tally}
        return self

    @property
    def messages(self) -> int:
        """How many messages it stands for."""
        return len(self.ids)

    @property
    def bots(self) -> set[str]:
        """The speaker ids of which a program wrote all; once it is closed."""
        people = Counter[str]()
        for (id_, _), count in self.tally.items() if self.automated else ():
            people[id_] += count
        return {id_ for id_, count in self.automated.items() if count == people[id_]}

    @property
    def records(self) -> int:
        """How many records it stands for."""
        return self.messages + self.notices.total() + len(self.rejected)
