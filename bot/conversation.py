"""What every platform shares: hear a message, answer it in its chat's order, start over."""

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

from bot.engine import ReplyEngine, Sampling
from bot.history import ChatId, Draft, History, Place
from bot.outlet import NotDelivered, Outlet
from bot.pace import Manner
from bot.turns import Turns
from bot.watch import Watch
from likeness.messages import Kind, Message

log = logging.getLogger(__name__)

APOLOGY = "(Something went wrong and I have no answer. Please write again.)"
"""Sent where the model failed; it is the bot that speaks, so the model is never shown it."""


class Conversation:
    """Keeps what it hears and answers as the model's person, each chat in its own order."""

    def __init__(
        self,
        history: History,
        engine: ReplyEngine,
        sampling: Sampling | None = None,
        *,
        manner: Manner | None = None,
        watch: Watch | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take what it works with; `close` closes none of it."""
        self.history = history
        self.manner = manner or Manner()
        self.watch = watch or Watch()
        self._engine = engine
        self._sampling = sampling or Sampling()
        self._clock = clock
        self._chats: WeakValueDictionary[ChatId, Turns] = WeakValueDictionary()
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def me(self) -> str:
        """The name of the person whom the bot imitates."""
        return self._engine.card.me

    @property
    def oldest(self) -> datetime:
        """What was said before is not answered any more."""
        return self._clock() - timedelta(seconds=self.manner.answer_within_seconds)

    async def hear(self, chat: ChatId, message: Message, *, asks: bool = True) -> bool:
        """Keep a message that somebody sent, and whether it asks for an answer.

        Returns:
            Whether to call `respond`: not if it was heard before, as its answer is given, being
            written, or owed; not if it is too old; and not if somebody sees to it already, whose
            answer stops then if it was being written without regard to this message.

        Raises:
            DatabaseError: It could not be kept.
        """
        asks = asks and message.shown and message.sent_at >= self.oldest
        new = await self.history.add(chat, message, asks=asks)
        if not new:
            return False
        self.watch.heard(chat.platform)
        turns = self._turns(chat)
        turns.hear(message.speaker_id)
        return asks and not turns.ask(message.id)

    async def owed(self, platform: str, limit: int) -> list[Place]:
        """Return what waits for an answer that nobody sees to, those that wait longest first.

        Raises:
            DatabaseError: It could not be read.
        """
        busy = {chat for chat, turns in self._chats.items() if turns.busy}
        found = await self.history.owed(platform, self.oldest, limit + len(busy))
        for place in found:  # another process may have heard more in a chat that is answered here
            if self.history.shared and (turns := self._chats.get(place.chat)) is not None:
                turns.ask(place.message_id)
        return [place for place in found if place.chat not in busy][:limit]

    async def respond(self, outlet: Outlet) -> None:
        """Answer what waits in a chat, each message of the answer as soon as it is whole.

        What is left of an answer that was cut short by a crash is sent first. Then it waits until
        the person seems done. A message that `hear` gets while the answer is written stops it,
        what was sent stays, and one answer is given to all. While one call is at it, others for
        the same chat return at once. A model that fails is logged and apologised for.

        Raises:
            DatabaseError: The history could not be read or kept.
            NotDelivered: A message could not be sent; if that is not final, it is kept and goes
                out before the chat's next answer.
            Exception: Whatever else `outlet.send` raises.
        """
        if self._closed:
            return
        turns = self._turns(outlet.chat)
        if not turns.take():
            return
        task = asyncio.create_task(self._take_turns(turns, outlet))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            await task
        except Exception:
            self.watch.failed(outlet.chat.platform)
            raise
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if not self._closed or (caller is not None and caller.cancelling()):
                raise

    async def reset(self, chat: ChatId) -> None:
        """Start over: what was said so far is not looked at again, though the database keeps it.

        An answer being written belongs to what was said, so it is waited for.

        Raises:
            DatabaseError: It could not be marked.
        """
        turns = self._turns(chat)  # held, or it would be gone while it is locked
        async with turns.lock:
            await self.history.forget(chat)

    async def take_back(self, chat: ChatId, *, question: bool) -> bool:
        """Put the newest answer out of the model's sight.

        Args:
            chat: Where.
            question: Whether what it answered goes with it; otherwise that asks anew, and
                `respond` gives another answer.

        Returns:
            False if nothing was said yet.

        Raises:
            DatabaseError: It could not be marked.
        """
        turns = self._turns(chat)
        async with turns.lock:
            return await self.history.hide_last(chat, question=question)

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Take no more, give the answers being written some time, then stop them."""
        self._closed = True
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=grace_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _turns(self, chat: ChatId) -> Turns:
        return self._chats.setdefault(chat, Turns(self.manner))

    async def _take_turns(self, turns: Turns, outlet: Outlet) -> None:
        """Answer until nothing waits; an error counts only if nobody wrote again since."""
        try:
            async with self.history.claimed(outlet.chat) as mine:
                while mine:
                    try:
                        async with turns.lock:
                            await self._take_turn(turns, outlet)
                    except Exception:
                        if not turns.more:
                            raise
                    if not turns.more:
                        return
        finally:
            turns.busy = False

    async def _take_turn(self, turns: Turns, outlet: Outlet) -> None:
        turns.begin()
        for draft in await self.history.drafts(outlet.chat):
            await self._send(outlet, draft)
        who = await self.history.asker(outlet.chat)
        if who is None:
            return
        await turns.until_done(who)
        messages = await self.history.recent(outlet.chat, limit=self._engine.card.context_tokens)
        turns.see(messages)
        if messages:
            await self._answer(turns, outlet, messages)

    async def _answer(self, turns: Turns, outlet: Outlet, messages: list[Message]) -> None:
        """Write and send until the answer is whole or somebody writes again."""
        through, first, since = messages[-1].id, True, time.monotonic()
        words = turns.uninterrupted(self._words(outlet.chat, messages))
        async with outlet.typing(), aclosing(words):
            async for text, kind in words:
                planned = outlet.split(text)
                for draft in await self.history.plan(outlet.chat, through, planned, kind):
                    if not first and await turns.interrupts(self.manner.typing_seconds(draft.text)):
                        break
                    await self._send(outlet, draft)
                    turns.answered()
                    if first:
                        seconds = time.monotonic() - since
                        self.watch.answered(outlet.chat.platform, seconds)
                    first = False
        if turns.interrupted.is_set():
            await self.history.withdraw(outlet.chat)
        elif first:  # there was nothing to say
            await self.history.plan(outlet.chat, through, [], "text")

    async def _send(self, outlet: Outlet, draft: Draft) -> None:
        try:
            message_id = await outlet.send(draft.text, draft.nonce)
        except Exception as error:
            if not isinstance(error, NotDelivered) or error.final:
                await self.history.withdraw(outlet.chat)
            raise
        await self.history.sent(draft, message_id, self.me, self._clock())

    async def _words(
        self, chat: ChatId, messages: list[Message]
    ) -> AsyncGenerator[tuple[str, Kind], None]:
        """Yield what to send: the model's messages, or an apology if it fails before the first."""
        spoken = False
        try:
            sampling = self._sampling.at(len(messages))
            reply = self._engine.reply(messages, sampling, now=self._clock())
            async with aclosing(reply):
                async for part in reply:
                    spoken = True
                    yield part.text, "text"
        except Exception as error:  # noqa: BLE001 (a broken answer must not end the bot)
            self.watch.failed(chat.platform)
            # The error's own text may quote the chat, so only where and what kind is told.
            trail = "".join(traceback.format_tb(error.__traceback__))
            log.error("The model failed in %s: %s\n%s", chat, type(error).__name__, trail)  # noqa: TRY400
            if not spoken:
                yield APOLOGY, "automated"
