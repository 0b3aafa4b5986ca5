"""Commands on Telegram: registered, done, and told; typed or on buttons."""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeChat,
    BotCommandScopeDefault,
    CallbackQuery,
    Message,
)
from telegram.error import BadRequest, InvalidToken, TelegramError

from bot.access import Visitor
from bot.adapters import delivery
from bot.adapters.answers import Answers
from bot.adapters.delivery import Patience
from bot.adapters.telegram_chats import TelegramOutlet, chat_of, refusal
from bot.adapters.telegram_people import visitor_at
from bot.commands import COMMANDS
from bot.history import ChatId
from bot.outlet import Reply
from bot.reception import Reception

log = logging.getLogger(__name__)

CHORES = 1000
"""How many commands and lines of its own the bot has in hand at once."""


class Orders:
    """What people order, and what the bot itself tells them."""

    def __init__(
        self,
        bot: Bot,
        reception: Reception,
        outlet: Callable[[ChatId], TelegramOutlet],
        respond: Callable[[ChatId], None],
        patience: Patience,
    ) -> None:
        """Take what it works with.

        Args:
            bot: Who speaks.
            reception: Who decides.
            outlet: Leads to a chat.
            respond: Answers what waits in a chat.
            patience: For what others could not be told.
        """
        self.chores = Answers(CHORES)
        self._known: deque[str] = deque(maxlen=CHORES)
        self._shown: set[str] = set()
        self._bot = bot
        self._reception = reception
        self._outlet = outlet
        self._respond = respond
        self._patience = patience

    async def register(self) -> None:
        """Tell Telegram the commands, where it knows others.

        Raises:
            InvalidToken: Telegram does not accept the token.
        """
        public = [name for name, command in COMMANDS.items() if not command.owner]
        try:
            await self._show_in_menu(public, BotCommandScopeDefault())
            for id_ in await self._reception.access.owners():
                await self._show_owner(id_)
        except InvalidToken:
            raise
        except (TelegramError, TypeError) as error:  # TypeError: no list came
            log.warning("telegram: the commands were not registered: %s", type(error).__name__)

    async def _show_owner(self, id_: str) -> None:
        """Show the owner, in private, also what only the owner may order."""
        try:
            await self._show_in_menu(COMMANDS, BotCommandScopeChat(int(id_)))
        except BadRequest:  # who has not written to the bot yet is no chat of its
            log.info("telegram: the owner %s has not written to the bot yet", id_)
        else:
            self._shown.add(id_)

    async def _show_in_menu(self, names: Iterable[str], scope: BotCommandScope) -> None:
        ours = tuple(BotCommand(name, COMMANDS[name].does) for name in names)
        if await self._bot.get_my_commands(scope=scope) != ours:
            await self._bot.set_my_commands(ours, scope=scope)

    async def obey(self, message: Message, visitor: Visitor, line: str) -> None:
        """Do what a command says, in its time, to what was said before it.

        Raises:
            DatabaseError: It cannot be known what that was.
        """
        chat = chat_of(message)
        through = await self._reception.conversation.history.mark(chat)
        if self._is_known(f"{chat} {message.message_id}"):
            return

        async def work() -> None:
            obeyed = self._reception.obey(visitor, chat, line, through)
            reply = await delivery.excused(chat, obeyed)
            if reply is not None:
                await self._say(chat, reply, str(message.message_id))
            if visitor.id not in self._shown and await self._reception.access.owns(visitor):
                with suppress(TelegramError):
                    await self._show_owner(visitor.id)

        self.chores.start(chat, work())

    def press(self, query: CallbackQuery) -> None:
        """Do what is on a button, and show it in the place of the message with the button.

        That may be somebody else's, so whoever may not press it is told beside it.
        """
        message, line = query.message, query.data
        if not isinstance(message, Message) or not line or query.from_user.is_bot:
            return
        if self._is_known(f"button {query.id}"):
            return
        chat, visitor = chat_of(message), visitor_at(query.from_user, message.chat)

        async def work() -> None:
            reply = await delivery.excused(chat, self._reception.obey(visitor, chat, line))
            with suppress(TelegramError):  # it was pressed too long ago
                await self._bot.answer_callback_query(query.id, **refusal(reply))
            if reply is not None:
                await self._show(chat, reply, message.message_id)

        self.chores.start(chat, work())

    def say(self, chat: ChatId, reply: Reply, answers: str = "") -> None:
        """Tell what the bot itself has to say, in its time."""
        self.chores.start(chat, self._say(chat, reply, answers))

    def _is_known(self, order: str) -> bool:
        """Return whether an order came before, as after an answer of ours that got lost."""
        known = order in self._known
        self._known.append(order)
        return known

    async def _show(self, chat: ChatId, reply: Reply, message_id: int) -> None:
        if reply.file is not None:
            await self._say(chat, reply, str(message_id))
            return
        with delivery.followed(partial(self._follow, chat, reply)):
            if not reply.refuses:
                await self._outlet(chat).change(message_id, reply)

    async def _say(self, chat: ChatId, reply: Reply, answers: str) -> None:
        outlet = self._outlet(chat)
        with delivery.followed(partial(self._follow, chat, reply)):
            await delivery.say_or_excuse(partial(outlet.say, answers=answers), reply)

    def _follow(self, chat: ChatId, reply: Reply) -> None:
        """Do what follows from a reply: tell others, answer again."""
        for id_, told in reply.tells:
            to = ChatId("telegram", id_)
            say = self._outlet(to).say
            self.chores.start(to, delivery.say_some_time(to, say, told, self._patience))
        if reply.asks_anew:
            self._respond(chat)
