"""What is kept of one person, to be shown to them or to be deleted."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Exists,
    Select,
    case,
    delete,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from bot.history import ONE_OF_SEVERAL, ChatId
from bot.store.owing import answers_one
from bot.store.rows import to_message
from bot.store.sessions import Sessions
from bot.store.tables import ChatRow, DraftRow, MessageRow
from likeness.messages import Message

NOTHING_LEFT: dict[str, Any] = {
    "speaker_id": "",
    "speaker": "",
    "text": "",
    "reply_to": None,
    "kind": "deleted",
    "asks": False,
    "hidden": True,
}
"""What a deleted message keeps: its id, and when it was said."""


class Privacy(Sessions):
    """The part of a store that knows what belongs to whom."""

    async def of_person(self, platform: str, speaker_id: str) -> list[Message]:
        """Return what somebody wrote, and what was answered where nobody else wrote, in order."""
        async with self._transaction() as session:
            alone = list(await session.scalars(_alone(platform, speaker_id)))
            found = await session.execute(
                select(MessageRow, ChatRow)
                .join(ChatRow)
                .where(_theirs(platform, speaker_id, alone))
                .order_by(MessageRow.id)
            )
            return [
                to_message(ChatId(chat.platform, chat.chat, chat.thread), chat.title, row)
                for row, chat in found
            ]

    async def alone_with(self, platform: str, speaker_id: str) -> list[ChatId]:
        """Return the chats in which nobody but somebody has written, and the bot."""
        theirs = select(ChatRow).where(ChatRow.id.in_(_alone(platform, speaker_id)))
        async with self._transaction() as session:
            found = await session.scalars(theirs)
            return [ChatId(chat.platform, chat.chat, chat.thread) for chat in found]

    async def erase(self, platform: str, speaker_id: str) -> int:
        """Delete what `of_person` returns, for good, and return how many messages that were.

        Only ids and times of messages stay, so that none that comes again is taken for a new one.
        What is still to be sent in answer to them is dropped, wherever that is.
        """
        async with self._erasing() as session:
            alone = list(await session.scalars(_alone(platform, speaker_id)))
            await session.execute(_dropping_answers_to(_said(platform, speaker_id), alone))
            count = await _erase(session, MessageRow.chat_id.in_(alone), NOTHING_LEFT)
            among_others = {**NOTHING_LEFT, "speaker_id": ONE_OF_SEVERAL}
            count += await _erase(session, _said(platform, speaker_id), among_others)
            await _make_nameless(session, alone)
        return count

    async def delete(
        self, platform: str, place: str, message_ids: Collection[str] | None = None
    ) -> None:
        """Delete messages as `erase` does, and what is still to be sent in answer to them.

        Args:
            platform: Where ids of chats and threads are told apart.
            place: The id of a thread, or of a chat, which stands for its threads, too.
            message_ids: Which; by default all, and what is kept of the place itself.
        """
        there = or_(ChatRow.chat == place, ChatRow.thread == place)
        async with self._erasing() as session:
            keys = list(
                await session.scalars(select(ChatRow.id).where(ChatRow.platform == platform, there))
            )
            said: list[ColumnElement[bool]] = [MessageRow.chat_id.in_(keys)]
            planned = [DraftRow.chat_id.in_(keys)]
            left = dict(NOTHING_LEFT)
            if message_ids is None:
                await _make_nameless(session, keys)
            else:
                said += [MessageRow.message_id.in_(message_ids), MessageRow.kind != "deleted"]
                left["speaker_id"] = case(
                    (_others_wrote(MessageRow.chat_id, MessageRow.speaker_id), ONE_OF_SEVERAL),
                    else_="",
                )
                planned.append(DraftRow.answers.in_(message_ids))
            await session.execute(
                update(MessageRow)
                .where(*said)
                .values(left)
                .execution_options(synchronize_session=False)
            )
            await session.execute(delete(DraftRow).where(*planned))


def _dropping_answers_to(said: ColumnElement[bool], alone: list[int]) -> Delete:
    """Return what drops all that is to be sent in some chats, or to such messages elsewhere."""
    return (
        delete(DraftRow)
        .where(or_(DraftRow.chat_id.in_(alone), answers_one(said)))
        .execution_options(synchronize_session=False)
    )


async def _erase(session: AsyncSession, which: ColumnElement[bool], left: dict[str, Any]) -> int:
    """Leave nothing but so much of some messages; return how many they were."""
    erased: CursorResult[Any] = await session.execute(  # type: ignore[assignment]
        update(MessageRow)
        .where(which, MessageRow.kind != "deleted")
        .values(left)
        .execution_options(synchronize_session=False)
    )
    return erased.rowcount


async def _make_nameless(session: AsyncSession, chats: list[int]) -> None:
    """Delete what is kept of some chats themselves."""
    await session.execute(
        update(ChatRow)
        .where(ChatRow.id.in_(chats))
        .values(title="", temperature=None, pace=None, chattiness=None)
        .execution_options(synchronize_session=False)
    )


def _others_wrote(
    chat: InstrumentedAttribute[int], speaker_id: str | InstrumentedAttribute[str]
) -> Exists:
    """Return what is true of a chat, by its key, in which somebody else has written, too."""
    other = aliased(MessageRow)
    return exists().where(
        other.chat_id == chat,
        other.outgoing.is_(False),
        other.speaker_id.not_in((speaker_id, "")),
    )


def _theirs(platform: str, speaker_id: str, alone: list[int]) -> ColumnElement[bool]:
    """Return what is true of a message that belongs to somebody, `alone` being their chats."""
    here = or_(_said(platform, speaker_id), MessageRow.chat_id.in_(alone))
    return here & (MessageRow.kind != "deleted")


def _said(platform: str, speaker_id: str) -> ColumnElement[bool]:
    """Return what is true of a message that somebody wrote."""
    here = select(ChatRow.id).where(ChatRow.platform == platform)
    return (MessageRow.speaker_id == speaker_id) & MessageRow.chat_id.in_(here)


def _alone(platform: str, speaker_id: str) -> Select[int]:
    """Return the keys of the chats in which nobody else has written."""
    return select(ChatRow.id).where(
        ChatRow.platform == platform,
        ChatRow.id.in_(select(MessageRow.chat_id).where(MessageRow.speaker_id == speaker_id)),
        ~_others_wrote(ChatRow.id, speaker_id),
    )
