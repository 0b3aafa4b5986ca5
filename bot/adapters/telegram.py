"""Telegram: fetch messages, keep and answer them, send; through python-telegram-bot's `Bot`.

The fetching is ours rather than the library's `Application`: that one confirms an update to
Telegram before anybody has kept it, stops for good in silence when the token is revoked, and
fights for ever with a second instance.

Source: python-telegram-bot 22.8, `ext/_updater.py` and `ext/_utils/networkloop.py`; seen against
a Bot API server on loopback.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from telegram import Bot, BotCommand, Message, MessageEntity, Update
from telegram.constants import ChatType
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from bot.adapters import delivery
from bot.adapters.delivery import Answers, Patience
from bot.adapters.telegram_chats import (
    TelegramOutlet,
    chat_of,
    mentions,
    seconds,
    speaker,
    translate,
)
from bot.adapters.telegram_wire import UpdatesRequest, quieten_libraries
from bot.commands import COMMANDS, obey
from bot.conversation import Conversation
from bot.history import ChatId
from bot.settings import Settings
from likeness.errors import BadSettings, DatabaseError, PlatformUnavailable, TokenRefused

log = logging.getLogger(__name__)

REFUSED = (
    "Telegram does not accept the bot's token: take it from @BotFather again and put it into "
    "TELEGRAM_TOKEN."
)
TAKEN = (
    "Another program fetches this Telegram bot's messages: stop it, or make a bot of its own "
    "with @BotFather."
)


async def serve(
    settings: Settings, conversation: Conversation, patience: Patience | None = None
) -> None:
    """Answer on Telegram until cancelled, then finish the answers being written.

    A message counts as fetched only once the conversation has kept it, so a crash loses none, and
    what waits for an answer is answered after the next start. A reply whose confirmation got lost
    is sent again, so it may rarely appear twice.

    Raises:
        BadSettings: There is no token.
        TokenRefused: Telegram does not accept it, at the start or later.
        PlatformUnavailable: Another program is fetching this bot's messages.
    """
    if settings.telegram_token is None:
        raise BadSettings("TELEGRAM_TOKEN is not set: take a token from @BotFather.")
    quieten_libraries()
    patience = patience or Patience(answers=settings.most_answers)
    bot = Bot(
        settings.telegram_token.get_secret_value(),
        base_url=settings.telegram_base_url,
        request=HTTPXRequest(
            connection_pool_size=64,
            read_timeout=patience.send_seconds,
            pool_timeout=patience.send_seconds,
        ),
        get_updates_request=UpdatesRequest(connection_pool_size=1),
    )
    try:
        await _TelegramBot(bot, conversation, patience).run()
    except InvalidToken:
        # The library's error quotes the token, so it must not show up as the cause.
        raise TokenRefused(REFUSED) from None
    finally:
        await bot.shutdown()


class _TelegramBot:
    """One bot at work."""

    def __init__(self, bot: Bot, conversation: Conversation, patience: Patience) -> None:
        self._bot = bot
        self._conversation = conversation
        self._patience = patience
        self._answers = Answers(patience.answers, self._answer_owed)
        self._offset: int | None = None

    async def run(self) -> None:
        await self._until_it_works(self._connect)
        log.info("telegram: connected")
        history = self._conversation.history
        self._answers.refill()
        if history.shared:
            self._answers.keep_looking()
        try:
            await self._until_it_works(lambda: history.lead("telegram", self._fetch_on))
        finally:
            await self._answers.finish(self._patience.grace_seconds)
            await self._confirm()

    async def _connect(self) -> None:
        await self._bot.initialize()
        await self._bot.delete_webhook(drop_pending_updates=False)
        await self._register_commands()

    async def _register_commands(self) -> None:
        """Tell Telegram the commands, where it knows others."""
        ours = tuple(BotCommand(name, does) for name, does in COMMANDS.items())
        try:
            if await self._bot.get_my_commands() != ours:
                await self._bot.set_my_commands(ours)
        except InvalidToken:
            raise
        except (TelegramError, TypeError) as error:  # TypeError: no list came
            log.warning("telegram: the commands were not registered: %s", type(error).__name__)

    async def _answer_owed(self, limit: int) -> int:
        found = await self._conversation.owed("telegram", limit)
        for place in found:
            self._respond(place.chat, place.message_id)
        return len(found)

    def _respond(self, chat: ChatId, message_id: str) -> None:
        outlet = self._outlet(chat, message_id)
        self._answers.start(chat, self._conversation.respond(outlet))

    def _outlet(self, chat: ChatId, message_id: str) -> TelegramOutlet:
        moved = self._conversation.history.move
        return TelegramOutlet(self._bot, chat, message_id, self._patience, moved)

    async def _fetch_on(self) -> None:
        while True:
            await self._until_it_works(self._fetch)

    async def _fetch(self) -> None:
        updates = await self._bot.get_updates(
            offset=self._offset,
            timeout=self._patience.poll_seconds,
            allowed_updates=[Update.MESSAGE, Update.EDITED_MESSAGE],
        )
        for update in updates:
            await self._take(update)
            self._offset = update.update_id + 1

    async def _confirm(self) -> None:
        """Tell Telegram what was taken; if that fails, it comes again and is known."""
        if self._offset is not None:
            try:
                await self._bot.get_updates(offset=self._offset, limit=1, timeout=0, read_timeout=2)
            except TelegramError as error:
                log.debug("telegram: the last fetch was not confirmed: %s", type(error).__name__)

    async def _until_it_works(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do something again until no network, server or database stands in its way.

        Raises:
            InvalidToken: Telegram does not accept the token.
            PlatformUnavailable: Another program is fetching this bot's messages.
        """
        conflicts = 0
        for wait in self._patience.waits():
            try:
                await action()
            except InvalidToken:
                raise
            except Conflict as error:
                conflicts += 1
                if conflicts >= self._patience.conflicts:
                    raise PlatformUnavailable(TAKEN) from error
                await self._wait("another program is fetching", wait)
            except RetryAfter as error:
                await self._wait("told to slow down", max(wait, seconds(error)))
            except TelegramError as error:
                await self._wait(type(error).__name__, wait)
            except DatabaseError as error:
                await self._wait(str(error), wait)
            else:
                self._conversation.watch.connected("telegram", up=True)
                return

    async def _wait(self, reason: str, seconds: float) -> None:
        self._conversation.watch.connected("telegram", up=False)
        log.warning("telegram: %s; trying again in %.0f s", reason, seconds)
        await asyncio.sleep(seconds)

    async def _take(self, update: Update) -> None:
        try:
            if update.message is not None:
                await self._read(update.message)
            elif update.edited_message is not None:
                await self._reread(update.edited_message)
        except DatabaseError:
            raise  # not confirmed, so it comes again
        except Exception as error:  # noqa: BLE001 (one update must not hold up all others)
            log.error("telegram: a message was skipped: %s", delivery.wordless(error))  # noqa: TRY400

    async def _read(self, message: Message) -> None:
        chat = chat_of(message)
        command = self._command(message)
        if command is not None:
            if command in COMMANDS and speaker(message) is not None:
                self._answers.start(chat, self._obey(chat, message, command))
            return
        if message.migrate_to_chat_id:
            moved = ChatId("telegram", str(message.migrate_to_chat_id))
            await self._conversation.history.move(chat, moved)
        heard = translate(message)
        if heard is None:
            return
        if await self._conversation.hear(chat, heard, asks=self._is_addressed(message)):
            self._respond(chat, heard.id)

    async def _reread(self, message: Message) -> None:
        edited = translate(message)
        if edited is not None:
            await self._conversation.history.edit(chat_of(message), edited.id, edited.text)

    async def _obey(self, chat: ChatId, message: Message, command: str) -> None:
        text = await obey(self._conversation, chat, command)
        await self._outlet(chat, str(message.message_id)).send(text)
        if command == "again":
            self._respond(chat, str(message.message_id))

    def _command(self, message: Message) -> str | None:
        """Return the command in a message, without its slash; empty if it is for another bot."""
        first = message.entities[0] if message.entities else None
        if first is None or first.type != MessageEntity.BOT_COMMAND or first.offset:
            return None
        name, _, target = message.parse_entity(first).removeprefix("/").partition("@")
        return name.lower() if target.lower() in ("", self._username) else ""

    def _is_addressed(self, message: Message) -> bool:
        if message.chat.type == ChatType.PRIVATE:
            return True
        original = message.reply_to_message
        # In a topic, a message that answers none "replies" to the notice that opened the topic.
        author = original.from_user if original and not original.forum_topic_created else None
        return (author is not None and author.id == self._bot.id) or any(
            entity.user.id == self._bot.id if entity.user else words.lower() == f"@{self._username}"
            for entity, words in mentions(message)
        )

    @property
    def _username(self) -> str:
        return self._bot.username.lower()
