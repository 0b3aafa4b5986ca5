"""What the bot has heard and said, in a database."""

from bot.conversation import ChatId
from likeness.messages import Message


class Store:
    """The histories of all chats; a `bot.conversation.History`."""

    @classmethod
    async def open(cls, url: str) -> "Store":
        """Open a database, made and migrated to the newest revision where it must be.

        Args:
            url: Any async URL of SQLAlchemy; a SQLite file is readable by its owner alone.

        Raises:
            DatabaseTooNew: A newer Likeness migrated it; it was left as it is.
            DatabaseError: It is not a database, or cannot be opened or written.
        """
        return cls()

    async def add(self, chat: ChatId, message: Message) -> bool:
        """Keep a message; return False if the chat had one with this id already.

        Raises:
            DatabaseError: It cannot be written.
        """
        return True

    async def recent(self, chat: ChatId, limit: int) -> list[Message]:
        """Return the newest messages since the last `forget`, oldest first.

        Raises:
            DatabaseError: It cannot be read.
        """
        return []

    async def forget(self, chat: ChatId) -> None:
        """Leave all that was said so far out of `recent`, though a known id stays known.

        Raises:
            DatabaseError: It cannot be written.
        """

    async def close(self) -> None:
        """Let go of the database."""
