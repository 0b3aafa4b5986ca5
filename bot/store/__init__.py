"""What the bot has heard and said, and what it owes, in a database."""

from sqlalchemy import Delete, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.history import ChatId
from bot.store.customs import ChatCustoms, is_stopped
from bot.store.databases import connect
from bot.store.guests import Guests
from bot.store.outbox import Outbox
from bot.store.owing import asking_no_more
from bot.store.privacy import Privacy
from bot.store.rows import chat_key, chat_row, in_sight, is_chat, message_row, to_message
from bot.store.tables import ChatRow, DraftRow, MessageRow
from likeness.messages import Message


class Store(Outbox, Guests, ChatCustoms, Privacy):
    """The histories of all chats; a `bot.history.History`.

    Every method raises `DatabaseError` if the database cannot be used.
    """

    @classmethod
    async def open(cls, url: str) -> "Store":
        """Open a database, made and migrated to the newest revision where it must be.

        Args:
            url: Any async URL of SQLAlchemy; a SQLite file is readable by its owner alone.

        Raises:
            DatabaseTooNew: A newer Likeness migrated it; it was left as it is.
            BadSettings: It is not a database of ours, or there is none of that name.
            DatabaseError: It cannot be opened or written.
        """
        return cls(await connect(url))

    async def add(self, chat: ChatId, message: Message, *, asks: bool = False) -> bool:
        """Keep a message; return False if the chat had one with this id already."""
        async with self._transaction() as session:
            row = await chat_row(session, chat, message.chat)
            asks = asks and not await session.scalar(select(is_stopped()))
            try:
                async with session.begin_nested():
                    session.add(message_row(row, message, asks=asks))
            except IntegrityError:
                return False
        return True

    async def edit(self, chat: ChatId, message_id: str, text: str, speaker_id: str) -> None:
        """Put another text into what somebody said; what is unknown or deleted is left alone."""
        async with self._transaction() as session:
            await session.execute(
                update(MessageRow)
                .where(
                    MessageRow.chat_id == chat_key(chat),
                    MessageRow.message_id == message_id,
                    MessageRow.outgoing.is_(False),
                    MessageRow.kind != "deleted",
                    MessageRow.speaker_id == speaker_id,
                )
                .values(text=text)
                .execution_options(synchronize_session=False)
            )

    async def recent(self, chat: ChatId, limit: int) -> list[Message]:
        """Return the newest messages that are in sight, oldest first."""
        newest = (
            select(MessageRow, ChatRow.title)
            .join(ChatRow)
            .where(*is_chat(chat), in_sight())
            .order_by(MessageRow.id.desc())
            .limit(limit)
        )
        async with self._transaction() as session:
            found = (await session.execute(newest)).all()
        return [to_message(chat, title, row) for row, title in reversed(found)]

    async def mark(self, chat: ChatId) -> int:
        """Return a mark behind what was kept in a chat by now, for `forget`."""
        newest = select(func.max(MessageRow.id)).where(MessageRow.chat_id == chat_key(chat))
        async with self._transaction() as session:
            return await session.scalar(newest) or 0

    async def forget(self, chat: ChatId, *, through: int | None = None) -> None:
        """Leave all that was said so far out of `recent`, unanswered, though ids stay known.

        The messages stay in the database: a platform may send an old one again, and it must not
        be answered twice.

        Args:
            chat: Where.
            through: What `mark` returned; what was heard since is kept in sight. By default now.
        """
        if through is None:
            through = await self.mark(chat)
        # What I said behind the mark ends what was said before it, up to what was heard next.
        next_heard = func.min(MessageRow.id).filter(MessageRow.outgoing.is_(False))
        last = select(func.coalesce(next_heard - 1, func.max(MessageRow.id), through)).where(
            MessageRow.chat_id == chat_key(chat), MessageRow.id > through
        )
        async with self._transaction() as session:
            last_id = await session.scalar(last)
            await session.execute(
                update(ChatRow)
                .where(*is_chat(chat), ChatRow.forgotten_through < last_id)
                .values(forgotten_through=last_id)
                .execution_options(synchronize_session=False)
            )
            regarded = MessageRow.chat_id == chat_key(chat), MessageRow.id <= last_id
            await session.execute(asking_no_more(*regarded))
            await session.execute(delete(DraftRow).where(DraftRow.chat_id == chat_key(chat)))

    async def hide_last(self, chat: ChatId, *, question: bool) -> bool:
        """Leave my newest answer out of `recent`, and what it answers, too, or ask that anew.

        What of that answer is still to be sent is dropped.
        """
        seen = (
            select(MessageRow)
            .join(ChatRow)
            .where(*is_chat(chat), in_sight())
            .order_by(MessageRow.id.desc())
        )
        async with self._transaction() as session:
            if not question and await session.scalar(select(is_stopped())):
                return False
            mine = await session.scalar(seen.where(MessageRow.outgoing).limit(1))
            if mine is None:
                return False
            heard = seen.where(MessageRow.outgoing.is_(False), MessageRow.id < mine.id).limit(1)
            answered = heard.where(MessageRow.message_id == mine.reply_to)
            asked = await session.scalar(answered) or await session.scalar(heard)
            if asked is None and not question:  # it was deleted, and nothing else could be answered
                return False
            first = asked.id if asked else 0
            if asked is not None and question:
                before = await session.scalar(
                    seen.where(MessageRow.outgoing, MessageRow.id < asked.id).limit(1)
                )
                first = before.id if before else 0
            elif asked is not None:
                asked.asks = True
                await session.execute(
                    update(ChatRow)
                    .where(ChatRow.id == mine.chat_id)
                    .values(attempts=ChatRow.attempts + 1)
                    .execution_options(synchronize_session=False)
                )
            await session.execute(
                update(MessageRow)
                .where(
                    MessageRow.chat_id == mine.chat_id,
                    MessageRow.id > first,
                    MessageRow.id <= mine.id,
                    # What asks was written while the answer was on its way, and waits.
                    or_(MessageRow.outgoing, ~MessageRow.asks) if question else MessageRow.outgoing,
                )
                .values(hidden=True)
                .execution_options(synchronize_session=False)
            )
            await session.execute(_dropping_the_rest_of(mine))
        return True


def _dropping_the_rest_of(said: MessageRow) -> Delete:
    """Return what drops of an answer of mine what could not be sent yet."""
    return delete(DraftRow).where(
        DraftRow.chat_id == said.chat_id, DraftRow.answers == (said.reply_to or "")
    )
