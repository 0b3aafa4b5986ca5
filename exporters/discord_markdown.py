"""Discord's own marks in a text that was exported as it was typed, and what people saw instead.

Source: `PlainTextMarkdownVisitor.cs` and `MarkdownParser.cs` of DiscordChatExporter: what it
writes when it renders, also where it cannot find a name.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from exporters.entry import name_or_number, string

_MOST_NAMES = 100_000
_MARK = re.compile(
    r"<(?:@!?(?P<user>[0-9]{1,20})|@&(?P<role>[0-9]{1,20})|#!?(?P<channel>[0-9]{1,20})"
    r"|a?:(?P<emoji>[^:<>\s]{1,64}):[0-9]{1,20}"
    r"|t:(?P<time>-?[0-9]{1,18})(?::(?P<style>\w))?)>"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STYLES = {"t": "%H:%M", "T": "%H:%M:%S", "d": "%Y-%m-%d", "D": "%Y-%m-%d"}
_PLAIN_STYLE = "%Y-%m-%d %H:%M"


@dataclass(slots=True)
class Names:
    """The names that a file told so far, by id.

    Attributes:
        users: Of people.
        roles: Of roles.
        channels: Of channels.
    """

    users: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)

    def user(self, id_: str, name: str) -> None:
        """Remember who bears an id, as long as there is room."""
        if id_ and name and (id_ in self.users or len(self.users) < _MOST_NAMES):
            self.users[id_] = name

    def role(self, id_: str, name: str) -> None:
        """Remember what a role is called, as long as there is room."""
        if id_ and name and (id_ in self.roles or len(self.roles) < _MOST_NAMES):
            self.roles[id_] = name

    def learn(self, *users: Any) -> None:
        """Remember what a JSON tells of users.

        Raises:
            Unreadable: It is not what the app writes.
        """
        for user in users:
            if isinstance(user, dict):
                self.user(name_or_number(user, "id"), name_of(user))

    def learn_roles(self, user: dict[str, Any]) -> None:
        """Remember the roles of a user of a JSON.

        Raises:
            Unreadable: They are not what the app writes.
        """
        roles = user.get("roles")
        for role in roles if isinstance(roles, list) else []:
            if isinstance(role, dict):
                self.role(name_or_number(role, "id"), string(role, "name"))


def name_of(user: dict[str, Any]) -> str:
    """Return what a user of a JSON is called there, empty if nothing tells.

    Raises:
        Unreadable: It is not what the app writes.
    """
    return string(user, "nickname") or string(user, "name")


def rendered(text: str, names: Names, zone: tzinfo | None = UTC) -> str:
    """Return a text with Discord's marks as people see them; one that has none stays as it is.

    Args:
        text: As typed, or rendered already.
        names: Who and what the ids in it are.
        zone: The zone of the times in it.
    """
    if "<" not in text:
        return text
    return _MARK.sub(lambda mark: _seen(mark, names, zone), text)


def _seen(mark: re.Match[str], names: Names, zone: tzinfo | None) -> str:
    kind, told = mark.lastgroup, mark.group
    if kind == "user":
        return "@" + names.users.get(told("user"), "Unknown")
    if kind == "role":
        return "@" + names.roles.get(told("role"), "deleted-role")
    if kind == "channel":
        return "#" + names.channels.get(told("channel"), "deleted-channel")
    if kind == "emoji":
        return f":{told('emoji')}:"
    return _time(int(told("time")), told("style"), zone)


def _time(seconds: int, style: str | None, zone: tzinfo | None) -> str:
    try:
        moment = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone)
    except OverflowError:
        return "Invalid date"
    return moment.strftime(_STYLES.get(style or "", _PLAIN_STYLE))
