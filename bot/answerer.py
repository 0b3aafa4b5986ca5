"""One chat's answers: what is left is sent, then what waits is answered, until nothing waits."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime

from bot.history import ChatId, Draft, History, Question
from bot.outlet import NotDelivered, Outlet
from bot.pace import Manner
from bot.turns import Turns
from bot.voice import Voice
from bot.watch import Watch
from likeness.messages import Message

SIGNS = 20
"""How many chats show at once that the bot is typing: each sign is a call to the platform, again
and again, and in a crowd most of what waits is not being written yet."""
UNKEPT = 10_000
"""How many messages to remember at the most that were sent and could not be kept as such."""


class Answerer:
    """Answers what waits in a chat; `bot.conversation.Conversation` says when."""

    def __init__(
        self,
        history: History,
        voice: Voice,
        manner: Manner,
        watch: Watch,
        clock: Callable[[], datetime],
    ) -> None:
        """Take what it works with."""
        self._history = history
        self._voice = voice
        self._manner = manner
        self._watch = watch
        self._clock = clock
        self._chimed: dict[ChatId, str] = {}
        self._unkept: dict[int, str] = {}
        self._signs = asyncio.Semaphore(SIGNS)

    def chime(self, chat: ChatId, message_id: str) -> None:
        """Note that a message is answered though it was not for the bot."""
        self._chimed[chat] = message_id

    async def recent(self, chat: ChatId) -> list[Message]:
        """Return as much of a chat as the model could see at the most.

        Raises:
            DatabaseError: It could not be read.
        """
        return await self._history.recent(chat, limit=self._voice.engine.card.context_tokens)

    async def take_turns(self, turns: Turns, outlet: Outlet) -> None:
        """Answer until nothing waits; an error counts only if nobody wrote again since.

        Raises:
            DatabaseError: The history could not be read or kept.
            NotDelivered: A message could not be sent.
            Exception: Whatever else `outlet.send` raises.
        """
        try:
            async with self._history.claimed(outlet.chat) as mine:
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
        for place, draft in enumerate(await self._history.drafts(outlet.chat)):
            await self._send(outlet, draft, "" if place else draft.answers)
        question = await self._history.question(outlet.chat)
        if question is None:
            return
        await turns.until_done(question.speaker_id, lambda: self._pause(outlet.chat))
        question = await self._history.question(outlet.chat)  # by now another, or none any more
        if question is not None:
            turns.speaker = question.speaker_id
        messages = await self.recent(outlet.chat)
        turns.see(messages)
        if messages and question is not None:
            await self._answer(
                turns, outlet, messages, self._replies_to(question, outlet, messages)
            )

    async def _pause(self, chat: ChatId) -> float:
        """Return how long to wait whether there comes more, in seconds."""
        outlook = await self._voice.outlook(chat, await self.recent(chat))
        return self._manner.pause(outlook.finished if outlook else None)

    def _replies_to(self, question: Question, outlet: Outlet, messages: list[Message]) -> str:
        """Return the message to reply to; none where the bot chimes in and nobody spoke since."""
        if self._chimed.get(outlet.chat) != question.message_id:
            return question.message_id
        del self._chimed[outlet.chat]
        return "" if messages[-1].id == question.message_id else question.message_id

    async def _answer(
        self, turns: Turns, outlet: Outlet, messages: list[Message], answers: str
    ) -> None:
        """Write and send until the answer is whole or somebody writes again."""
        chat, through, first, since = outlet.chat, messages[-1].id, True, time.monotonic()
        customs = await self._history.customs(chat)
        manner = customs.manner(self._manner)
        words = turns.uninterrupted(self._voice.words(chat, messages, customs))
        async with outlet.typing(self._signs), aclosing(words):
            async for text, kind in words:
                planned = outlet.split(text)
                for draft in await self._history.plan(outlet.chat, through, planned, kind, answers):
                    if not first and await turns.interrupts(manner.typing_seconds(draft.text)):
                        break
                    if not await self._send(outlet, draft, answers if first else ""):
                        break
                    turns.answered()
                    if first:
                        seconds = time.monotonic() - since
                        self._watch.answered(outlet.chat.platform, seconds)
                    first = False
        if turns.interrupted.is_set():
            await self._history.withdraw(outlet.chat)
            if not turns.more:  # who was answered was shut out, but others may wait
                await self._ask_again(turns, outlet.chat)
        elif first:  # there was nothing to say, or the newest of it is deleted by now
            await self._history.plan(chat, through, [], "text", answers)
            await self._ask_again(turns, chat)

    async def _ask_again(self, turns: Turns, chat: ChatId) -> None:
        """Have another turn taken if somebody still waits whose message was seen in this one."""
        turns.begin()
        question = await self._history.question(chat)
        if question is not None:
            turns.ask(question.message_id)

    async def _send(self, outlet: Outlet, draft: Draft, answers: str) -> bool:
        """Send a draft, and keep that it was; if only that failed before, it is not sent again.

        Returns:
            False if it was taken back meanwhile, and was not sent.
        """
        if draft.id not in self._unkept:
            if not await self._history.stands(draft):
                return False
            try:
                message_id = await outlet.send(draft.text, draft.nonce, answers)
            except Exception as error:
                if not isinstance(error, NotDelivered) or error.final:
                    await self._history.withdraw(outlet.chat)
                raise
            if len(self._unkept) >= UNKEPT:
                del self._unkept[next(iter(self._unkept))]
            self._unkept[draft.id] = message_id
        me = self._voice.engine.card.me
        await self._history.sent(draft, self._unkept[draft.id], me, self._clock())
        del self._unkept[draft.id]
        return True
