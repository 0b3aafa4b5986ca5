"""The in-process engine: prompts in, replies out, whatever model computes them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

from bot.engine import Outlook, Sampling, Trace
from bot.engine.asking import ask, newest_conversation, room_for, seen
from bot.engine.caches import Caches
from bot.engine.choosing import write_best
from bot.engine.grammar import Grammar
from bot.engine.guard import NO_GUARD, Guard
from bot.engine.models import Model
from bot.engine.outlook import look_ahead
from bot.engine.scheduler import Scheduler
from bot.engine.unsaid import NOTHING_UNSAID, Unsaid
from bot.engine.writing import Request, write
from likeness.card import RunCard
from likeness.dialogue import Part, silence_tag
from likeness.errors import ModelError
from likeness.messages import Message
from likeness.tokenizer import FolderTokenizer

CACHE_BYTES = 256 * 2**20


class LocalEngine:
    """Writes replies in a thread of this process; a `bot.engine.ReplyEngine`."""

    def __init__(
        self,
        card: RunCard,
        model: Model,
        grammar: Grammar,
        guard: Guard = NO_GUARD,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """Take what is loaded already; the model is the engine's from now on.

        Args:
            card: Of the model.
            model: What computes.
            grammar: Of the model.
            guard: Which messages it refuses.
            cache_bytes: How much memory to spend on remembering what was read of each chat.
        """
        self.card = card
        self._model = model
        self._grammar = grammar
        self._guard = guard
        self._caches = Caches(model, cache_bytes)
        self._scheduler = Scheduler(model)
        self._closed = False

    @classmethod
    def of(
        cls,
        folder: Path,
        card: RunCard,
        tokenizer: FolderTokenizer,
        model: Model,
        unsaid: Unsaid = NOTHING_UNSAID,
    ) -> "LocalEngine":
        """Put the parts of a model folder together, and what its owner wants never said.

        Raises:
            ModelError: They do not belong to each other.
        """
        writable = tokenizer.writable
        if max(writable) >= model.vocabulary or model.positions < card.context_tokens:
            raise ModelError(
                f"The tokenizer or the card in {folder} belongs to another model: train it again."
            )
        grammar = Grammar(tokenizer, model.vocabulary, writable, tokenizer.fragments)
        return cls(card, model, grammar, Guard.load(folder, unsaid))

    async def reply(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        now: datetime | None = None,
        opening: str = "",
        trace: Trace | None = None,
    ) -> AsyncGenerator[Part, None]:
        """Yield the messages of one turn of mine, each as soon as it is whole.

        See `bot.engine.ReplyEngine`. Equal questions with a seed get equal replies, whatever
        else is being written and whatever of the chat is still remembered.

        Raises:
            ModelError: The engine is closed.
        """
        request = await asyncio.to_thread(
            self._request, list(messages), sampling, now, opening, trace or Trace()
        )
        several = sampling.best_of > 1 and sampling.temperature > 0
        steps = (write_best if several else write)(request, self._grammar, self._caches)
        async with aclosing(self._scheduler.stream(steps)) as parts:
            async for part in parts:
                yield part

    async def outlook(
        self, messages: Sequence[Message], sampling: Sampling, *, now: datetime | None = None
    ) -> Outlook | None:
        """Tell what the model expects of a chat; see `bot.engine.ReplyEngine`.

        Raises:
            ModelError: The engine is closed.
        """
        newest = newest_conversation(messages, self.card)
        shown = [message for message in newest if message.shown]
        if not shown:
            return None
        tokenizer = self._grammar.tokenizer
        tag = silence_tag((now - shown[-1].sent_at).total_seconds()) if now else None
        ids = await asyncio.to_thread(seen, newest, tokenizer, self.card, sampling)
        late = tokenizer.tag(tag) if tag else None
        steps = look_ahead(ids, late, tokenizer, self.card, self._caches)
        async with aclosing(self._scheduler.stream(steps)) as found:
            return await anext(found, None)

    async def close(self) -> None:
        """Stop all work, and give the memory back."""
        await self._scheduler.close()
        if not self._closed:
            self._closed = True
            self._caches.close()
            self._model.close()

    def _request(
        self,
        messages: list[Message],
        sampling: Sampling,
        now: datetime | None,
        opening: str,
        trace: Trace,
    ) -> Request:
        ids = ask(messages, self._grammar.tokenizer, self.card, sampling, now, opening)
        room = room_for(sampling, self.card)
        return Request(ids, room, sampling, messages, self._guard, trace)
