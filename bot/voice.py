"""What is said in a chat: the model's words there, or an apology."""

import logging
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from zlib import crc32

from bot.engine import Outlook, ReplyEngine, Sampling
from bot.history import ChatId
from bot.pace import Customs
from bot.watch import Watch
from likeness.errors import ModelError
from likeness.messages import Kind, Message

log = logging.getLogger(__name__)

APOLOGY = "(Something went wrong and I have no answer. Please write again.)"
"""Sent where the model failed; it is the bot that speaks, so the model is never shown it."""

_APART = 1_000_003
"""How far apart the seeds of an answer and of another one to the same are."""


class Voice:
    """A model, and how it is asked.

    Attributes:
        engine: The model.
        usual: How replies are chosen where a chat has set nothing.
    """

    def __init__(
        self,
        engine: ReplyEngine,
        sampling: Sampling,
        clock: Callable[[], datetime],
        watch: Watch,
    ) -> None:
        """Take what it works with."""
        self._watch = watch
        self.engine = engine
        self.usual = sampling
        self._clock = clock

    def sampling(self, messages: list[Message], customs: Customs) -> Sampling:
        """Return how the answer to some messages is chosen: another attempt has another seed."""
        place = len(messages)
        if place >= self.engine.card.context_tokens:  # no more are looked at, so these stay as many
            place += crc32(messages[-1].id.encode())
        here = self.usual.at(place + _APART * customs.attempts)
        if customs.temperature is None:
            return here
        return replace(here, temperature=customs.temperature)

    async def outlook(
        self, chat: ChatId, messages: list[Message], now: datetime | None = None
    ) -> Outlook | None:
        """Return what the model expects of a chat, None where it was not trained to tell.

        Args:
            chat: Where.
            messages: The chat, in order.
            now: The present, if what counts is not the moment of the last message.
        """
        if not self.engine.card.foresight:
            return None
        try:
            return await self.engine.outlook(messages, self.usual, now=now)
        except ModelError:
            self._watch.failed(chat.platform)
            log.warning("The model failed to look ahead in %s", chat)
        except Exception as error:  # noqa: BLE001 (a message matters more than a forecast)
            self._note(chat, error)
        return None

    async def words(
        self, chat: ChatId, messages: list[Message], customs: Customs
    ) -> AsyncGenerator[tuple[str, Kind], None]:
        """Yield what to send: the model's messages, or an apology if it fails before the first."""
        spoken = False
        try:
            sampling = self.sampling(messages, customs)
            reply = self.engine.reply(messages, sampling, now=self._clock())
            async with aclosing(reply):
                async for part in reply:
                    spoken = True
                    yield part.text, "text"
        except Exception as error:  # noqa: BLE001 (a broken answer must not end the bot)
            self._note(chat, error)
            if not spoken:
                yield APOLOGY, "automated"

    def _note(self, chat: ChatId, error: Exception) -> None:
        """Log that the model failed: where and how, as the error's own text may quote the chat."""
        self._watch.failed(chat.platform)
        trail = "".join(traceback.format_tb(error.__traceback__))
        log.error("The model failed in %s: %s\n%s", chat, type(error).__name__, trail)
