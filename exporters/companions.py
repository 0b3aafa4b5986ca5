"""Which files could hold a chat by their names, and which are known to lie beside chats only."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import PurePosixPath

from exporters.lines import Lines
from exporters.names import composed
from exporters.sources import Source
from exporters.streaming import beginning
from exporters.whatsapp_names import stem

_CHATS = (".txt", ".json", ".jsonl", ".csv", ".html", ".htm", ".zip", ".db", ".sqlite")
_REPORT = frozenset({"v", "outgoing", "left_out", "balanced"})

_BESIDE_CHATS = (
    "readme*",
    *("export_results.html", "lists/*.html"),  # Telegram
    *("channel.json", "user.json", "guild.json", "audit-log.json", "webhooks.json"),  # Discord
    *("application.json", "events-*.json", "*_files/*"),
    *("users.json", "channels.json", "groups.json", "dms.json", "mpims.json"),  # Slack
    *("integration_logs.json", "canvases.json", "lists.json", "file_conversations.json"),
    *("autofill_information.json", "secret_conversations.json"),  # Messenger
    "manifest.db",  # an iPhone's backup
    *("movie_*.txt", "raw_script_urls.txt"),  # Cornell
    *("corpus.json", "conversations.json", "speakers.json", "info.*.jsonl"),  # ConvoKit
)
"""The names, in lower case, of files that are no chats in any export."""

_SENT = {
    "files/*": (
        *("../result.json", "../../../result.json", "../messages.html"),  # Telegram
        "../message_1.json",  # Messenger
    ),
    "media/*": ("../data.json", "../chat.md"),  # Signal
    f"{'[0-9]' * 8}-*": ("_chat.txt",),  # WhatsApp
    **{
        f"*.{form}_files/*": (f"../*.{form}",) for form in ("json", "html", "csv", "txt")
    },  # Discord
}
"""The names of files that people sent each other, where one of these lies."""

_WHERE = {
    "messages*.html": ("result.json", "../../result.json"),
    "index.json": ("*/channel.json", "*/guild.json", "corpus.json"),
    "index.html": ("data.json", "chat.md"),
    "messages.json": ("channel.json",),  # Discord: a channel in which its owner wrote nothing
}
"""The names of files that are no chats where one of these lies, seen from their folder."""

_CATEGORIES = frozenset({
    "ads_information", "apps_and_websites_off_of_facebook", "apps_and_websites_off_of_instagram",
    "connections", "logged_information", "personal_information", "preferences",
    "security_and_login_information",
})  # fmt: skip
_ACTIVITIES = frozenset({"your_facebook_activity", "your_instagram_activity"})
_MESSAGES = "messages"


def could_be_chat(name: str) -> bool:
    """Tell by its name whether a file could hold a chat, as photos and videos cannot."""
    return name.casefold().endswith(_CHATS)


def is_companion(source: Source) -> bool:
    """Tell whether a file that no exporter reads is known to lie beside chats.

    The folder or zip that was given may be called anything: its name says nothing.

    Raises:
        DamagedSource: What lies near it cannot be opened.
    """
    path = _path(source)
    if any(map(path.match, _BESIDE_CHATS)) or _is_of_an_account(path.parts):
        return True
    return was_sent(source) or _lies_beside(source, _WHERE) or _is_report(source)


def was_sent(source: Source) -> bool:
    """Tell whether somebody sent a file in a chat beside which it lies, such as another chat.

    Raises:
        DamagedSource: What lies near it cannot be opened.
    """
    return _lies_beside(source, _SENT) or _is_told_of(source)


def _is_told_of(source: Source) -> bool:
    """Tell whether a chat of WhatsApp that lies in a folder or zip of its name names a file.

    On Android what was sent keeps its name.
    """
    chat = stem(PurePosixPath(source.name).parent.name)
    if "whatsapp" not in chat.casefold() or stem(source.place.name) == chat:
        return False
    found = source.near(f"{chat}.txt")
    return found is not None and any(source.place.name in composed(line) for line in Lines(found))


def _path(source: Source) -> PurePosixPath:
    return PurePosixPath(source.name.partition("/")[2].casefold())


def _lies_beside(source: Source, where: Mapping[str, Sequence[str]]) -> bool:
    path = _path(source)
    anchors = (near for pattern, nears in where.items() if path.match(pattern) for near in nears)
    return any(source.near(near) is not None for near in anchors)


def _is_of_an_account(parts: tuple[str, ...]) -> bool:
    """Tell whether a file is of what Facebook and Instagram tell beside messages."""
    return not _CATEGORIES.isdisjoint(parts) or any(
        folder in _ACTIVITIES and inside != _MESSAGES for folder, inside in pairwise(parts)
    )


def _is_report(source: Source) -> bool:
    """Tell whether it is an account that `--report` wrote."""
    found = beginning(source.head)
    return isinstance(found, dict) and found.keys() >= _REPORT
