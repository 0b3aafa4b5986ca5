"""Discord's gateway on loopback: logins, heartbeats, events, sessions that go on or are lost."""

import itertools
import json
import zlib
from collections import deque
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import WSMsgType, web

BOT = {"id": "4711", "username": "Likeness", "discriminator": "0", "avatar": None, "bot": True}

Json = dict[str, Any]


class FakeGateway:
    """The server that tells the bot what happens.

    Attributes:
        close_codes: Codes with which the gateway closes instead of READY, once each.
        refused: How many more connections to the gateway fail.
        resumable: Whether a session may go on; otherwise what was missed is lost.
        deaf: Whether heartbeats are left without an answer.
        close_code: With which the newest connection to the gateway was closed.
        compressed: How many frames were sent compressed; None to send none so.
        guilds: The servers that the bot is in, each told of by `GUILD_CREATE` later.
        first: Events that come right behind READY, once.
    """

    def __init__(self) -> None:
        self.close_codes: deque[int] = deque()
        self.refused = 0
        self.resumable = True
        self.resumed = 0
        self.deaf = False
        self.compressed: int | None = None
        self.guilds: list[Json] = []
        self.first: list[tuple[str, Json]] = []
        self._streams: WeakKeyDictionary[web.WebSocketResponse, Any] = WeakKeyDictionary()
        self.heartbeats = 0
        self.heartbeat_interval = 40_000
        self._events: list[Json] = []
        self.identified = 0
        self.intents: list[int] = []
        self.shards: list[list[int]] = []
        self.closed_by_bot = 0
        self.close_code: int | None = None
        self.gateway_url = ""
        self._socket: web.WebSocketResponse | None = None
        self._sequence = itertools.count(1)

    async def dispatch(self, event: str, data: Json) -> None:
        """Send an event over the gateway, now or when the session goes on."""
        payload = {"op": 0, "t": event, "s": next(self._sequence), "d": data}
        self._events.append(payload)
        if self._socket is not None and not self._socket.closed:
            await self._tell(self._socket, payload)

    async def _tell(self, socket: web.WebSocketResponse, payload: Json) -> None:
        """Send a payload, in one compressed stream a connection where that was asked for."""
        if self.compressed is None:
            await socket.send_json(payload)
            return
        stream = self._streams.setdefault(socket, zlib.compressobj())
        sent = stream.compress(json.dumps(payload).encode()) + stream.flush(zlib.Z_SYNC_FLUSH)
        for piece in (sent[:20], sent[20:]):  # a payload may come in several frames
            await socket.send_bytes(piece)
            self.compressed += 1

    async def ask_to_reconnect(self) -> None:
        """Tell the bot to come again, as Discord does before it restarts a server."""
        assert self._socket is not None
        socket, self._socket = self._socket, None
        await self._tell(socket, {"op": 7, "d": None})

    async def drop(self, code: int = 4000) -> None:
        """Close the connection."""
        assert self._socket is not None
        socket, self._socket = self._socket, None
        await socket.close(code=code)

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        if self.refused:
            self.refused -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.asked_to_compress = request.query.get("compress", "")
        await self._tell(socket, {"op": 10, "d": {"heartbeat_interval": self.heartbeat_interval}})
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await self._hear(socket, json.loads(message.data))
        self.close_code = socket.close_code
        self.closed_by_bot += socket.close_code is not None
        return socket

    async def _hear(self, socket: web.WebSocketResponse, payload: Json) -> None:
        if payload["op"] == 1:
            self.heartbeats += 1
            if not self.deaf:
                await self._tell(socket, {"op": 11})
        if payload["op"] == 6:
            await self._resume(socket, payload["d"]["seq"])
        if payload["op"] == 2 and self.close_codes:
            await socket.close(code=self.close_codes.popleft())
        elif payload["op"] == 2:
            self.identified += 1
            self.intents.append(payload["d"]["intents"])
            shard, shards = payload["d"].get("shard", [0, 1])
            self.shards.append(payload["d"].get("shard", []))
            self._socket = socket
            mine = [one["id"] for one in self.guilds if (int(one["id"]) >> 22) % shards == shard]
            await self.dispatch(
                "READY",
                {
                    "v": 10,
                    "session_id": "session",
                    "resume_gateway_url": self.gateway_url,
                    "user": BOT,
                    "guilds": [{"id": id_, "unavailable": True} for id_ in mine],
                    "shard": [shard, shards],
                    "application": {"id": BOT["id"], "flags": 0},
                },
            )
            while self.first:
                await self.dispatch(*self.first.pop(0))

    async def _resume(self, socket: web.WebSocketResponse, seen: int) -> None:
        if not self.resumable:
            await self._tell(socket, {"op": 9, "d": False})
            return
        self.resumed += 1
        self._socket = socket
        for payload in [event for event in self._events if event["s"] > seen]:
            await self._tell(socket, payload)
        await self.dispatch("RESUMED", {})
