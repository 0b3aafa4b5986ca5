"""A message, its JSON line, and the two other ends a foreign record can come to."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring as _quoted
from typing import Any, Literal, get_args

from likeness.errors import BadLine, UnknownVersion
from likeness.texts import whole

VERSION = 1

Kind = Literal["text", "media", "forwarded", "automated", "deleted"]
KINDS: frozenset[str] = frozenset(get_args(Kind))


@dataclass(frozen=True, slots=True)
class Message:
    """One thing one person sent.

    Attributes:
        platform: Where it was sent, lower case: `telegram`, `whatsapp`, `discord`, …
        chat_id: The chat, unique within the platform.
        chat: The chat's name as its owner sees it.
        id: The message, unique within the chat.
        speaker_id: Who sent it, unique within the platform.
        speaker: The name that others see.
        outgoing: Whether the owner of the export sent it; None when nobody could tell.
        sent_at: When, aware, in UTC.
        text: The words, faithful: newlines, emoji with their joiners, case and accents survive.
        reply_to: The `id` of the message that this one answers, in the same chat.
        kind: `media` has its caption as text (a sticker its emoji); `automated` is a bot's.
    """

    platform: str
    chat_id: str
    chat: str
    id: str
    speaker_id: str
    speaker: str
    outgoing: bool | None
    sent_at: datetime
    text: str
    reply_to: str | None = None
    kind: Kind = "text"

    def __post_init__(self) -> None:
        if self.sent_at.tzinfo is None:
            raise ValueError("sent_at must be aware")

    @property
    def teaches(self) -> bool:
        """Whether its words may become a training target when the owner sent it."""
        return self.kind in ("text", "media") and bool(self.text.strip())

    @property
    def shown(self) -> bool:
        """Whether its words stand in a prompt at all; what does not, still ends a turn."""
        return self.kind in ("text", "media", "forwarded") and bool(self.text.strip())

    def to_json(self) -> str:
        """Return the line of `messages.jsonl` for this message, without its newline."""
        return line_of(
            place_part(self.platform, self.chat_id, self.chat),
            self.id,
            speaker_part(self.speaker_id, self.speaker, self.outgoing),
            self.sent_at.astimezone(UTC).isoformat(),
            self.text,
            self.reply_to,
            self.kind,
        )

    @classmethod
    def from_json(cls, line: str | bytes) -> "Message":
        """Read one line of `messages.jsonl`.

        Raises:
            UnknownVersion: The line says a `v` that this Likeness does not know.
            BadLine: It is not a message; the text says what is wrong, never what it holds.
        """
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadLine("it is not JSON") from error
        if not isinstance(found, dict):
            raise BadLine("it is not a JSON object")
        if found.get("v") != VERSION:
            raise _version_error(found)
        return cls(
            **{key: _string(found, key) for key in _STRINGS},
            outgoing=_outgoing(found),
            sent_at=_moment(found),
            reply_to=None if found.get("reply_to") is None else _string(found, "reply_to"),
            kind=_kind(found),
        )


@dataclass(frozen=True, slots=True)
class Notice:
    """A record made by the app, not by a person: a call, a title change, a day line.

    Attributes:
        reason: What kind of notice, in a few words that hold nothing private.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not be read.

    Attributes:
        where: The place in the source, such as `line 17` or `chats[3].messages[12]`.
        reason: Why, in a few words that hold nothing private.
    """

    where: str
    reason: str


Record = Message | Notice | Rejected


@lru_cache(maxsize=4096)
def place_part(platform: str, chat_id: str, chat: str) -> str:
    """Return how every line of a chat begins."""
    return (
        f'{{"v": {VERSION}, "platform": {_quoted(platform)}, "chat_id": {_quoted(chat_id)}, '
        f'"chat": {_quoted(chat)}, "id": '
    )


@lru_cache(maxsize=4096)
def speaker_part(speaker_id: str, speaker: str, outgoing: bool | None) -> str:
    """Return what every line of a speaker in a chat has behind its id."""
    return (
        f', "speaker_id": {_quoted(speaker_id)}, "speaker": {_quoted(speaker)}, '
        f'"outgoing": {_OUTGOING[outgoing]}, "sent_at": "'
    )


def line_of(
    place: str,
    id_: str,
    speaker: str,
    sent_at: str,
    text: str,
    reply_to: str | None,
    kind: Kind,
) -> str:
    """Return a line of `messages.jsonl`, of which many have the same parts.

    Args:
        place: Made by `place_part`.
        id_: The message's.
        speaker: Made by `speaker_part`.
        sent_at: ISO 8601 in UTC.
        text: The message's.
        reply_to: The message's.
        kind: The message's.
    """
    reply = "null" if reply_to is None else _quoted(reply_to)
    return (
        f'{place}{_quoted(id_)}{speaker}{sent_at}", "text": {_quoted(text)}, '
        f'"reply_to": {reply}, "kind": "{kind}"}}'
    )


_OUTGOING = {True: "true", False: "false", None: "null"}
_STRINGS = ("platform", "chat_id", "chat", "id", "speaker_id", "speaker", "text")


def _version_error(found: dict[str, Any]) -> Exception:
    if isinstance(found.get("v"), int):
        return UnknownVersion(
            f"it has version {found['v']}, and this Likeness reads version {VERSION}: update it"
        )
    return BadLine('it has no version "v": is this a file that `likeness export` wrote?')


def _string(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str):
        raise BadLine(f'"{key}" must be a string')
    return whole(value)


def _outgoing(found: dict[str, Any]) -> bool | None:
    value = found.get("outgoing")
    if value is not None and not isinstance(value, bool):
        raise BadLine('"outgoing" must be true, false or null')
    return value


def _moment(found: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(_string(found, "sent_at"))
        if moment.tzinfo is None:
            raise BadLine('"sent_at" must name its offset from UTC')
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadLine('"sent_at" must be an ISO 8601 date and time') from error


def _kind(found: dict[str, Any]) -> Any:
    kind = found.get("kind", "text")
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadLine(f'"kind" must be one of {", ".join(sorted(KINDS))}')
    return kind
