"""What a history of chats promises: nothing heard is lost, and nothing is said that is not kept."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.access import Guestbook
from bot.pace import Customs
from likeness.messages import Kind, Message

MY_ID = "me"
"""The `speaker_id` of what the bot has said."""
ONE_OF_SEVERAL = "one of several"
"""The `speaker_id` of who was erased where others had written, too: whoever is left there was not
alone, and what was answered there is not all to them."""


@dataclass(frozen=True, slots=True)
class ChatId:
    """A place with a history of its own.

    Attributes:
        platform: `telegram`, `discord`, …
        chat: The chat, unique within the platform.
        thread: The thread or topic in it, empty for none.
    """

    platform: str
    chat: str
    thread: str = ""

    def __str__(self) -> str:
        """Name it for the log, by ids alone."""
        return " ".join(filter(None, (self.platform, self.chat, self.thread)))


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is to be sent.

    Attributes:
        id: The draft's own; drafts are sent in its order.
        text: What to send.
        nonce: Goes with every try, so that a platform which knows nonces keeps only one.
        answers: The id of the message that it answers.
    """

    id: int
    text: str
    nonce: str
    answers: str


@dataclass(frozen=True, slots=True)
class Place:
    """A message, by where it is.

    Attributes:
        chat: Where it was sent.
        message_id: The platform's own id.
    """

    chat: ChatId
    message_id: str


@dataclass(frozen=True, slots=True)
class Question:
    """The newest message of a chat that waits for an answer.

    Attributes:
        message_id: The platform's own id.
        speaker_id: Who sent it.
    """

    message_id: str
    speaker_id: str


def speakers_of(id_: str) -> tuple[str, ...]:
    """Return under which `speaker_id`s one of the owner's list may have written."""
    return id_, f"user{id_}", f"chat{id_}"


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a history holds.

    Attributes:
        chats: Places.
        messages: Messages that were ever kept.
        owed: Messages that wait for an answer.
        stopped: Whether the owner has stopped the bot.
    """

    chats: int
    messages: int
    owed: int
    stopped: bool


class History(Guestbook, Protocol):
    """What was said in each chat, and what is still to be; `bot.store.Store` is a database.

    Each method happens whole or not at all, and lasts once it has returned.
    """

    shared: bool
    """Whether several processes may work on it, so that others may hear what this one answers."""

    def claimed(self, chat: ChatId) -> AbstractAsyncContextManager[bool]:
        """Yield whether this process alone answers a chat until left."""

    async def lead(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do what only one process may do at a time; the others wait for their turn to do it."""

    async def add(self, chat: ChatId, message: Message, *, asks: bool = False) -> bool:
        """Keep a message, and whether it asks for an answer; False if its id is known already."""

    async def edit(self, chat: ChatId, message_id: str, text: str, speaker_id: str) -> None:
        """Put another text into what somebody said; what is unknown or deleted is left alone.

        Args:
            chat: Where.
            message_id: The platform's own id.
            text: What it says now.
            speaker_id: Who must have said it.
        """

    async def delete(
        self, platform: str, place: str, message_ids: Collection[str] | None = None
    ) -> None:
        """Delete messages as `erase` does, and what is still to be sent in answer to them.

        Args:
            platform: Where ids of chats and threads are told apart.
            place: The id of a thread, or of a chat, which stands for its threads, too.
            message_ids: Which; by default all, and what is kept of the place itself.
        """

    async def recent(self, chat: ChatId, limit: int) -> list[Message]:
        """Return the newest messages, at most `limit`, in the order in which they were added."""

    async def mark(self, chat: ChatId) -> int:
        """Return a mark behind what was kept in a chat by now, for `forget`."""

    async def forget(self, chat: ChatId, *, through: int | None = None) -> None:
        """Leave all that was said so far out of `recent`, unanswered, though ids stay known.

        Args:
            chat: Where.
            through: What `mark` returned; what was heard since is kept in sight. By default now.
        """

    async def hide_last(self, chat: ChatId, *, question: bool) -> bool:
        """Leave my newest answer out of `recent`, and what it answers, too, or ask that anew.

        What of that answer is still to be sent is dropped.

        Args:
            chat: Where.
            question: Whether to hide what was asked; otherwise it asks for an answer again.

        Returns:
            False if there was nothing to do, or nothing may ask as the bot is stopped.
        """

    async def move(self, chat: ChatId, to: ChatId) -> None:
        """Give a chat another id, with all that is known of it; message ids there begin anew."""

    async def question(self, chat: ChatId) -> Question | None:
        """Return what waits for an answer; None if nothing does, or the bot is stopped."""

    async def plan(
        self,
        chat: ChatId,
        through: str,
        texts: Sequence[str],
        kind: Kind,
        answers: str | None = None,
    ) -> list[Draft]:
        """Keep what is to be sent; from now on nothing up to the message `through` waits.

        Nothing is planned, and nothing ceases to wait, where the newest message or the one that is
        answered was put out of sight or deleted meanwhile. Where the owner shut out meanwhile who
        is answered, nothing is planned, and only those who are shut out cease to wait.

        Args:
            chat: Where.
            through: The newest message that the answer has regard to.
            texts: What to send.
            kind: What it is.
            answers: The message that it replies to; `through` if None.
        """

    async def drafts(self, chat: ChatId) -> list[Draft]:
        """Return what is still to be sent, in order."""

    async def stands(self, draft: Draft) -> bool:
        """Return whether a draft is still to be sent, and nobody has taken it back."""

    async def sent(self, draft: Draft, message_id: str, speaker: str, at: datetime) -> None:
        """Turn a draft into a message of mine."""

    async def withdraw(self, chat: ChatId) -> None:
        """Drop what is still to be sent."""

    async def owed(
        self, platform: str, since: datetime, limit: int, busy: Collection[ChatId] = ()
    ) -> list[Place]:
        """Return what waits for an answer or for the rest of one: a message a chat.

        Args:
            platform: On which.
            since: What was said or planned before waits no longer.
            limit: How many at the most, those that wait longest first.
            busy: Chats to leave out, as somebody sees to them.
        """

    async def asking(self, chats: Collection[ChatId]) -> list[Place]:
        """Return the newest message that asks in each of some chats, where one does."""

    async def newest(self, platform: str, limit: int) -> list[Place]:
        """Return the newest message of others in each chat, the liveliest chats first."""

    async def release(self, chat: ChatId | None = None) -> None:
        """Owe nothing any more, in a chat or at all."""

    async def drop(self, platform: str, id_: str) -> None:
        """Owe nothing any more to one whom the owner's list names by an id, or in such a place."""

    async def stop(self) -> None:
        """Answer nothing anywhere, in any process, until `go`; what was owed is not any more."""

    async def go(self) -> None:
        """Answer again what is said from now on."""

    async def counts(self) -> Counts:
        """Return how much there is."""

    async def customs(self, chat: ChatId) -> Customs:
        """Return what a chat has set for itself."""

    async def set_customs(self, chat: ChatId, customs: Customs) -> None:
        """Keep what a chat has set for itself; `attempts` is left as it is."""

    async def of_person(self, platform: str, speaker_id: str) -> list[Message]:
        """Return what somebody wrote, and what was answered where nobody else wrote, in order."""

    async def alone_with(self, platform: str, speaker_id: str) -> list[ChatId]:
        """Return the chats in which nobody but somebody has written, and the bot."""

    async def erase(self, platform: str, speaker_id: str) -> int:
        """Delete what `of_person` returns, for good, and return how many messages that were.

        Only ids and times of messages stay, so that none that comes again is taken for a new one.
        What is still to be sent in answer to them is dropped, wherever that is.
        """
