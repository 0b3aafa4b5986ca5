"""What an export tells of itself: what was recognised, what became of each record, who is me."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from exporters.blocks import Block, Sender
from likeness.messages import Message, Notice, Record, Rejected

DOUBLE = "the same message again"
NAMELESS = "me"
"""The id of an owner whom an export marks and does not name: it tells nobody elsewhere."""
_PLACES_KEPT = 5
_FILES_NAMED = 5
_NAMES_LISTED = 20

Place = tuple[str, str]
"""A platform and a chat id."""


@dataclass(slots=True)
class SourceAccount:
    """What became of the records of one source.

    Attributes:
        name: Of the source.
        exporter: The format's name; empty if none was found.
        flavour: What exactly was recognised.
        remarks: Sentences about how it was read.
        messages: How many messages it gave.
        notices: How many notices it held, by reason.
        rejected: How many records could not be used, by reason.
        places: The first few of them, with where they stand.
        failed: The sentence why the source could not be read at all, None if it could.
        zone: In which zone its local times were read, None if it tells moments.
        owners: Who is me in its chats and why, as a sentence, and in how many of them.
        chats: Which chats its messages belong to.
    """

    name: str
    exporter: str = ""
    flavour: str = ""
    remarks: list[str] = field(default_factory=list)
    messages: int = 0
    notices: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    places: list[Rejected] = field(default_factory=list)
    failed: str | None = None
    zone: str | None = None
    owners: Counter[str] = field(default_factory=Counter)
    chats: set[Place] = field(default_factory=set)
    _read: int = 0

    @property
    def records(self) -> int:
        """How many records were read, counted as they came, each once."""
        return self._read

    @property
    def balanced(self) -> bool:
        """Whether each record read is a message, a notice or rejected."""
        return self._read == self.messages + self.notices.total() + self.rejected.total()

    def count(self, record: Record | Block) -> None:
        """Enter one record, or many."""
        self._read += 1
        match record:
            case Block():
                self._read += record.records - 1
                self.messages += record.messages
                if record.messages:
                    self.chats.add((record.platform, record.chat_id))
                self.notices.update(record.notices)
                for rejected in record.rejected:
                    self._reject(rejected)
            case Message():
                self.messages += 1
                self.chats.add((record.platform, record.chat_id))
            case Notice(reason=reason):
                self.notices[reason] += 1
            case Rejected():
                self._reject(record)

    def _reject(self, record: Rejected) -> None:
        self.rejected[record.reason] += 1
        if len(self.places) < _PLACES_KEPT:
            self.places.append(record)

    def give_way(self, doubles: int) -> None:
        """Enter how many of its messages came again, here or in a later source."""
        if doubles:
            self.messages -= doubles
            self.rejected[DOUBLE] += doubles

    def tell_apart(self, others: int) -> None:
        """Say how many of its messages have the number of another one in their chat."""
        if others:
            self.remarks.append(
                f"{others} of its messages have numbers that other messages of their chat have: "
                "they are from another account of yours, or from another chat of that name."
            )


@dataclass(slots=True)
class ChatAccount:
    """One chat, and who in it is me.

    Attributes:
        platform: Where it is.
        chat_id: Unique within the platform.
        chat: Its name.
        speakers: How many messages each speaker id sent.
        names: The speakers' names, by id.
        bots: The speaker ids of which a program wrote all.
        told: The speaker ids that the export itself marks as mine; None if it marks nothing.
        messages: How many messages were written.
        outgoing: How many of them are mine.
        owner: My names here; empty if I never spoke.
        evidence: How that was found, for people.
    """

    platform: str
    chat_id: str
    chat: str
    speakers: Counter[str] = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=dict)
    bots: set[str] = field(default_factory=set)
    told: set[str] | None = None
    messages: int = 0
    outgoing: int = 0
    owner: tuple[str, ...] = ()
    evidence: str = ""

    @property
    def place(self) -> Place:
        """The platform and the chat id."""
        return self.platform, self.chat_id

    @property
    def owner_told(self) -> str:
        """Who is me, and why, for people."""
        return f"{' or '.join(self.owner) or '–'} ({self.evidence})"

    def names_of(self, ids: Collection[str]) -> tuple[str, ...]:
        """Return the names of those of some speakers who spoke, whoever sent most at first."""
        spoke = sorted(self.names.keys() & ids, key=lambda id_: (-self.speakers[id_], id_))
        return tuple(dict.fromkeys(self.names[id_] for id_ in spoke))

    def count(self, message: Message) -> None:
        """Enter one message as it was read; the chat is called as it was called last."""
        self.chat = message.chat
        self.note_bot(message.speaker_id, message.kind == "automated")
        self.speakers[message.speaker_id] += 1
        self.names[message.speaker_id] = message.speaker
        self.mark(message)

    def mark(self, message: Message) -> None:
        """Enter what one message says itself of being mine."""
        if message.outgoing is not None:
            self.told = (self.told or set()) | ({message.speaker_id} if message.outgoing else set())

    def count_block(self, block: Block) -> None:
        """Enter many messages, of which none says itself whether it is mine."""
        self.chat = block.chat
        bots = block.bots
        for (id_, name), count in block.tally.items():
            self.note_bot(id_, id_ in bots)
            self.speakers[id_] += count
            self.names[id_] = name

    def note_bot(self, speaker_id: str, automated: bool) -> None:
        """Note, before it is counted, whether a program wrote what is of a speaker."""
        if not automated:
            self.bots.discard(speaker_id)
        elif speaker_id not in self.speakers:
            self.bots.add(speaker_id)

    def hand_over(self, senders: Mapping[Sender, int], other: "ChatAccount") -> None:
        """Enter messages of this chat as those of another one, to which they belong.

        Args:
            senders: How many messages each sent.
            other: The other one.
        """
        for (id_, name), count in senders.items():
            other.note_bot(id_, id_ in self.bots)
            self.speakers[id_] -= count
            if self.speakers[id_] <= 0:
                del self.speakers[id_], self.names[id_]
                self.bots.discard(id_)
            other.speakers[id_] += count
            other.names.setdefault(id_, name)
        if self.told is not None:
            other.told = (other.told or set()) | self.told


def names_in(chats: Iterable[ChatAccount]) -> str:
    """List who speaks in chats in one line, most frequent first, equals by name."""
    counts: Counter[str] = Counter()
    for chat in chats:
        for id_, count in chat.speakers.items():
            counts[chat.names[id_]] += count
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:_NAMES_LISTED]
    listed = ", ".join(f"{' '.join(name.split())} ({count})" for name, count in ranked)
    more = len(counts) - _NAMES_LISTED
    return f"{listed} and {more} more" if more > 0 else listed


def enter_moves(
    moved: Mapping[tuple[Place, Place], Mapping[Sender, int]],
    chats: Mapping[Place, ChatAccount],
    sources: Iterable[SourceAccount],
) -> None:
    """Enter which messages belong in another chat than the one in which they came.

    Args:
        moved: How many messages of each sender, by the one chat and the other.
        chats: All chats.
        sources: All sources.
    """
    for (old, new), senders in moved.items():
        chats[old].hand_over(senders, chats[new])
        for source in sources:
            if old in source.chats:
                source.chats.add(new)


@dataclass(slots=True)
class Account:
    """What a whole export did.

    Attributes:
        sources: In the order in which they were read.
        chats: In the order of the file that was written.
        left_out: How many messages were not wanted, by what left them out.
        left_alone: The names of files that could hold a chat, and are none that Likeness reads.
    """

    sources: list[SourceAccount] = field(default_factory=list)
    chats: list[ChatAccount] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    left_alone: list[str] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Whether each record became something, and each message was written or left out."""
        read = sum(source.messages for source in self.sources)
        whole = all(source.balanced for source in self.sources)
        return whole and read == self.messages + self.left_out.total()

    @property
    def messages(self) -> int:
        """How many messages the export wrote."""
        return sum(chat.messages for chat in self.chats)

    @property
    def left_alone_told(self) -> str:
        """The names of the first few files that were left alone, and how many more, for people."""
        more = len(self.left_alone) - _FILES_NAMED
        first = ", ".join(self.left_alone[:_FILES_NAMED])
        return f"{first} and {more:,} more" if more > 0 else first

    @property
    def outgoing(self) -> int:
        """How many of them are mine."""
        return sum(chat.outgoing for chat in self.chats)
