"""Discord's REST API and gateway on loopback, as little as a login, a message and a reply need."""

import asyncio
import itertools
import json
import zlib
from collections import defaultdict, deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

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
        faults: HTTP statuses that a path answers instead, once each; with its method before it
            (`POST channels/7/messages`), to that alone.
        close_codes: Codes with which the gateway closes instead of READY, once each.
        refused: How many more connections to the gateway fail.
        resumable: Whether a session may go on; otherwise what was missed is lost.
        lost_answers: How many more messages are taken without a word that they were.
        limits: Seconds for which a path, or its method and a path, answers 429, once each.
        hangs: How many more messages are taken into no account and never answered.
        deaf: Whether heartbeats are left without an answer.
        close_code: With which the newest connection to the gateway was closed.
        followed_up: What was said in answer to commands.
        compressed: How many frames were sent compressed; None to send none so.
        posted: What is in all channels, in order.
        channels: Those that are known, by id.
        slow: Paths that are never answered.
    """

    def __init__(self) -> None:
        self.faults: defaultdict[str, deque[int]] = defaultdict(deque)
        self.close_codes: deque[int] = deque()
        self.refused = 0
        self.resumable = True
        self.resumed = 0
        self.lost_answers = 0
        self.limits: defaultdict[str, deque[float]] = defaultdict(deque)
        self.hangs = 0
        self.deaf = False
        self.compressed: int | None = None
        self._streams: WeakKeyDictionary[web.WebSocketResponse, Any] = WeakKeyDictionary()
        self.tries: list[Json] = []
        self.heartbeats = 0
        self.heartbeat_interval = 40_000
        self.posted: list[Json] = []
        self.channels: dict[str, Json] = {DM["id"]: DM}
        self.slow: set[str] = set()
        self._nonces: dict[str, Json] = {}
        self._events: list[Json] = []
        self.sent: list[str] = []
        self.followed_up: list[str] = []
        self.identified = 0
        self.intents: list[int] = []
        self.shards: list[list[int]] = []
        self.closed_by_bot = 0
        self.close_code: int | None = None
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

    async def say(self, text: str, author: Json = ANN) -> None:
        """Let somebody write to the bot in private."""
        channel = private(author)
        self.channels[channel["id"]] = channel
        await self.dispatch("CHANNEL_CREATE", channel)
        await self.dispatch("MESSAGE_CREATE", self.post(author, text))

    def post(self, author: Json, text: str, channel: str | None = None) -> Json:
        """Put a message into a channel, the author's own by default, without telling the bot."""
        message = self._message(author, text, channel or private(author)["id"])
        self.posted.append(message)
        return message

    async def order(self, command: str) -> None:
        """Let Ann give a command in private."""
        told = {"id": next(self._ids), "type": 2, "token": "a-token", "version": 1}
        data = {"id": "1", "name": command, "type": 1}
        place = {"channel": DM, "channel_id": DM["id"], "user": ANN, "app_permissions": "0"}
        more = {"attachment_size_limit": 1, "entitlements": [], "context": 1, "locale": "en-GB"}
        whole = {**told, "application_id": BOT["id"], "data": data, **place, **more}
        owners: Json = {"authorizing_integration_owners": {}}
        await self.dispatch("INTERACTION_CREATE", {**whole, **owners})

    async def edit(self, message: Json, text: str) -> None:
        """Let somebody edit a message."""
        message |= {"content": text, "edited_timestamp": "2024-05-01T12:01:00+00:00"}
        await self.dispatch("MESSAGE_UPDATE", message)

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

    async def until(self, true: Callable[[], bool], seconds: float = 30) -> None:
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
            self.shards.append(payload["d"].get("shard", []))
            self._socket = socket
            await self.dispatch(
                "READY",
                {
                    "v": 10,
                    "session_id": "session",
                    "resume_gateway_url": self.gateway_url,
                    "user": BOT,
                    "guilds": [],
                    "shard": payload["d"].get("shard", [0, 1]),
                    "application": {"id": BOT["id"], "flags": 0},
                },
            )

    async def _resume(self, socket: web.WebSocketResponse, seen: int) -> None:
        if not self.resumable:
            await self._tell(socket, {"op": 9, "d": False})
            return
        self.resumed += 1
        self._socket = socket
        for payload in [event for event in self._events if event["s"] > seen]:
            await self._tell(socket, payload)
        await self.dispatch("RESUMED", {})

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        public = path.startswith(("interactions/", "webhooks/"))  # a token is in the path
        if not public and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, 401)
        fault = await self._fault(request, path)
        if fault is not None:
            return fault
        if path in self._fixed:
            return _json(self._fixed[path])
        if path.endswith("/commands"):
            return _json([] if request.method == "GET" else await self._commands(request))
        if path.endswith("/messages"):
            channel = path.split("/")[1]
            if request.method == "GET":
                return _json(self._said_in(channel))
            return await self._send(request, channel)
        if path.startswith("webhooks/"):
            self.followed_up.append((await request.json())["content"])
            return _json(self._message(BOT, self.followed_up[-1], DM["id"]))
        return _json(self.channels.get(path.removeprefix("channels/"), {}))

    def _said_in(self, channel: str) -> list[Json]:
        said = [one for one in self.posted if one["channel_id"] == channel]
        return [one for one in said[::-1] if one["author"] != BOT]

    async def _fault(self, request: web.Request, path: str) -> web.Response | None:
        if path in self.slow:
            self.slow.remove(path)
            await asyncio.sleep(3600)
        for asked in (path, f"{request.method} {path}"):
            if self.faults[asked]:
                return _json({"message": "a fault", "code": 0}, self.faults[asked].popleft())
            if self.limits[asked]:
                if request.method == "POST":
                    self.tries.append(await request.json())
                return _limited(self.limits[asked].popleft())
        return None

    @property
    def _fixed(self) -> dict[str, Json]:
        """What is always the same, by its path."""
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {
            "users/@me": BOT,
            "oauth2/applications/@me": APPLICATION,
            "gateway/bot": {"url": self.gateway_url, "shards": 2, "session_start_limit": limit},
        }

    async def _send(self, request: web.Request, channel: str) -> web.Response:
        data = await request.json()
        self.tries.append(data)
        if self.hangs:
            self.hangs -= 1
            await asyncio.sleep(3600)
        known = self._nonces.get(data["nonce"]) if data.get("enforce_nonce") else None
        if known is None:
            known = self._nonces[data["nonce"]] = self.post(BOT, data["content"], channel)
            self.sent.append(data["content"])
        if self.lost_answers:
            self.lost_answers -= 1
            assert request.transport is not None
            request.transport.abort()
        return _json(known)

    async def _commands(self, request: web.Request) -> list[Json]:
        extra = {"application_id": BOT["id"], "version": "1"}
        return [{"id": str(next(self._ids)), **extra, **sent} for sent in await request.json()]

    def _message(self, author: Json, text: str, channel: str) -> Json:
        return {
            "id": str(next(self._ids)),
            "channel_id": channel,
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


def private(person: Json) -> Json:
    """Return the channel in which somebody writes to the bot."""
    return DM if person == ANN else {**DM, "id": f"7{person['id']}", "recipients": [person]}


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


def _limited(seconds: float) -> web.Response:
    told = {"message": "You are being rate limited.", "retry_after": seconds, "global": False}
    answer = _json(told, 429)
    answer.headers["Via"] = "1.1 google"  # without it, it is Cloudflare's
    answer.headers["X-RateLimit-Bucket"] = "messages"
    answer.headers["X-RateLimit-Remaining"] = "0"
    answer.headers["X-RateLimit-Limit"] = "5"
    answer.headers["X-RateLimit-Reset-After"] = str(seconds)
    return answer


def _json(found: Any, status: int = 200) -> web.Response:
    # discord.py reads JSON only if the header is exactly this.
    body = json.dumps(found).encode()
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json"})
