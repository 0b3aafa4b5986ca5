"""What waits for an answer and what may have one, as statements for the database."""

from collections.abc import Collection

from sqlalchemy import (
    ColumnElement,
    Exists,
    Select,
    Update,
    exists,
    func,
    select,
    union_all,
    update,
)

from bot.store.rows import in_sight
from bot.store.tables import ChatRow, DraftRow, MessageRow


def message_of(key: int, message_id: str) -> Select[int]:
    """Return a message of a chat."""
    return select(MessageRow.id).where(
        MessageRow.chat_id == key, MessageRow.message_id == message_id
    )


def is_forgotten(key: int, message_ids: Collection[str]) -> Exists:
    """Return what is true if one of some messages of a chat is no more to be seen."""
    regarded = MessageRow.chat_id == key, MessageRow.message_id.in_(message_ids)
    return select(MessageRow.id).join(ChatRow).where(*regarded, ~in_sight()).exists()


def asking_no_more(*which: ColumnElement[bool]) -> Update:
    """Return what lets no message wait for an answer any more of which all this is true."""
    return (
        update(MessageRow)
        .where(MessageRow.asks, *which)
        .values(asks=False)
        .execution_options(synchronize_session=False)
    )


def answers_one(*which: ColumnElement[bool]) -> Exists:
    """Return what is true of a draft that answers a message of which all this is true."""
    answered = MessageRow.chat_id == DraftRow.chat_id, MessageRow.message_id == DraftRow.answers
    return exists().where(*answered, *which)


def waiting(platform: str) -> Select[ChatRow, str]:
    """Return the chats that wait, with the newest message for which they do, the longest first."""
    waits = union_all(
        select(MessageRow.chat_id, MessageRow.message_id, MessageRow.kept_at).where(
            MessageRow.asks
        ),
        select(DraftRow.chat_id, DraftRow.answers, DraftRow.kept_at),
    ).subquery()
    ranked = select(
        waits.c.chat_id,
        waits.c.message_id,
        func.min(waits.c.kept_at).over(partition_by=waits.c.chat_id).label("longest"),
        func.row_number()
        .over(partition_by=waits.c.chat_id, order_by=waits.c.kept_at.desc())
        .label("rank"),
    ).subquery()
    return (
        select(ChatRow, ranked.c.message_id)
        .join(ranked, ranked.c.chat_id == ChatRow.id)
        .where(ChatRow.platform == platform, ranked.c.rank == 1)
        .order_by(ranked.c.longest)
    )
