"""Messages as rows, and rows as messages."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, ScalarSelect, and_, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.history import ChatId
from bot.store.tables import ChatRow, MessageRow
from likeness.messages import Message


def is_chat(chat: ChatId) -> tuple[ColumnElement[bool], ...]:
    """Return what is true of a chat's row."""
    return (
        ChatRow.platform == chat.platform,
        ChatRow.chat == chat.chat,
        ChatRow.thread == chat.thread,
    )


def is_one_of(chats: Collection[ChatId]) -> ColumnElement[bool]:
    """Return what is true of the rows of some chats."""
    keys = [(chat.platform, chat.chat, chat.thread) for chat in chats]
    return and_(
        ChatRow.platform.in_({chat.platform for chat in chats}),  # SQLite finds no triple by index
        ChatRow.chat.in_({chat.chat for chat in chats}),
        tuple_(ChatRow.platform, ChatRow.chat, ChatRow.thread).in_(keys),
    )


def in_sight() -> ColumnElement[bool]:
    """Return what is true of a message that the model may see, beside its chat's row."""
    return and_(MessageRow.id > ChatRow.forgotten_through, ~MessageRow.hidden)


def chat_key(chat: ChatId) -> ScalarSelect[int]:
    """Return the key of a chat's row, to be used in a statement; nothing if there is none."""
    return select(ChatRow.id).where(*is_chat(chat)).scalar_subquery()


async def chat_row(session: AsyncSession, chat: ChatId, title: str) -> ChatRow:
    """Return a chat's row, made where it is new, with its newest title if that is told."""
    known = select(ChatRow).where(*is_chat(chat))
    row = await session.scalar(known)
    if row is None:
        row = ChatRow(platform=chat.platform, chat=chat.chat, thread=chat.thread, title=title)
        try:
            async with session.begin_nested():
                session.add(row)
        except IntegrityError:  # another process was faster
            row = (await session.scalars(known)).one()
    row.title = title or row.title
    return row


def message_row(row: ChatRow, message: Message, *, asks: bool) -> MessageRow:
    """Return a message of a chat as it is kept."""
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
        asks=asks,
    )


def to_message(chat: ChatId, title: str, row: MessageRow) -> Message:
    """Return a row as the message that it was."""
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
