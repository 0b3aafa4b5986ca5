"""A small completions server on a real socket, which writes what it is told to."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Event = dict[str, Any] | str | bytes | asyncio.Event | None


def text(words: str) -> Event:
    """Make an event that brings words, as most servers send it."""
    return {"choices": [{"index": 0, "text": words}]}


@dataclass
class Completions:
    """What the server is asked, and what it does.

    Attributes:
        key: What it asks for.
        replies: What it writes, a list of events a reply: a dictionary, a raw line, something to
            wait for, None to break off, or bytes to end with as if that were all; afterwards
            always two short messages.
        refusals: The statuses with which it answers first.
        names_its_model: Whether it can tell which model it has.
        name: Of its model; it knows no other.
        asked: The requests that it took.
        left: Set when an asker went away before the end.
    """

    key: str = ""
    replies: deque[list[Event]] = field(default_factory=deque)
    refusals: deque[int] = field(default_factory=deque)
    names_its_model: bool = True
    name: str = "runs/me"
    asked: list[dict[str, Any]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def application(self) -> web.Application:
        made = web.Application()
        made.router.add_get("/v1/models", self._models)
        made.router.add_post("/v1/completions", self._complete)
        return made

    async def _models(self, request: web.Request) -> web.Response:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": "wrong key"}, status=401)
        if not self.names_its_model:
            return web.Response(status=500, text="Internal Server Error")
        return web.json_response({"data": [{"id": self.name}]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        if self.asked[-1].get("model", self.name) != self.name:
            return web.json_response({"error": {"message": "no such model"}}, status=404)
        if self.refusals:
            return web.json_response({"error": {"message": "no"}}, status=self.refusals.popleft())
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        usual: list[Event] = [text(" o"), text("ne<m"), text("sg>two\n")]
        try:
            for event in self.replies.popleft() if self.replies else usual:
                if isinstance(event, asyncio.Event):
                    await event.wait()
                elif isinstance(event, bytes):
                    await response.write(event)
                    return response
                elif event is None:
                    assert request.transport is not None
                    request.transport.abort()
                    return response
                else:
                    line = event if isinstance(event, str) else json.dumps(event)
                    await response.write(f"data: {line}\n\n".encode())
            await response.write(b"data: [DONE]\n\n")
        except (ConnectionError, asyncio.CancelledError):
            self.left.set()
            raise
        return response


@asynccontextmanager
async def serving(completions: Completions) -> AsyncIterator[str]:
    """Serve on a free port of this machine; give the URL."""
    runner = web.AppRunner(
        completions.application(), handler_cancellation=True, shutdown_timeout=0.1
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    yield f"http://{host}:{port}"
    await runner.cleanup()
