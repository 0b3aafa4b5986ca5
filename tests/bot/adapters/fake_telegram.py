"""A small Bot API server on loopback: polls that hold, redelivery, and every fault on demand."""

import asyncio
import itertools
import time
from collections import defaultdict, deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.bot.adapters.fake_telegram_wire import (
    BLOCKED,
    TAKEN,
    UNAUTHORIZED,
    Call,
    Fault,
    Json,
    error,
    fail,
    plain,
    result,
)

TOKEN = "4711:a-token-that-must-stay-secret"
BOT = {"id": 4711, "is_bot": True, "first_name": "Likeness", "username": "LikenessBot"}
ANN: dict[str, Any] = {"id": 42, "is_bot": False, "first_name": "Ann"}
GROUP = {"id": -100, "type": "supergroup", "title": "The band", "is_forum": True}


class FakeTelegram:
    """The server. Say something with `say`, look at `calls` and `sent`, plan with `faults`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.blocked: set[int] = set()
        self.unknown: set[str] = set()
        self.me = BOT
        self.commands: dict[str, list[Json]] = {}
        self.webhook = False
        self.url = ""
        self._updates: list[Json] = []
        self._messages: dict[int, Json] = {}
        self._ids = itertools.count(100)
        self._news = asyncio.Condition()
        self._poll: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._answer)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/bot"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trail: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    @property
    def sent(self) -> list[Json]:
        """What was sent and kept, in order, as messages."""
        return [message for message in self._messages.values() if message["from"] is BOT]

    @property
    def texts(self) -> list[str]:
        """The words of `sent`."""
        return [message["text"] for message in self.sent]

    @property
    def waiting(self) -> list[int]:
        """The ids of the updates that no bot has confirmed."""
        return [update["update_id"] for update in self._updates]

    def of(self, method: str) -> list[Json]:
        """Return what came with each call of a method."""
        return [call.data for call in self.calls if call.method == method]

    async def say(
        self,
        text: str | None,
        *,
        chat: Json | None = None,
        sender: Json = ANN,
        kind: str = "message",
        **fields: Any,
    ) -> Json:
        """Let somebody write; a private chat with the sender if no other is given.

        Commands and mentions get their entities, as an app makes them.
        """
        message: Json = {
            "message_id": next(self._ids),
            "date": int(time.time()),
            "chat": chat
            or {"id": sender["id"], "type": "private", "first_name": sender["first_name"]},
            "from": sender,
        }
        if text is not None:
            message |= {"text": text, "entities": _entities(text)}
        message |= fields
        self._messages[message["message_id"]] = message
        await self.push({kind: message})
        return message

    async def press(self, line: str, *, sender: Json = ANN) -> Json:
        """Let somebody press the newest button with something on it; return its message."""
        [*_, message] = [sent for sent in self.sent if line in buttons(sent)]
        query = {"id": str(next(self._ids)), "from": sender, "chat_instance": "1", "data": line}
        await self.push({"callback_query": {**query, "message": message}})
        return message

    async def push(self, update: Json) -> None:
        """Add any update."""
        async with self._news:
            self._updates.append({"update_id": next(self._ids), **update})
            self._news.notify_all()

    def renumber(self, message: Json, update_id: int) -> None:
        """Give the update of a message another number; the order stays."""
        for update in self._updates:
            if update.get("message") is message:
                update["update_id"] = update_id

    def delete(self, message: Json) -> None:
        """Let somebody delete a message."""
        del self._messages[message["message_id"]]

    async def until(self, true: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 (it may be about anything)
                await asyncio.sleep(0.005)

    async def until_sent(self, count: int, seconds: float = 30) -> list[str]:
        """Wait until so many messages were sent; return their words."""
        await self.until(lambda: len(self.sent) >= count, seconds)
        return self.texts

    async def until_confirmed(self) -> None:
        """Wait until the bot has taken all that was said."""
        await self.until(lambda: not self._updates)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        data = {key: plain(key, value) for key, value in (await request.post()).items()}
        self.calls.append(Call(method, data))
        if request.match_info["token"] != TOKEN:
            return error(UNAUTHORIZED)
        fault = self.faults[method].popleft() if self.faults[method] else None
        if fault is None or fault.performed:
            response = await self._perform(method, data)
        return response if fault is None else await fail(request, fault)

    async def _perform(self, method: str, data: Json) -> web.Response:
        match method:
            case "getMe":
                return result(self.me)
            case "getUpdates":
                return await self._get_updates(data)
            case "getMyCommands" | "setMyCommands":
                return self._menu(data)
            case "setWebhook" | "deleteWebhook":
                self.webhook = method == "setWebhook"
            case "getWebhookInfo":
                url = "https://likeness.example/" if self.webhook else ""
                found = {"url": url, "has_custom_certificate": False}
                return result(found | {"pending_update_count": len(self._updates)})
            case "sendMessage":
                return self._send_message(data)
            case "sendDocument":
                return self._send_message({**data, "text": data["caption"]})
            case "editMessageText":
                return self._edit(data)
        return result(True)

    async def _get_updates(self, data: Json) -> web.Response:
        if self.webhook:
            return error(
                Fault(409, "Conflict: can't use getUpdates method while webhook is active")
            )
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)  # the newer one wins, as with Telegram
        mine = self._poll = asyncio.get_running_loop().create_future()
        try:
            return await self._hold(data, mine)
        finally:
            mine.cancel()

    async def _hold(self, data: Json, mine: asyncio.Future[None]) -> web.Response:
        offset = data.get("offset", 0)
        async with self._news:
            self._updates = [update for update in self._updates if update["update_id"] >= offset]
        news = asyncio.create_task(self._something_new())
        try:
            await asyncio.wait(
                [news, mine], timeout=data.get("timeout", 0), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            news.cancel()
        if mine.done():
            return error(TAKEN)
        wanted = set(data.get("allowed_updates") or [])
        return result(
            [
                update
                for update in self._updates[: data.get("limit", 100)]
                if not wanted or wanted & update.keys()
            ]
        )

    async def _something_new(self) -> None:
        async with self._news:
            await self._news.wait_for(lambda: bool(self._updates))

    def _menu(self, data: Json) -> web.Response:
        chat = _scope(data)
        if "commands" not in data:
            return result(self.commands.get(chat, []))
        if chat in self.unknown:
            return error(Fault(400, "Bad Request: chat not found"))
        self.commands[chat] = data["commands"]
        return result(True)

    def _edit(self, data: Json) -> web.Response:
        message = self._messages.get(data["message_id"])
        if message is None:
            return error(Fault(400, "Bad Request: message to edit not found"))
        changed = {"text": data["text"], "reply_markup": data.get("reply_markup")}
        if changed.items() <= message.items():
            return error(Fault(400, "Bad Request: message is not modified"))
        message |= changed
        return result(message)

    def _send_message(self, data: Json) -> web.Response:
        text, chat = data["text"], data["chat_id"]
        if chat in self.blocked:
            return error(BLOCKED)
        if not text.strip():
            return error(Fault(400, "Bad Request: message text is empty"))
        if _units(text) > 4096:
            return error(Fault(400, "Bad Request: message is too long"))
        reply = data.get("reply_parameters", {})
        known = reply.get("message_id") in self._messages
        if reply and not known and not reply.get("allow_sending_without_reply"):
            return error(Fault(400, "Bad Request: message to be replied not found"))
        message = {
            "message_id": next(self._ids),
            "date": 1_700_000_001,
            "chat": {"id": chat, "type": "private" if chat > 0 else "supergroup"},
            "from": BOT,
            "text": text,
        }
        if "message_thread_id" in data:
            message |= {"message_thread_id": data["message_thread_id"], "is_topic_message": True}
        for key in ("reply_markup", "document"):
            if key in data:
                message[key] = data[key]
        if known:
            message["reply_to_message"] = self._messages[reply["message_id"]]
        self._messages[message["message_id"]] = message
        return result({key: held for key, held in message.items() if key != "document"})


def buttons(message: Json) -> list[str]:
    """Return what is on the buttons of a message."""
    rows = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    return [button["callback_data"] for row in rows for button in row]


def _scope(data: Json) -> str:
    """Return the chat whose menu is meant; empty for everybody's."""
    return str(data.get("scope", {}).get("chat_id", ""))


def _entities(text: str) -> list[Json]:
    found, offset = [], 0
    for word in text.split(" "):
        kind = {"/": "bot_command", "@": "mention"}.get(word[:1])
        if kind:
            found.append({"type": kind, "offset": offset, "length": _units(word)})
        offset += _units(word) + 1
    return found


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
