"""Discord's REST API on loopback, with its gateway: as little as a message and a reply need."""

import asyncio
import itertools
import json
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import discord
from aiohttp import web

from bot.history import ChatId, History
from tests.bot.adapters.fake_discord_gateway import BOT, FakeGateway, Json
from tests.bot.conftest import write_message

TOKEN = "a-token.that-must.stay-secret"
ANN = {"id": "42", "username": "Ann", "discriminator": "0", "avatar": None}
DM: Json = {"id": "7", "type": 1, "recipients": [ANN]}


class FakeDiscord(FakeGateway):
    """Both servers on one port: the gateway, and the API that the bot asks and sends with.

    Attributes:
        faults: HTTP statuses that a path answers instead, once each; with its method before it
            (`POST channels/7/messages`), to that alone.
        lost_answers: How many more messages are taken without a word that they were.
        limits: Seconds for which a path, or its method and a path, answers 429, once each.
        hangs: How many more messages are taken into no account and never answered.
        followed_up: What was said in answer to commands.
        posted: What is in all channels, in order.
        channels: Those that are known, by id.
        slow: Paths that are never answered.
        asked: What the API was asked, as methods and paths.
        members: Who is in a server, by their ids.
    """

    def __init__(self) -> None:
        super().__init__()
        self.faults: defaultdict[str, deque[int]] = defaultdict(deque)
        self.lost_answers = 0
        self.limits: defaultdict[str, deque[float]] = defaultdict(deque)
        self.hangs = 0
        self.tries: list[Json] = []
        self.posted: list[Json] = []
        self.channels: dict[str, Json] = {DM["id"]: DM}
        self.slow: set[str] = set()
        self.asked: list[str] = []
        self.members: dict[str, Json] = {}
        self._nonces: dict[str, Json] = {}
        self.sent: list[str] = []
        self.followed_up: list[str] = []
        self.api_url = ""
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

    async def delete(self, *messages: Json) -> None:
        """Let somebody delete a message, or a moderator several in one channel."""
        where = {"channel_id": messages[0]["channel_id"]}
        ids = [message["id"] for message in messages]
        if len(ids) == 1:
            await self.dispatch("MESSAGE_DELETE", {"id": ids[0], **where})
        else:
            await self.dispatch("MESSAGE_DELETE_BULK", {"ids": ids, **where})

    async def until(self, true: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 (it may be about anything)
                await asyncio.sleep(0.005)

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        self.asked.append(f"{request.method} {path}")
        public = path.startswith(("interactions/", "webhooks/"))  # a token is in the path
        if not public and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, 401)
        fault = await self._fault(request, path)
        if fault is not None:
            return fault
        if path in self._fixed:
            return _json(self._fixed[path])
        if "/members/" in path:
            return _json(self.members[path.rpartition("/")[2]])
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


async def said_before(
    history: History, text: str, *, asks: bool = False, channel: str = DM["id"]
) -> None:
    """Let a history know already what Ann wrote, in private by default, before the bot came."""
    message = write_message(text, id="1", platform="discord", sent_at=datetime.now(UTC))
    await history.add(ChatId("discord", channel), message, asks=asks)


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
