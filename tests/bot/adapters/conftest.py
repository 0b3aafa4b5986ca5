"""What the tests of every adapter share: a history in memory, and no patience."""

from collections import defaultdict

import pytest

from bot.adapters.delivery import Patience
from bot.conversation import ChatId
from likeness.messages import Message


class FakeHistory:
    """Keeps messages in memory; a `bot.conversation.History`."""

    def __init__(self) -> None:
        self.chats: defaultdict[ChatId, list[Message]] = defaultdict(list)
        self.forgotten: defaultdict[ChatId, int] = defaultdict(int)
        self.faults: list[Exception] = []

    async def add(self, chat: ChatId, message: Message) -> bool:
        if self.faults:
            raise self.faults.pop(0)
        if any(message.id == known.id for known in self.chats[chat]):
            return False
        self.chats[chat].append(message)
        return True

    async def recent(self, chat: ChatId, limit: int) -> list[Message]:
        return self.chats[chat][self.forgotten[chat] :][-limit:]

    async def forget(self, chat: ChatId) -> None:
        self.forgotten[chat] = len(self.chats[chat])

    def texts(self, platform: str, chat: object, thread: object = "") -> list[str]:
        return [message.text for message in self.chats[ChatId(platform, str(chat), str(thread))]]


@pytest.fixture
def history() -> FakeHistory:
    return FakeHistory()


@pytest.fixture
def hasty() -> Patience:
    return Patience(
        first_wait_seconds=0.01,
        longest_wait_seconds=0.05,
        sends=4,
        send_seconds=2,
        conflicts=3,
        poll_seconds=10,
        grace_seconds=2,
    )
