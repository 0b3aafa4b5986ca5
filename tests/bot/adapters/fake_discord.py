"""Discord's REST API and gateway on loopback, as little as a login, a message and a reply need."""

import asyncio
import itertools
import json
from collections import defaultdict, deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import discord
from aiohttp import WSMsgType, web

TOKEN = "a-token.that-must.stay-secret"
BOT = {"id": "4711", "username": "Likeness", "discriminator": "0", "avatar": None, "bot": True}
ANN = {"id": "42", "username": "Ann", "discriminator": "0", "avatar": None}
DM = {"id": "7", "type": 1, "recipients": [ANN]}

Json = dict[str, Any]


class FakeDiscord:
    """The two servers on one port.

    Attributes:
        faults: HTTP statuses that a path answers instead, once each.
        close_codes: Codes with which the gateway closes instead of READY, once each.
        refused: How many more connections to the gateway fail.
    """

    def __init__(self) -> None:
        self.faults: defaultdict[str, deque[int]] = defaultdict(deque)
        self.close_codes: deque[int] = deque()
        self.refused = 0
        self.sent: list[str] = []
        self.identified = 0
        self.closed_by_bot = 0
        self.api_url = ""
        self.gateway_url = ""
        self._socket: web.WebSocketResponse | None = None
        self._sequence = itertools.count(1)
        self._ids = itertools.count(discord.utils.time_snowflake(discord.utils.utcnow()))

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/gateway", self._gateway)
        app.router.add_route("*", "/api/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.api_url = f"http://{host}:{port}/api"
        self.gateway_url = f"ws://{host}:{port}/gateway"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trail: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def say(self, text: str) -> None:
        """Let Ann write to the bot in private."""
        await self.dispatch("CHANNEL_CREATE", DM)
        await self.dispatch("MESSAGE_CREATE", self._message(ANN, text))

    async def dispatch(self, event: str, data: Json) -> None:
        """Send an event over the gateway."""
        assert self._socket is not None
        await self._socket.send_json({"op": 0, "t": event, "s": next(self._sequence), "d": data})

    async def until(self, true: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 (it may be about anything)
                await asyncio.sleep(0.005)

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        if self.refused:
            self.refused -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 40_000}})
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await self._hear(socket, json.loads(message.data))
        self.closed_by_bot += socket.close_code is not None
        return socket

    async def _hear(self, socket: web.WebSocketResponse, payload: Json) -> None:
        if payload["op"] == 1:
            await socket.send_json({"op": 11})
        if payload["op"] == 2 and self.close_codes:
            await socket.close(code=self.close_codes.popleft())
        elif payload["op"] == 2:
            self.identified += 1
            self._socket = socket
            await self.dispatch(
                "READY",
                {
                    "v": 10,
                    "session_id": "session",
                    "resume_gateway_url": self.gateway_url,
                    "user": BOT,
                    "guilds": [],
                    "application": {"id": BOT["id"], "flags": 0},
                },
            )

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, 401)
        if self.faults[path]:
            return _json({"message": "a fault", "code": 0}, self.faults[path].popleft())
        if path == "users/@me":
            return _json(BOT)
        if path == "oauth2/applications/@me":
            return _json(APPLICATION)
        if path.endswith("/commands"):
            return _json([] if request.method == "GET" else await self._commands(request))
        if path.endswith("/messages"):
            text = (await request.json())["content"]
            self.sent.append(text)
            return _json(self._message(BOT, text))
        return _json({})

    async def _commands(self, request: web.Request) -> list[Json]:
        extra = {"application_id": BOT["id"], "version": "1"}
        return [{"id": str(next(self._ids)), **extra, **sent} for sent in await request.json()]

    def _message(self, author: Json, text: str) -> Json:
        return {
            "id": str(next(self._ids)),
            "channel_id": DM["id"],
            "type": 0,
            "content": text,
            "author": author,
            "timestamp": "2024-05-01T12:00:00+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "pinned": False,
            "flags": 0,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [],
        }


APPLICATION = {
    "id": BOT["id"],
    "name": "Likeness",
    "description": "",
    "icon": None,
    "bot_public": False,
    "bot_require_code_grant": False,
    "verify_key": "",
    "owner": ANN,
    "flags": 0,
}


def _json(found: Any, status: int = 200) -> web.Response:
    # discord.py reads JSON only if the header is exactly this.
    body = json.dumps(found).encode()
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json"})
