"""What passes between a bot and a Bot API server: calls, results, and every fault on demand."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

Json = dict[str, Any]

MAY_BE_LIMITED = pytest.mark.filterwarnings(
    # The library reads this deprecated attribute of its own while it makes the error.
    r"ignore:[\s\S]*`retry_after`:telegram.warnings.PTBDeprecationWarning"
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the bot.

    Attributes:
        method: Such as `sendMessage`.
        data: What came with it; nested values are read from their JSON.
    """

    method: str
    data: Json


@dataclass(frozen=True, slots=True)
class Fault:
    """What a method answers instead, once.

    Attributes:
        status: The `error_code`.
        http_status: The HTTP status; the same if None.
        description: What Telegram says of it.
        parameters: Such as `retry_after` or `migrate_to_chat_id`.
        body: Answered instead of the JSON, as a proxy in between does.
        cut: Close the connection without an answer.
        hang_seconds: Say nothing for so long, then cut.
        performed: Do what was asked all the same: with `cut`, the answer got lost.
        torn: Close the connection in the middle of an answer.
    """

    status: int = 500
    description: str = ""
    http_status: int | None = None
    parameters: Mapping[str, int | float] = field(default_factory=dict)
    body: str | None = None
    cut: bool = False
    hang_seconds: float = 0
    performed: bool = False
    torn: bool = False


TOO_MANY = Fault(429, "Too Many Requests", parameters={"retry_after": 0.01})
BAD_GATEWAY = Fault(502, body="<html>Bad Gateway</html>")
BLOCKED = Fault(403, "Forbidden: bot was blocked by the user")
UNAUTHORIZED = Fault(401, "Unauthorized")
TAKEN = Fault(409, "Conflict: terminated by other getUpdates request")
CUT = Fault(cut=True)
LOST_ANSWER = Fault(cut=True, performed=True)


def plain(key: str, value: str | bytearray | web.FileField) -> Any:
    if isinstance(value, web.FileField):
        return value.file.read().decode()
    if key in ("text", "caption") or not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if isinstance(found, dict | list | int) else value


def result(found: Any) -> web.Response:
    return web.json_response({"ok": True, "result": found})


def error(fault: Fault) -> web.Response:
    if fault.body is not None:
        return web.Response(status=fault.status, text=fault.body, content_type="text/html")
    told = {"ok": False, "error_code": fault.status, "description": fault.description}
    if fault.parameters:
        told["parameters"] = dict(fault.parameters)
    return web.json_response(told, status=fault.http_status or fault.status)


async def fail(request: web.Request, fault: Fault) -> web.StreamResponse:
    await asyncio.sleep(fault.hang_seconds)
    if fault.torn:
        half = web.StreamResponse(headers={"Content-Length": "999"})
        await half.prepare(request)
        await half.write(b'{"ok": true, "res')
    if (fault.cut or fault.hang_seconds or fault.torn) and request.transport is not None:
        request.transport.close() if fault.torn else request.transport.abort()
    return half if fault.torn else error(fault)
