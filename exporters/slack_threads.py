"""Threads of Slack, each a chat of its own, also of what opened one only after an export."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from exporters.account import Place
from exporters.moves import Move, Piles
from likeness.messages import Message


def thread_of(chat_id: str, chat: str, opening: str) -> tuple[str, str]:
    """Return the id and the name of the thread that a message of a chat opened."""
    return f"{chat_id}:{opening}", f"{chat} / thread"


def opened_threads(piles: Piles) -> Iterator[Move]:
    """Yield each chat that still holds what opened some of its threads, with those threads."""
    threads = defaultdict[Place, dict[str, Place]](dict)
    for platform, chat_id in piles:
        channel, _, opening = chat_id.rpartition(":")
        if platform == "slack" and channel:
            threads[platform, channel][opening] = platform, chat_id
    for chat, opened in threads.items():
        if chat in piles:
            messages = (message for _, message in piles[chat].messages())
            found = {message.id: opened[message.id] for message in messages if message.id in opened}
            if found:
                yield Move([chat, *found.values()], _Opened(chat[1], frozenset(found)).put)


@dataclass(frozen=True, slots=True)
class _Opened:
    """Where what opened a thread stands."""

    chat_id: str
    openings: frozenset[str]

    def put(self, message: Message) -> Message:
        if message.chat_id != self.chat_id or message.id not in self.openings:
            return message
        chat_id, chat = thread_of(self.chat_id, message.chat, message.id)
        return replace(message, chat_id=chat_id, chat=chat)
