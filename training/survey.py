"""A first pass over messages.jsonl: whose messages teach, and which are kept for evaluation."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path

from likeness.errors import MessagesError, NothingToLearn, OwnerUnknown
from likeness.files import read_messages
from likeness.masking import mask
from likeness.messages import Message
from training.config import TrainConfig
from training.gaps import Silences, find_gap, median_gap, step_of

ChatKey = tuple[str, str]

_LEAST_TO_SPLIT = 8
_NAMES_SHOWN = 12


@dataclass(slots=True)
class Survey:
    """What a file holds for whoever is played.

    Attributes:
        speaker: The name or id of the speaker to play, None for the file's owner.
        masking: Whether what a stranger could use is hidden in messages: `likeness.masking`.
        masked: In how many of them, everybody's, something was.
        messages: How many messages there are.
        targets: Per chat, how many messages of mine teach.
        left_out: How many of mine do not teach, by reason.
        names: My names with how often each was used.
        silences: Per chat, how long nobody said anything.
        newest: Per chat, when the newest of the targets was sent.
    """

    speaker: str | None = None
    masking: bool = False
    masked: int = 0
    messages: int = 0
    targets: Counter[ChatKey] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    silences: dict[ChatKey, Silences] = field(default_factory=dict)
    newest: dict[ChatKey, datetime] = field(default_factory=dict)

    @property
    def me(self) -> str:
        """My most used name."""
        return self.names.most_common(1)[0][0]

    def held_out_share(self, config: TrainConfig) -> float:
        """Return the share of targets that is kept for evaluation: no more than judging needs."""
        return min(config.held_out_share, config.held_out_most / self.targets.total())

    def held_out(self, config: TrainConfig) -> Counter[ChatKey]:
        """Return how many of each chat's targets are kept for evaluation: its newest.

        Chats with too few for a share of their own keep one together, as if they were one: the
        newest of each in which I spoke last, as many as that makes.
        """
        share = self.held_out_share(config)
        kept = Counter({chat: _part_of(count, share) for chat, count in self.targets.items()})
        small = [chat for chat in self.newest if not kept[chat]]
        small.sort(key=lambda chat: self.newest[chat], reverse=True)
        together = _part_of(sum(self.targets[chat] for chat in small), share)
        kept.update(small[:together])
        return kept

    def gap_seconds(self, chat: ChatKey, config: TrainConfig) -> float:
        """Return the silence that ends a conversation of a chat: as set, or as found."""
        return config.gap_seconds or find_gap(self.silences[chat])

    def usual_gap_seconds(self, config: TrainConfig) -> float:
        """Return the gap of the chat in which the middle one of my targets lies."""
        gaps: Counter[float] = Counter()
        for chat, count in self.targets.items():
            gaps[self.gap_seconds(chat, config)] += count
        return median_gap(gaps)


@dataclass(frozen=True, slots=True)
class Balance:
    """Where my messages went: `mine == train + held_out + sum(left_out.values())`.

    Attributes:
        messages: All in the file, everybody's.
        mine: Those of the person that the model plays.
        train: Those that teach, each exactly once an epoch.
        held_out: Those that are only evaluated on.
        left_out: The others, by reason.
        shortened: How many targets were longer than a window and lost their end.
        masked: In how many messages, everybody's, what a stranger could use is hidden.
    """

    messages: int
    mine: int
    train: int
    held_out: int
    left_out: dict[str, int]
    shortened: int = 0
    masked: int = 0


def survey(path: Path, speaker: str | None = None, *, masking: bool = False) -> Survey:
    """Count what a file holds, in one pass and constant memory.

    Args:
        path: A `messages.jsonl`.
        speaker: The name or id of the speaker to play instead of the file's owner, in capitals or
            not.
        masking: Whether what a stranger could use is to be hidden in what is read of it.

    Raises:
        OwnerUnknown: `outgoing` is null somewhere, or nobody is called `speaker`.
        NothingToLearn: No message of mine teaches.
        MessagesError: The file cannot be read, or a chat's lines do not stand together.
    """
    found = Survey(speaker, masking)
    everybody: Counter[str] = Counter()
    for chat, messages in chats(path, speaker):
        if chat in found.targets:
            raise MessagesError(
                f"{path}: the lines of chat {chat[1]} of {chat[0]} do not stand together: "
                "write the file with `likeness export`."
            )
        found.targets[chat] = 0
        silences = found.silences[chat] = Counter()
        last: Message | None = None
        for message in messages:
            everybody[message.speaker] += 1
            _count(found, chat, message)
            if last and (step := _silence(last, message)) is not None:
                silences[step] += 1
            last = message
    if not found.names:
        raise _nobody(path, speaker, everybody)
    if not found.targets.total():
        raise NothingToLearn(
            f"{path}: none of the {found.names.total()} messages of {found.me} has words that "
            "could teach: forwarded, automated and deleted ones and bare pictures do not."
        )
    return found


def is_target(message: Message) -> bool:
    """Tell whether a message's words teach: mine, sent by myself, with words."""
    return bool(message.outgoing) and message.teaches


def chats(
    path: Path, speaker: str | None, *, masking: bool = False
) -> Iterator[tuple[ChatKey, Iterator[Message]]]:
    """Yield each chat of a file with its messages, marked as mine as it is played.

    Args:
        path: A `messages.jsonl`.
        speaker: The speaker to play, None for the file's owner.
        masking: Whether to hide in them what a stranger could use.

    Raises:
        OwnerUnknown: `outgoing` is null somewhere.
        MessagesError: The file cannot be read.
    """
    wanted = None if speaker is None else speaker.casefold()
    messages: Iterator[Message]
    messages = (_as_played(path, message, wanted) for message in read_messages(path))
    if masking:
        messages = map(mask, messages)
    return groupby(messages, key=lambda message: (message.platform, message.chat_id))


def _as_played(path: Path, message: Message, wanted: str | None) -> Message:
    if wanted is not None:
        called = message.speaker.casefold(), message.speaker_id.casefold()
        return replace(message, outgoing=wanted in called)
    if message.outgoing is None:
        raise OwnerUnknown(
            f"{path}: in a chat of {message.platform} nobody knows which speaker is you: export "
            "it again with `likeness export … --me NAME`, or train with `--as NAME`."
        )
    return message


def _count(found: Survey, chat: ChatKey, message: Message) -> None:
    found.messages += 1
    if found.masking and mask(message) is not message:
        found.masked += 1
    if not message.outgoing:
        return
    found.names[message.speaker] += 1
    if message.teaches:
        found.targets[chat] += 1
        found.newest[chat] = message.sent_at
    else:
        known = ("forwarded", "automated", "deleted")
        found.left_out[message.kind if message.kind in known else "no words"] += 1


def _part_of(count: int, share: float) -> int:
    """Return how many of so many are kept for evaluation."""
    least = 1 if share and count >= _LEAST_TO_SPLIT else 0
    return max(least, round(count * share))


def _silence(last: Message, message: Message) -> int | None:
    return step_of((message.sent_at - last.sent_at).total_seconds())


def _nobody(path: Path, speaker: str | None, everybody: Counter[str]) -> Exception:
    named = [name for name, _ in everybody.most_common(_NAMES_SHOWN)]
    more = f" and {len(everybody) - len(named)} more" if len(everybody) > len(named) else ""
    who = f"{', '.join(named)}{more}"
    if speaker is None:
        return NothingToLearn(
            f"{path}: no message is yours; to play somebody else, train with `--as`: {who}."
        )
    return OwnerUnknown(f"{path}: nobody is called {speaker!r}; these speak: {who}.")
