"""Discord's own marks in a text, as people see them: what the exporters write in training's files.

Source: `PlainTextMarkdownVisitor.cs` and `MarkdownParser.cs` of DiscordChatExporter. A table that
the tests of the exporters share holds both to the same.
"""

import re
from datetime import UTC, datetime, timedelta

_MARK = re.compile(
    r"<(?:a?:(?P<emoji>[^:<>\s]{1,64}):[0-9]{1,20}"
    r"|t:(?P<time>-?[0-9]{1,18})(?::(?P<style>\w))?"
    r"|(?P<mention>@[!&]?|#)[0-9]{1,20})>"
)
UNKNOWN = "@Unknown"
"""Somebody of whom nobody knows the name."""
_NAMELESS = {"@": UNKNOWN, "@!": UNKNOWN, "@&": "@deleted-role", "#": "#deleted-channel"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STYLES = {"t": "%H:%M", "T": "%H:%M:%S", "d": "%Y-%m-%d", "D": "%Y-%m-%d"}
_PLAIN_STYLE = "%Y-%m-%d %H:%M"


def seen(text: str) -> str:
    """Return a text with emoji by their names and times in UTC.

    Mentions have names already, unless nobody knows them.
    """
    return _MARK.sub(_seen, text)


def _seen(mark: re.Match[str]) -> str:
    if mark["emoji"]:
        return f":{mark['emoji']}:"
    if mark["mention"]:
        return _NAMELESS[mark["mention"]]
    try:
        moment = _EPOCH + timedelta(seconds=int(mark["time"]))
    except OverflowError:
        return "Invalid date"
    return moment.strftime(_STYLES.get(mark["style"] or "", _PLAIN_STYLE))
