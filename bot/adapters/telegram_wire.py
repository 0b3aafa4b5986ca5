"""What passes between the bot and Telegram's server, made readable and kept out of the log."""

import logging
from typing import Any

from telegram import Update
from telegram.request import HTTPXRequest

log = logging.getLogger(__name__)


def quieten_libraries() -> None:
    """Silence what would put the token (httpx, in URLs) or chats (the library) into the log."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It quotes updates and answers even at CRITICAL; what it raises is logged here.
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)


class UpdatesRequest(HTTPXRequest):
    """Fetches updates, and empties one that the library cannot read, as it would hide the rest."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer of Telegram's."""
        found = HTTPXRequest.parse_json_payload(payload)
        if isinstance(found.get("result"), list):
            found["result"] = [readable(update) for update in found["result"]]
        return found


def readable(update: dict[str, Any]) -> dict[str, Any]:
    """Return an update, or one that is empty where the library cannot read it."""
    try:
        Update.de_json(update, None)
    except Exception as error:  # noqa: BLE001 (whatever the library trips over)
        log.error("telegram: an update cannot be read: %s", type(error).__name__)  # noqa: TRY400
        return {"update_id": update["update_id"]}
    return update
