"""The remote engine: any server that speaks OpenAI's completions interface, such as vLLM."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp.http import HttpProcessingError

from bot.engine import Outlook, Sampling, Trace
from bot.engine.asking import ask, given_words, room_for
from bot.engine.grammar import readable
from bot.engine.guard import NO_GUARD, Guard
from bot.engine.wire import RefusedForNow, Written, choices, completion, model_of, refusal
from likeness.card import RunCard
from likeness.dialogue import Part, ReplyReader, Tokenizer
from likeness.errors import ModelError
from likeness.messages import Message

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 10
_WRONG_KEY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_PATIENCE_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""How long to wait before each further try."""
_NO_ADDRESS = (aiohttp.InvalidURL, UnicodeError)  # the latter where a label of the host is empty
_FINAL = (*_NO_ADDRESS, aiohttp.ClientSSLError)


class RemoteEngine:
    """Has replies written by a server; a `bot.engine.ReplyEngine`.

    Prompts are sent as token ids, so that a tag which somebody typed stays text. Ids that come
    back are taken as they are, else the text is read for tags.
    """

    def __init__(
        self,
        card: RunCard,
        tokenizer: Tokenizer,
        url: str,
        key: str | None = None,
        patience_seconds: Sequence[float] = _PATIENCE_SECONDS,
        guard: Guard = NO_GUARD,
    ) -> None:
        """Connect to nothing yet.

        Args:
            card: Of the model that the server has.
            tokenizer: Of that model.
            url: Where the server is, with or without `/v1` at the end.
            key: What the server asks for, if it does.
            patience_seconds: How long to wait before each further try.
            guard: Which messages it refuses: a reply ends before one.
        """
        self.card = card
        self._tokenizer = tokenizer
        self._guard = guard
        self._url = url.rstrip("/").removesuffix("/v1") + "/v1"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._patience_seconds = patience_seconds
        self._session: aiohttp.ClientSession | None = None
        self._model: str | None = None
        self._fetching: set[asyncio.Task[None]] = set()
        self._closed = False

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

        See `bot.engine.ReplyEngine`. Closing it closes the connection, which tells the server.

        Raises:
            ModelError: The engine is closed, or the server is not there, refuses, or breaks off.
        """
        if self._closed:
            raise ModelError("The engine is closed and writes no more replies.")
        trace = trace or Trace()
        tokenizer, chat = self._tokenizer, list(messages)
        ids = await asyncio.to_thread(ask, chat, tokenizer, self.card, sampling, now, opening)
        trace.prompt = tokenizer.decode(ids)
        reader = ReplyReader(tokenizer)
        for id_ in given_words(ids, tokenizer):
            reader.read(id_)
        asked = completion(ids, room_for(sampling, self.card), sampling, tokenizer)
        written: list[int] = []
        async with aclosing(self._stream(asked, sampling.max_seconds)) as tokens:
            async for id_ in tokens:
                written.append(id_)
                trace.output = tokenizer.decode(written)
                part = _clean(reader.read(id_))
                if part and self._guard.refuses(part.text):
                    return
                if part:
                    yield part
                if reader.ended:
                    return
        part = _clean(reader.finish())
        if part and not self._guard.refuses(part.text):
            yield part

    async def outlook(
        self,
        messages: Sequence[Message],  # noqa: ARG002 (the protocol has it)
        sampling: Sampling,  # noqa: ARG002 (the protocol has it)
        *,
        now: datetime | None = None,  # noqa: ARG002 (the protocol has it)
    ) -> Outlook | None:
        """Tell nothing: a completions server writes, and does not tell what it expects."""
        return None

    async def close(self) -> None:
        """Break off all replies, and take no more."""
        self._closed = True
        for fetching in self._fetching:
            fetching.cancel()
        if self._session is not None:
            await self._session.close()

    async def _stream(self, asked: dict[str, Any], seconds: float) -> AsyncGenerator[int, None]:
        """Yield the tokens of a reply as they come.

        One task speaks with the server whoever takes the tokens, and closing this ends it.
        """
        came: asyncio.Queue[int | None] = asyncio.Queue()
        fetching = asyncio.create_task(self._fetch(asked, seconds, came.put_nowait))
        self._fetching.add(fetching)
        fetching.add_done_callback(lambda _: came.put_nowait(None))
        fetching.add_done_callback(self._fetching.discard)
        try:
            while (id_ := await came.get()) is not None:
                yield id_
            if not self._closed:
                await fetching
        finally:
            fetching.cancel()
            await asyncio.wait([fetching])

    async def _fetch(
        self, asked: dict[str, Any], seconds: float, take: Callable[[int], None]
    ) -> None:
        """Ask, again and again while nothing has come, and pass on what comes."""
        written = Written(self._tokenizer)
        try:
            async with asyncio.timeout(seconds):
                for patience in (*self._patience_seconds, None):
                    try:
                        await self._ask(asked, written, take)
                        break
                    except (aiohttp.ClientError, UnicodeError, RefusedForNow) as error:
                        if patience is None or written.begun or isinstance(error, _FINAL):
                            raise ModelError(self._failure(error)) from None
                        log.info("The model's server failed: %s", type(error).__name__)
                    await asyncio.sleep(patience)
        except TimeoutError:
            if not written.begun:
                raise ModelError(f"{self._url} did not answer in time.") from None
        for id_ in written.finish():
            take(id_)

    async def _ask(
        self, asked: dict[str, Any], written: Written, take: Callable[[int], None]
    ) -> None:
        session = self._connected()
        known = self._model is not None
        if not known:
            # A server that fails here may hang up, so that nothing else is sent this way.
            once = {"Connection": "close"}
            async with session.get(f"{self._url}/models", headers=once) as response:
                if response.status in _WRONG_KEY:
                    self._check(response.status)
                self._model = model_of(await response.read())
        body = asked | ({"model": self._model} if self._model else {})
        async with session.post(f"{self._url}/completions", json=body) as response:
            if response.status == HTTPStatus.NOT_FOUND and known:
                self._model = None  # the server may have come back with the model by another name
                raise RefusedForNow
            self._check(response.status)
            async for choice in choices(_lines(response.content)):
                for id_ in written.read(choice):
                    take(id_)

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(
                headers=self._headers, timeout=timeout, connector=connector
            )
        return self._session

    def _check(self, status: int) -> None:
        if status >= HTTPStatus.BAD_REQUEST:
            reason = refusal(status)
            if reason is None:
                raise RefusedForNow
            raise ModelError(f"{self._url} {reason}.")

    def _failure(self, error: Exception) -> str:
        if isinstance(error, _NO_ADDRESS):
            return f"{self._url} is no address: mend what --engine or LIKENESS_ENGINE_URL says."
        if isinstance(error, aiohttp.ClientSSLError):
            return (
                f"{self._url} gives no secure connection: does the server speak https, with a "
                "certificate that is trusted here?"
            )
        if isinstance(error, aiohttp.ClientConnectorError):
            return f"{self._url} cannot be reached: is the server running there?"
        return f"{self._url} broke off or had no time: look into the server's log."


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Yield the lines of an answer.

    Raises:
        RefusedForNow: One of them does not end.
    """
    try:
        async for line in content:
            yield line
    except (HttpProcessingError, ValueError) as error:  # before aiohttp 3.14 it was the latter
        raise RefusedForNow from error


def _clean(part: Part | None) -> Part | None:
    text = readable(part.text) if part else ""
    return replace(part, text=text) if part and text else None
