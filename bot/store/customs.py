"""What a chat has set for itself, what the owner has switched, and how much there is."""

from datetime import UTC, datetime

from sqlalchemy import Exists, delete, exists, func, select

from bot.history import ChatId, Counts
from bot.pace import Customs
from bot.store.owing import asking_no_more
from bot.store.rows import chat_key, chat_row, is_chat
from bot.store.sessions import Sessions
from bot.store.tables import ChatRow, DraftRow, MessageRow, SwitchRow

STOPPED = "stopped"


def is_stopped() -> Exists:
    """Return whether the owner has stopped the bot, to be used in a statement."""
    return exists().where(SwitchRow.name == STOPPED)


class ChatCustoms(Sessions):
    """The part of a store that knows what was set by commands."""

    async def customs(self, chat: ChatId) -> Customs:
        """Return what a chat has set for itself."""
        known = select(
            ChatRow.temperature, ChatRow.pace, ChatRow.chattiness, ChatRow.attempts
        ).where(*is_chat(chat))
        async with self._transaction() as session:
            found = (await session.execute(known)).one_or_none()
        return Customs() if found is None else Customs(*found)

    async def set_customs(self, chat: ChatId, customs: Customs) -> None:
        """Keep what a chat has set for itself; `attempts` is left as it is."""
        async with self._transaction() as session:
            row = await chat_row(session, chat, "")
            row.temperature = customs.temperature
            row.pace, row.chattiness = customs.pace, customs.chattiness

    async def release(self, chat: ChatId | None = None) -> None:
        """Owe nothing any more, in a chat or at all."""
        async with self._transaction() as session:
            for statement, table in (
                (asking_no_more(), MessageRow),
                (delete(DraftRow), DraftRow),
            ):
                there = (
                    statement if chat is None else statement.where(table.chat_id == chat_key(chat))
                )
                await session.execute(there.execution_options(synchronize_session=False))

    async def stop(self) -> None:
        """Answer nothing anywhere, in any process, until `go`; what was owed is not any more."""
        async with self._transaction() as session:
            await session.merge(SwitchRow(name=STOPPED, since=datetime.now(UTC)))
        await self.release()

    async def go(self) -> None:
        """Answer again what is said from now on."""
        async with self._transaction() as session:
            await session.execute(delete(SwitchRow).where(SwitchRow.name == STOPPED))

    async def counts(self) -> Counts:
        """Return how much there is."""
        everything = select(
            select(func.count()).select_from(ChatRow).scalar_subquery(),
            select(func.coalesce(func.max(MessageRow.id), 0)).scalar_subquery(),
            select(func.count()).select_from(MessageRow).where(MessageRow.asks).scalar_subquery(),
            is_stopped(),
        )
        async with self._transaction() as session:
            return Counts(*(await session.execute(everything)).one())
