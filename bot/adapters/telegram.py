"""Telegram: fetch messages, keep and answer them, send; through python-telegram-bot's `Bot`.

The fetching is ours rather than the library's `Application`: that one confirms an update to
Telegram before anybody has kept it, stops for good in silence when the token is revoked, and
fights for ever with a second instance.

Source: python-telegram-bot 22.8, `ext/_updater.py` and `ext/_utils/networkloop.py`; seen against
a Bot API server on loopback.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.adapters import delivery
from bot.adapters.answers import Answers
from bot.adapters.delivery import Patience
from bot.adapters.telegram_chats import TelegramOutlet, seconds
from bot.adapters.telegram_commands import Orders
from bot.adapters.telegram_updates import Updates
from bot.adapters.telegram_webhook import Webhook, receive_by
from bot.adapters.telegram_wire import TelegramRequest, UpdatesRequest, quieten_libraries
from bot.conversation import Conversation
from bot.history import ChatId
from bot.reception import Reception
from bot.settings import Settings
from likeness.errors import BadSettings, DatabaseError, PlatformUnavailable, TokenRefused

log = logging.getLogger(__name__)

REFUSED = (
    "Telegram does not accept the bot's token: take it from @BotFather again and put it into "
    "TELEGRAM_TOKEN."
)
WANTED = [
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CALLBACK_QUERY,
    Update.MY_CHAT_MEMBER,
]
SPARE_SECONDS = 5.0
"""How much longer than it was asked to a server may hold a request for news."""
IDLE_SECONDS = 0.2
"""How long to wait before asking again where a server with nothing new does not hold requests."""
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
        request=TelegramRequest(
            connection_pool_size=64,
            read_timeout=patience.send_seconds,
            pool_timeout=patience.send_seconds,
        ),
        get_updates_request=UpdatesRequest(
            connection_pool_size=1, read_timeout=min(SPARE_SECONDS, patience.send_seconds)
        ),
    )
    try:
        reception = Reception.of("telegram", settings, conversation)
        await _TelegramBot(bot, reception, patience, Webhook.of(settings)).run()
    except InvalidToken:
        # The library's error quotes the token, so it must not show up as the cause.
        raise TokenRefused(REFUSED) from None
    finally:
        await bot.shutdown()


class _TelegramBot:
    """One bot at work."""

    def __init__(
        self, bot: Bot, reception: Reception, patience: Patience, webhook: Webhook | None
    ) -> None:
        self._bot = bot
        self._webhook = webhook
        self._reception = reception
        self._conversation = reception.conversation
        self._patience = patience
        self._answers = Answers(
            patience.answers, self._answer_owed, again_seconds=patience.again_seconds
        )
        self._orders = Orders(bot, reception, self._outlet, self._respond, patience)
        self._updates = Updates(bot, reception, self._orders, self._respond, self._move)
        self._offset: int | None = None

    async def run(self) -> None:
        await self._until_it_works(self._connect)
        log.info("telegram: connected")
        self._answers.refill()
        if self._conversation.history.shared:
            self._answers.keep_looking()
        try:
            await self._until_it_works(self._receive)
        finally:
            grace = self._patience.grace_seconds
            await asyncio.gather(self._answers.finish(grace), self._orders.chores.finish(grace))
            await self._confirm()

    async def _connect(self) -> None:
        await self._bot.initialize()
        await receive_by(self._webhook, self._bot, WANTED)
        await self._orders.register()
        await self._reception.open()

    async def _answer_owed(self, limit: int) -> int:
        found = await self._conversation.owed("telegram", limit)
        for place in found:
            self._respond(place.chat)
        return len(found)

    def _respond(self, chat: ChatId) -> None:
        self._answers.start(chat, self._conversation.respond(self._outlet(chat)))

    def _outlet(self, chat: ChatId) -> TelegramOutlet:
        return TelegramOutlet(self._bot, chat, self._patience, self._move)

    async def _move(self, chat: ChatId, to: ChatId) -> None:
        await self._conversation.history.move(chat, to)
        await self._reception.access.move(chat.chat, to.chat)
        self._answers.refill_later()  # what was being written there has not been sent

    async def _receive(self) -> None:
        if self._webhook is not None:
            check = partial(self._until_it_works, self._bot.get_me)
            await self._webhook.listen(
                self._bot, self._updates.take, check, self._patience.poll_seconds
            )
        await self._conversation.history.lead("telegram", self._fetch_on)

    async def _fetch_on(self) -> None:
        while True:
            await self._until_it_works(self._fetch)

    async def _fetch(self) -> None:
        asked, began = self._offset or 0, time.monotonic()
        updates = await self._bot.get_updates(
            offset=self._offset,
            timeout=self._patience.poll_seconds,
            allowed_updates=WANTED,
        )
        for update in sorted(updates, key=lambda update: update.update_id):
            await self._updates.take(update)
            self._offset = update.update_id + 1
        news = any(update.update_id >= asked for update in updates)
        if not news and time.monotonic() - began < IDLE_SECONDS:
            await asyncio.sleep(IDLE_SECONDS)

    async def _confirm(self) -> None:
        """Tell Telegram what was taken; if that fails, it comes again and is known."""
        if self._offset is not None:
            try:
                await self._bot.get_updates(offset=self._offset, limit=1, timeout=0, read_timeout=2)
            except TelegramError as error:
                log.debug("telegram: the last fetch was not confirmed: %s", type(error).__name__)

    async def _until_it_works(self, action: Callable[[], Awaitable[object]]) -> None:
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
            except (KeyError, TypeError) as error:  # it answered what the library cannot read
                await self._wait(delivery.wordless(error), wait)
            else:
                self._conversation.watch.connected("telegram", up=True)
                return

    async def _wait(self, reason: str, seconds: float) -> None:
        self._conversation.watch.connected("telegram", up=False)
        log.warning("telegram: %s; trying again in %.0f s", reason, seconds)
        await asyncio.sleep(seconds)
