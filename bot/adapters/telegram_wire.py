"""What passes between the bot and Telegram's server, made readable and kept out of the log."""

import logging
from typing import Any

from telegram import Update
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

log = logging.getLogger(__name__)


def quieten_libraries() -> None:
    """Silence what would put the token (httpx, in URLs) or chats (the library) into the log."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It quotes updates and answers even at CRITICAL; what it raises is logged here.
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)


class TelegramRequest(HTTPXRequest):
    """Calls the server; an answer that says it failed has failed, whatever its HTTP status."""

    async def do_request(self, *args: Any, **more: Any) -> tuple[int, bytes]:
        """Make a call; return its status and what was answered."""
        code, payload = await super().do_request(*args, **more)
        if code < 300 and b"false" in payload[:20]:  # {"ok": false, …
            code = int(self.parse_json_payload(payload).get("error_code", 500))
        return code, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer.

        Raises:
            TelegramError: It is none.
        """
        found: Any = HTTPXRequest.parse_json_payload(payload)
        if not isinstance(found, dict):
            raise TelegramError("The server's answer is no object.")
        return found


class UpdatesRequest(TelegramRequest):
    """Fetches updates, and empties one that the library cannot read, as it would hide the rest."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer with updates, or one that says why there are none.

        Raises:
            TelegramError: It is neither.
        """
        found = TelegramRequest.parse_json_payload(payload)
        if found.get("ok"):
            updates = found.get("result")
            if not isinstance(updates, list):
                raise TelegramError("The server's answer holds no updates.")
            found["result"] = [readable(one) for one in updates if _has_number(one)]
        return found


def readable(update: dict[str, Any]) -> dict[str, Any]:
    """Return an update, or one that is empty where the library cannot read it."""
    try:
        Update.de_json(update, None)
    except Exception as error:  # noqa: BLE001 (whatever the library trips over)
        log.error("telegram: an update cannot be read: %s", type(error).__name__)  # noqa: TRY400
        return {"update_id": update["update_id"]}
    return update


def _has_number(update: Any) -> bool:
    return isinstance(update, dict) and isinstance(update.get("update_id"), int)
