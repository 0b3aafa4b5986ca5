"""The tables; `alembic/versions` makes the same, step by step."""

from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from bot.access import Standing
from bot.pace import Chattiness, Pace
from likeness.messages import Kind
from likeness.texts import whole

Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts rows by itself only in an INTEGER."""


class Moment(TypeDecorator[datetime]):
    """An aware time, kept in UTC also by a database that knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 (the base class has it)
    ) -> datetime | None:
        """Turn any aware time to UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 (the base class has it)
    ) -> datetime | None:
        """Put back the zone that the database dropped."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Words(TypeDecorator[str]):
    """A text from outside, without the characters that not every database takes.

    PostgreSQL takes no NUL, and no driver half of a surrogate pair, as JSON may hold it.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 (the base class has it)
    ) -> str | None:
        """Put the sign for what cannot be shown in their place."""
        return None if value is None else whole(value).replace("\0", "\N{REPLACEMENT CHARACTER}")


class Table(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: Moment,
        str: Words,
        Kind: Text,
        Pace: Text,
        Chattiness: Text,
        Standing: Text,
    }


class ChatRow(Table):
    """A chat, a thread or a topic.

    Attributes:
        title: Its name as last seen.
        forgotten_through: The newest message that `/reset` put out of sight, 0 for none.
        worker: Which of several processes answers it; None for none.
        claimed_until: Until when it is that worker's alone.
        temperature: How wild the answers there are, None for as usual; so are the next two.
        pace: How fast the bot seems to type.
        chattiness: How often it chimes in.
        attempts: How often another answer was asked for.
    """

    __tablename__ = "chats"
    __table_args__ = (UniqueConstraint("platform", "chat", "thread"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    platform: Mapped[str]
    chat: Mapped[str]
    thread: Mapped[str]
    title: Mapped[str]
    forgotten_through: Mapped[int] = mapped_column(Id, default=0, server_default="0")
    worker: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    temperature: Mapped[float | None] = mapped_column(Float)
    pace: Mapped[Pace | None]
    chattiness: Mapped[Chattiness | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")


class MessageRow(Table):
    """A message that was heard or said; `id` counts up in the order in which they were kept.

    Attributes:
        message_id: The platform's own id.
        reply_to: The same of what it replies to; of mine, of what it answers.
        kept_at: When it was kept.
        asks: Whether it waits for an answer.
        hidden: Whether it is out of sight.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("chat_id", "message_id"),
        Index(None, "chat_id", "id"),
        Index(None, "speaker_id"),
        Index(
            "ix_messages_asks",
            "chat_id",
            "id",
            sqlite_where=text("asks = 1"),
            postgresql_where=text("asks"),
        ),
        # An id is never given twice, not even after the newest message was deleted.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(Id, ForeignKey("chats.id", ondelete="CASCADE"))
    message_id: Mapped[str]
    speaker_id: Mapped[str]
    speaker: Mapped[str]
    outgoing: Mapped[bool]
    sent_at: Mapped[datetime]
    text: Mapped[str]
    reply_to: Mapped[str | None]
    kind: Mapped[Kind]
    kept_at: Mapped[datetime]
    asks: Mapped[bool] = mapped_column(default=False, server_default=false())
    hidden: Mapped[bool] = mapped_column(default=False, server_default=false())


class DraftRow(Table):
    """A message that is to be sent; `id` counts up in the order in which to send.

    Attributes:
        answers: The platform's id of the message that it answers.
        nonce: Goes with every try.
        kept_at: When it was planned.
    """

    __tablename__ = "drafts"
    __table_args__ = (Index(None, "chat_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(Id, ForeignKey("chats.id", ondelete="CASCADE"))
    answers: Mapped[str]
    text: Mapped[str]
    kind: Mapped[Kind]
    nonce: Mapped[str]
    kept_at: Mapped[datetime]


class GuestRow(Table):
    """A person or place on the owner's list; `id` counts up in the order of their last change.

    Attributes:
        guest: The platform's own id.
        name: What the owner knows it by.
        since: When it got its standing.
    """

    __tablename__ = "guests"
    __table_args__ = (
        UniqueConstraint("platform", "guest"),
        Index(None, "standing", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    platform: Mapped[str]
    guest: Mapped[str]
    name: Mapped[str]
    standing: Mapped[Standing]
    since: Mapped[datetime]


class SwitchRow(Table):
    """Something that the owner switched on, for all processes.

    Attributes:
        name: What: `stopped`.
    """

    __tablename__ = "switches"

    name: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
