"""Log lines, as text for people or as JSON for programs, without anybody's words."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, TextIO

LogForm = Literal["text", "json"]

_QUIET = ("httpx", "httpcore", "aiosqlite", "alembic", "torch", "transformers")

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure_logging(*, debug: bool, form: LogForm = "text") -> None:
    """Send log lines to standard error; the one place that configures logging.

    httpx stays at WARNING whatever is asked, for its INFO lines hold Telegram's token in a URL.

    Args:
        debug: Whether our own modules tell every detail.
        form: `text`, or `json` for an object a line.
    """
    handler = _ToStandardError()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=form == "json")
    for ours in ("likeness", "exporters", "training", "bot"):
        logging.getLogger(ours).setLevel(logging.DEBUG if debug else logging.INFO)
    for loud in _QUIET:
        logging.getLogger(loud).setLevel(logging.WARNING)


class _ToStandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is just then: a bar that moves takes its place meanwhile."""

    @property
    def stream(self) -> TextIO:
        """Where to write."""
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        """Say nothing: it cannot be set."""


class TextLines(logging.Formatter):
    """Lines for people."""

    def __init__(self) -> None:
        """Begin each line with the time and the level."""
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 (the base class names it)
        """Return where an error arose and of what kind it is: its own text may quote somebody."""
        return "\n".join(_trail(ei[1]))


class JsonLines(logging.Formatter):
    """An object a line: `time`, `level`, `logger`, `message`, and `error` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = _trail(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _trail(error: BaseException | None) -> list[str]:
    """Return an error's kind, and the places that it came through, the outermost first."""
    if error is None:
        return []
    frames = traceback.extract_tb(error.__traceback__)
    return [
        type(error).__name__,
        *(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames),
    ]
