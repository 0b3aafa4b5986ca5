"""What each of Telegram's updates says, kept before it counts as fetched."""

import logging
from collections.abc import Awaitable, Callable

from telegram import Bot, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus

from bot.adapters import delivery
from bot.adapters.telegram_chats import chat_of, translate
from bot.adapters.telegram_commands import Orders
from bot.adapters.telegram_people import command_of, is_addressed, visitor_of
from bot.history import ChatId
from bot.reception import Reception
from likeness.errors import DatabaseError

log = logging.getLogger(__name__)

GONE = (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)


class Updates:
    """Takes updates one after the other."""

    def __init__(
        self,
        bot: Bot,
        reception: Reception,
        orders: Orders,
        respond: Callable[[ChatId], None],
        move: Callable[[ChatId, ChatId], Awaitable[None]],
    ) -> None:
        """Take what it works with.

        Args:
            bot: Whose updates they are.
            reception: Who decides what becomes of what people say.
            orders: Who does what people order.
            respond: Answers what waits in a chat.
            move: Gives a chat another id.
        """
        self._bot = bot
        self._reception = reception
        self._conversation = reception.conversation
        self._orders = orders
        self._respond = respond
        self._move = move

    async def take(self, update: Update) -> None:
        """Keep what an update says, and see to it that it is answered or obeyed.

        Raises:
            DatabaseError: It could not be kept, and must come again.
        """
        try:
            if update.message is not None:
                await self._read(update.message)
            elif update.edited_message is not None:
                await self._reread(update.edited_message)
            elif update.callback_query is not None:
                self._orders.press(update.callback_query)
            elif update.my_chat_member is not None:
                await self._leave(update.my_chat_member)
        except DatabaseError:
            raise  # not confirmed, so it comes again
        except Exception as error:  # noqa: BLE001 (one update must not hold up all others)
            log.error("telegram: a message was skipped: %s", delivery.wordless(error))  # noqa: TRY400

    async def _read(self, message: Message) -> None:
        chat, visitor = chat_of(message), visitor_of(message)
        me = (self._bot.username or "").lower()
        line = command_of(message, me)
        if line is not None:
            if line and visitor is not None:
                await self._orders.obey(message, visitor, line)
            return
        if message.migrate_to_chat_id:
            await self._move(chat, ChatId("telegram", str(message.migrate_to_chat_id)))
        heard = translate(message)
        if heard is None or visitor is None:
            return
        addressed = is_addressed(message, self._bot.id, me)
        respond, reply = await self._reception.hear(visitor, chat, heard, addressed=addressed)
        if respond:
            self._respond(chat)
        if reply is not None:
            self._orders.say(chat, reply, heard.id)

    async def _reread(self, message: Message) -> None:
        edited, visitor = translate(message), visitor_of(message)
        if edited is not None and visitor is not None:
            await self._reception.reread(visitor, chat_of(message), edited)

    async def _leave(self, change: ChatMemberUpdated) -> None:
        """Owe nothing where the bot was blocked or thrown out."""
        if change.new_chat_member.status in GONE:
            chat = ChatId("telegram", str(change.chat.id))
            await self._conversation.history.release(chat)
            log.info("%s: the bot was blocked or removed", chat)
