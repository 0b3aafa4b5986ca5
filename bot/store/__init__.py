"""What the bot has heard and said, in a database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from bot.conversation import ChatId
from bot.store.databases import connect, place, reason
from bot.store.tables import ChatRow, MessageRow
from likeness.errors import DatabaseError
from likeness.messages import Message


class Store:
    """The histories of all chats; a `bot.conversation.History`."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Take a database that is at the newest revision."""
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @classmethod
    async def open(cls, url: str) -> "Store":
        """Open a database, made and migrated to the newest revision where it must be.

        Args:
            url: Any async URL of SQLAlchemy; a SQLite file is readable by its owner alone.

        Raises:
            DatabaseTooNew: A newer Likeness migrated it; it was left as it is.
            DatabaseError: It is not a database, or cannot be opened or written.
        """
        return cls(await connect(url))

    async def add(self, chat: ChatId, message: Message) -> bool:
        """Keep a message; return False if the chat had one with this id already.

        Raises:
            DatabaseError: It cannot be written.
        """
        async with self._transaction() as session:
            row = await _chat_row(session, chat, message.chat)
            try:
                async with session.begin_nested():
                    session.add(_message_row(row, message))
            except IntegrityError:
                return False
        return True

    async def recent(self, chat: ChatId, limit: int) -> list[Message]:
        """Return the newest messages since the last `forget`, oldest first.

        Raises:
            DatabaseError: It cannot be read.
        """
        newest = (
            select(MessageRow, ChatRow.title)
            .join(ChatRow)
            .where(*_is(chat), MessageRow.id > ChatRow.forgotten_through)
            .order_by(MessageRow.id.desc())
            .limit(limit)
        )
        async with self._transaction() as session:
            found = (await session.execute(newest)).all()
        return [_message(chat, title, row) for row, title in reversed(found)]

    async def forget(self, chat: ChatId) -> None:
        """Leave all that was said so far out of `recent`, though a known id stays known.

        The messages stay in the database: a platform may send an old one again, and it must not
        be answered twice.

        Raises:
            DatabaseError: It cannot be written.
        """
        newest = select(func.max(MessageRow.id)).where(MessageRow.chat_id == ChatRow.id)
        async with self._transaction() as session:
            await session.execute(
                update(ChatRow)
                .where(*_is(chat))
                .values(forgotten_through=func.coalesce(newest.scalar_subquery(), 0))
                .execution_options(synchronize_session=False)
            )

    async def close(self) -> None:
        """Let go of the database."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSession]:
        try:
            async with self._sessions.begin() as session:
                yield session
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseError(
                f"The database {place(self._engine.url)} cannot be used: {reason(error)}."
            ) from error


def _is(chat: ChatId) -> tuple[ColumnElement[bool], ...]:
    return (
        ChatRow.platform == chat.platform,
        ChatRow.chat == chat.chat,
        ChatRow.thread == chat.thread,
    )


async def _chat_row(session: AsyncSession, chat: ChatId, title: str) -> ChatRow:
    """Return a chat's row, made where it is new, with its newest title."""
    known = select(ChatRow).where(*_is(chat))
    row = await session.scalar(known)
    if row is None:
        row = ChatRow(platform=chat.platform, chat=chat.chat, thread=chat.thread, title=title)
        try:
            async with session.begin_nested():
                session.add(row)
        except IntegrityError:  # another process was faster
            row = (await session.scalars(known)).one()
    row.title = title
    return row


def _message_row(row: ChatRow, message: Message) -> MessageRow:
    return MessageRow(
        chat_id=row.id,
        message_id=message.id,
        speaker_id=message.speaker_id,
        speaker=message.speaker,
        outgoing=bool(message.outgoing),
        sent_at=message.sent_at,
        text=message.text,
        reply_to=message.reply_to,
        kind=message.kind,
        kept_at=datetime.now(UTC),
    )


def _message(chat: ChatId, title: str, row: MessageRow) -> Message:
    return Message(
        platform=chat.platform,
        chat_id=chat.chat,
        chat=title,
        id=row.message_id,
        speaker_id=row.speaker_id,
        speaker=row.speaker,
        outgoing=row.outgoing,
        sent_at=row.sent_at,
        text=row.text,
        reply_to=row.reply_to,
        kind=row.kind,
    )
