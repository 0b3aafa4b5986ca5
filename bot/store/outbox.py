"""What is owed: messages that wait for an answer, and answers that are still to be sent."""

import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    delete,
    func,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from bot.history import MY_ID, ChatId, Draft, Place, Question, speakers_of
from bot.store.customs import is_stopped
from bot.store.guests import is_denied_since
from bot.store.owing import answers_one, asking_no_more, is_forgotten, message_of, waiting
from bot.store.rows import chat_key, chat_row, is_one_of
from bot.store.tables import ChatRow, DraftRow, MessageRow
from bot.store.workers import Workers
from likeness.messages import Kind


class Outbox(Workers):
    """The part of a store that knows what is still to be done."""

    async def question(self, chat: ChatId) -> Question | None:
        """Return what waits for an answer; None if nothing does, or the bot is stopped."""
        newest = (
            select(MessageRow.message_id, MessageRow.speaker_id)
            .where(MessageRow.chat_id == chat_key(chat), MessageRow.asks, ~is_stopped())
            .order_by(MessageRow.id.desc())
            .limit(1)
        )
        async with self._transaction() as session:
            found = (await session.execute(newest)).one_or_none()
        return None if found is None else Question(*found)

    async def plan(
        self,
        chat: ChatId,
        through: str,
        texts: Sequence[str],
        kind: Kind,
        answers: str | None = None,
    ) -> list[Draft]:
        """Keep what is to be sent; from now on nothing up to the message `through` waits.

        What another process was told meanwhile holds here, too: then there is nothing to send. Who
        still waits though the newest message or the answered one was deleted, or was of one whom
        the owner shut out, goes on waiting.
        """
        answered = answers or through
        async with self._transaction() as session:
            key = await session.scalar(select(chat_key(chat)))
            if key is None:  # the chat has moved
                return []
            await self._must_be_mine(session, key)
            if await session.scalar(select(is_forgotten(key, {through, answered}))):
                return []
            denied = is_denied_since(chat)
            last = message_of(key, through).scalar_subquery()
            regarded = MessageRow.chat_id == key, MessageRow.id <= last
            if await session.scalar(select(message_of(key, answered).where(denied).exists())):
                await session.execute(asking_no_more(*regarded, denied))
                return []
            if await session.scalar(select(is_stopped())):
                texts = ()
            await session.execute(asking_no_more(*regarded))
            rows = [
                DraftRow(
                    chat_id=key,
                    answers=through if answers is None else answers,
                    text=text,
                    kind=kind,
                    nonce=secrets.token_hex(12),
                    kept_at=datetime.now(UTC),
                )
                for text in texts
            ]
            for row in rows:
                session.add(row)
                await session.flush()
            return [_draft(row) for row in rows]

    async def drafts(self, chat: ChatId) -> list[Draft]:
        """Return what is still to be sent, in order."""
        planned = select(DraftRow).where(DraftRow.chat_id == chat_key(chat)).order_by(DraftRow.id)
        async with self._transaction() as session:
            return [_draft(row) for row in await session.scalars(planned)]

    async def stands(self, draft: Draft) -> bool:
        """Return whether a draft is still to be sent, and nobody has taken it back."""
        async with self._transaction() as session:
            return await session.get(DraftRow, draft.id) is not None

    async def sent(self, draft: Draft, message_id: str, speaker: str, at: datetime) -> None:
        """Turn a draft into a message of mine; a draft that was withdrawn meanwhile is none."""
        async with self._transaction() as session:
            row = await session.get(DraftRow, draft.id)
            if row is None:
                return
            await session.delete(row)
            said = MessageRow(
                chat_id=row.chat_id,
                message_id=message_id,
                speaker_id=MY_ID,
                speaker=speaker,
                outgoing=True,
                sent_at=at,
                text=row.text,
                reply_to=row.answers or None,
                kind=row.kind,
                kept_at=datetime.now(UTC),
            )
            try:
                async with session.begin_nested():
                    session.add(said)
            except IntegrityError:  # the platform knew the nonce, and we the message
                return

    async def withdraw(self, chat: ChatId) -> None:
        """Drop what is still to be sent."""
        async with self._transaction() as session:
            await session.execute(delete(DraftRow).where(DraftRow.chat_id == chat_key(chat)))

    async def drop(self, platform: str, id_: str) -> None:
        """Owe nothing any more to one whom the owner's list names by an id, or in such a place."""
        here = select(ChatRow.id).where(ChatRow.platform == platform)
        there = here.where(or_(ChatRow.chat == id_, ChatRow.thread == id_))
        theirs = MessageRow.speaker_id.in_(speakers_of(id_))
        asks = MessageRow.chat_id.in_(here), or_(theirs, MessageRow.chat_id.in_(there))
        planned = or_(DraftRow.chat_id.in_(there), answers_one(theirs))
        async with self._transaction() as session:
            await session.execute(asking_no_more(*asks))
            await session.execute(
                delete(DraftRow)
                .where(DraftRow.chat_id.in_(here), planned)
                .execution_options(synchronize_session=False)
            )

    async def owed(
        self, platform: str, since: datetime, limit: int, busy: Collection[ChatId] = ()
    ) -> list[Place]:
        """Return what waits for an answer or for the rest of one: a message a chat.

        Drafts come before what asks, since they answer what was said before. Where several
        processes work on one database, each chat is given to one of them.
        """
        if limit <= 0:
            return []
        here = select(ChatRow.id).where(ChatRow.platform == platform)
        if busy:  # /again asks for another answer to what may be old: it is being written there
            here = here.where(~is_one_of(busy))
        if self.shared:
            here = here.where(self._free())
        stale = MessageRow.sent_at < since, MessageRow.chat_id.in_(here)
        async with self._transaction() as session:
            await session.execute(asking_no_more(*stale))
            await session.execute(
                delete(DraftRow).where(DraftRow.kept_at < since, DraftRow.chat_id.in_(here))
            )
            queue = waiting(platform).limit(limit)
            if busy:
                queue = queue.where(~is_one_of(busy))
            if self.shared:
                queue = queue.where(self._free()).with_for_update(
                    of=ChatRow, key_share=True, skip_locked=True
                )
            found = (await session.execute(queue)).all()
            if self.shared:
                await self._take(session, *(row.id for row, _ in found))
            return [_place(row, message_id) for row, message_id in found]

    async def asking(self, chats: Collection[ChatId]) -> list[Place]:
        """Return the newest message that asks in each of some chats, where one does."""
        newest = (
            select(func.max(MessageRow.id))
            .where(
                MessageRow.asks, MessageRow.chat_id.in_(select(ChatRow.id).where(is_one_of(chats)))
            )
            .group_by(MessageRow.chat_id)
        )
        async with self._transaction() as session:
            found = await session.execute(
                select(ChatRow, MessageRow.message_id)
                .join(MessageRow, MessageRow.chat_id == ChatRow.id)
                .where(MessageRow.id.in_(newest))
            )
            return [_place(row, message_id) for row, message_id in found]

    async def count_owed(self) -> dict[str, int]:
        """Return how many chats wait for an answer or for the rest of one, by platform."""
        waits = union(select(MessageRow.chat_id).where(MessageRow.asks), select(DraftRow.chat_id))
        counted = (
            select(ChatRow.platform, func.count().label("chats"))
            .where(ChatRow.id.in_(waits))
            .group_by(ChatRow.platform)
        )
        async with self._transaction() as session:
            return {row.platform: row.chats for row in await session.execute(counted)}

    async def newest(self, platform: str, limit: int) -> list[Place]:
        """Return the newest message of others in each chat, the liveliest chats first."""
        # Asked chat by chat, from the newest back, so that it takes no longer over the years.
        heard = aliased(MessageRow)
        last = (
            select(heard.id)
            .where(heard.chat_id == ChatRow.id, heard.outgoing.is_(False))
            .order_by(heard.id.desc())
            .limit(1)
            .correlate(ChatRow)
            .scalar_subquery()
        )
        async with self._transaction() as session:
            found = await session.execute(
                select(ChatRow, MessageRow.message_id)
                .join(MessageRow, MessageRow.id == last)
                .where(ChatRow.platform == platform)
                .order_by(MessageRow.id.desc())
                .limit(limit)
            )
            return [_place(row, message_id) for row, message_id in found]

    async def move(self, chat: ChatId, to: ChatId) -> None:
        """Give a chat another id, with all that is known of it; message ids there begin anew."""
        async with self._transaction() as session:
            old = await session.scalar(select(ChatRow).where(ChatRow.id == chat_key(chat)))
            if old is None or chat == to:
                return
            new = await chat_row(session, to, old.title)
            new.forgotten_through = max(new.forgotten_through, old.forgotten_through)
            for custom in ("temperature", "pace", "chattiness", "attempts"):
                setattr(new, custom, getattr(old, custom))
            before = f"{chat.chat}:"
            aged = {
                "message_id": before + MessageRow.message_id,
                "reply_to": before + MessageRow.reply_to,
            }
            # What a draft answers is not there: in the new chat its id is that of another message.
            for table, values in ((MessageRow, aged), (DraftRow, {"answers": ""})):
                await session.execute(
                    update(table)
                    .where(table.chat_id == old.id)
                    .values(chat_id=new.id, **values)
                    .execution_options(synchronize_session=False)
                )
            await session.delete(old)


def _draft(row: DraftRow) -> Draft:
    return Draft(row.id, row.text, row.nonce, row.answers)


def _place(row: ChatRow, message_id: str) -> Place:
    return Place(ChatId(row.platform, row.chat, row.thread), message_id)
