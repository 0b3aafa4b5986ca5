"""What every platform shares: hear a message, answer it in its chat's order, start over."""

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

from bot.answerer import Answerer
from bot.engine import ReplyEngine, Sampling
from bot.history import ChatId, History, Place, speakers_of
from bot.outlet import Outlet
from bot.pace import Manner
from bot.turns import Turns
from bot.voice import Voice
from bot.watch import Watch
from likeness.messages import Message

FORECAST_SECONDS = 1.0
"""How long the model may take to tell whose turn it is."""


class Conversation:
    """Keeps what it hears and answers as the model's person, each chat in its own order.

    Attributes:
        within: By platform, what returns the ids of the chats in a larger place, such as a server.
    """

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
        self.voice = Voice(engine, sampling or Sampling(), clock, self.watch)
        self._clock = clock
        self._answerer = Answerer(history, self.voice, self.manner, self.watch, clock)
        self._chats: WeakValueDictionary[ChatId, Turns] = WeakValueDictionary()
        self._running: dict[asyncio.Task[None], ChatId] = {}
        self._closed = False
        self._since = clock()
        self.within: dict[str, Callable[[str], Collection[str]]] = {}

    @property
    def me(self) -> str:
        """The name of the person whom the bot imitates."""
        return self.voice.engine.card.me

    @property
    def up_seconds(self) -> float:
        """How long this has been at work."""
        return (self._clock() - self._since).total_seconds()

    @property
    def answering(self) -> int:
        """How many chats are being answered."""
        return len(self._running)

    @property
    def oldest(self) -> datetime:
        """What was said before is not answered any more."""
        return self._clock() - timedelta(seconds=self.manner.answer_within_seconds)

    async def hear(
        self, chat: ChatId, message: Message, *, asks: bool = True, chimes: bool = False
    ) -> bool:
        """Keep a message that somebody sent, and whether it asks for an answer.

        Args:
            chat: Where.
            message: What was sent.
            asks: Whether to answer it.
            chimes: Whether to do so though it was not for the bot.

        Returns:
            Whether to call `respond`: not if it was heard before, as its answer is given, being
            written, or owed; not if it is too old; and not if somebody sees to it already, whose
            answer stops then if it was being written without regard to this message.

        Raises:
            DatabaseError: It could not be kept.
        """
        asks = asks and self.answerable(message)
        if not await self.history.add(chat, message, asks=asks):
            return False
        return self.notice(chat, message, asks=asks, chimes=chimes)

    def answerable(self, message: Message) -> bool:
        """Return whether a message is one that is answered: neither empty nor too old."""
        return message.shown and message.sent_at >= self.oldest

    def notice(self, chat: ChatId, message: Message, *, asks: bool, chimes: bool) -> bool:
        """Take notice of a message that the history has just kept, as `hear` does; so returns."""
        self.watch.heard(chat.platform)
        turns = self._turns(chat)
        turns.hear(message.speaker_id)
        if asks and chimes:
            self._answerer.chime(chat, message.id)
        return asks and not turns.ask(message.id)

    async def my_turn(self, chat: ChatId, message: Message) -> float | None:
        """Return how likely the person would speak after a message.

        Returns:
            None if the model cannot tell, or not in time: what else is heard waits for it.

        Raises:
            DatabaseError: The history could not be read.
        """
        messages = [*await self._answerer.recent(chat), message]
        try:
            async with asyncio.timeout(FORECAST_SECONDS):
                outlook = await self.voice.outlook(chat, messages, self._clock())
        except TimeoutError:
            return None
        return outlook.my_turn if outlook else None

    async def owed(self, platform: str, limit: int) -> list[Place]:
        """Return what waits for an answer that nobody sees to, those that wait longest first.

        Raises:
            DatabaseError: It could not be read.
        """
        here = self._chats.items()
        busy = [chat for chat, turns in here if turns.busy and chat.platform == platform]
        if busy and self.history.shared:  # another process may have heard more there
            for place in await self.history.asking(busy):
                if (turns := self._chats.get(place.chat)) is not None:
                    turns.ask(place.message_id)
        return await self.history.owed(platform, self.oldest, limit, busy)

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
        task = asyncio.create_task(self._answerer.take_turns(turns, outlet))
        self._running[task] = outlet.chat
        task.add_done_callback(self._running.pop)
        try:
            await task
        except Exception:
            self.watch.failed(outlet.chat.platform)
            raise
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if (caller is not None and caller.cancelling()) or not task.cancelling():
                raise

    async def reset(self, chat: ChatId, through: int | None = None) -> None:
        """Start over: what was said so far is not looked at again, though the database keeps it.

        An answer being written belongs to what was said, so it is waited for; what is heard
        meanwhile does not.

        Args:
            chat: Where.
            through: What `History.mark` returned when this was asked for; by default now.

        Raises:
            DatabaseError: It could not be marked.
        """
        if through is None:
            through = await self.history.mark(chat)
        turns = self._turns(chat)  # held, or it would be gone while it is locked
        async with turns.lock:
            await self.history.forget(chat, through=through)

    async def take_back(self, chat: ChatId, *, question: bool) -> bool:
        """Put the newest answer out of the model's sight.

        Args:
            chat: Where.
            question: Whether what it answered goes with it; otherwise that asks anew, and
                `respond` gives another answer.

        Returns:
            False if nothing was said yet, or the bot is stopped and would not answer anew.

        Raises:
            DatabaseError: It could not be marked.
        """
        turns = self._turns(chat)
        async with turns.lock:
            return await self.history.hide_last(chat, question=question)

    async def stop(self) -> None:
        """Answer nothing any more, anywhere, until `go`: at once, and for all processes.

        Raises:
            DatabaseError: It could not be kept; what was being written is stopped all the same.
        """
        try:
            await self.history.stop()
        finally:
            await _end(self._running)
        await self.history.release()  # what they planned until they were stopped

    async def go(self) -> None:
        """Answer again what is said from now on.

        Raises:
            DatabaseError: It could not be kept.
        """
        await self.history.go()

    async def erase(self, platform: str, speaker_id: str) -> int:
        """Delete what is kept of somebody, and stop what is being answered to them alone.

        Returns:
            How many messages that were.

        Raises:
            DatabaseError: They could not be deleted.
        """
        theirs = await self.history.alone_with(platform, speaker_id)
        await _end([task for task, chat in self._running.items() if chat in theirs])
        return await self.history.erase(platform, speaker_id)

    async def shut_out(self, platform: str, id_: str) -> None:
        """Answer somebody no more, or a place: what they wait for is dropped, even half written.

        Args:
            platform: Where.
            id_: As the owner's list has it; the list says already that they are denied.

        Raises:
            DatabaseError: It could not be kept.
        """
        within = self.within.get(platform)
        places = {id_, *(within(id_) if within else ())}
        for place in places:
            await self.history.drop(platform, place)
        names = speakers_of(id_)
        for chat, turns in list(self._chats.items()):
            if chat.platform != platform or not turns.busy:
                continue
            if turns.speaker in names or not places.isdisjoint((chat.chat, chat.thread)):
                turns.drop()
                async with turns.lock:  # what is on its way arrives before anybody is told
                    pass

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Take no more, give the answers being written some time, then stop them."""
        self._closed = True
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=grace_seconds)
        await _end(late)

    def _turns(self, chat: ChatId) -> Turns:
        return self._chats.setdefault(chat, Turns(self.manner))


async def _end(answers: Collection[asyncio.Task[None]]) -> None:
    """Stop answers, and wait until they are."""
    ending = list(answers)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
