"""Exports of any size, written as the apps write them, with invented words."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]
_PEOPLE = (("Bela Vimo", "5551"), ("Rono Kadu", "5552"))
_ENTRIES = 2000
_BEGINNING = datetime(2021, 3, 1, 8, tzinfo=UTC)
_NUMBER, _BEFORE, _LOCAL, _UNIX = 111_111_111, 222_222_222, "2000-01-01T00:00:00", "333333333"


class _Inventor:
    """Invents what people say: the same for the same seed."""

    def __init__(self) -> None:
        self.chance = random.Random(1)  # noqa: S311
        self._words = [
            "".join(self.chance.choices(_SYLLABLES, k=self.chance.choice((1, 2, 2, 3))))
            for _ in range(5000)
        ]

    def text(self) -> str:
        count = min(80, 1 + int(self.chance.expovariate(1 / 10)))
        text = " ".join(self.chance.choices(self._words, k=count))
        ending = self.chance.random()
        if ending < 0.08:
            return f"{text} 🦊"
        if ending < 0.11:
            return f"{text}\n{self.chance.choice(self._words)}"
        return f'"{text}"' if ending < 0.13 else text

    def person(self) -> tuple[str, str]:
        return self.chance.choice(_PEOPLE)

    def moments(self) -> Iterator[datetime]:
        moment = _BEGINNING
        while True:
            moment += timedelta(seconds=int(self.chance.expovariate(1 / 40)))
            yield moment


def said() -> Iterator[tuple[str, str]]:
    """Yield without end who says something and what, the same from the beginning each time."""
    inventor = _Inventor()
    entries = [(inventor.person()[0], inventor.text()) for _ in range(_ENTRIES)]
    while True:
        yield from entries


def write_telegram(path: Path, size: int) -> int:
    """Write Telegram Desktop's `result.json` of one chat; return how many entries it holds."""
    inventor = _Inventor()
    header = '{\n "name": "Rono Kadu",\n "type": "personal_chat",\n "id": 5552,\n "messages": [\n'
    entries = [_laid_out(_telegram_entry(inventor), 1, 2) for _ in range(_ENTRIES)]

    def dated(entry: str, _: int, moment: datetime) -> str:
        entry = entry.replace(_UNIX, str(int(moment.timestamp())))
        return entry.replace(_LOCAL, f"{moment:%Y-%m-%dT%H:%M:%S}")

    return _write(path, size, header, entries, dated, "\n ]\n}", inventor)


def _telegram_entry(inventor: _Inventor) -> dict[str, Any]:
    (name, number), kind = inventor.person(), inventor.chance.random()
    entry: dict[str, Any] = {
        "id": _NUMBER, "type": "message", "date": _LOCAL, "date_unixtime": _UNIX,
    }  # fmt: skip
    if kind < 0.01:
        action = {"action": "phone_call", "duration_seconds": 63, "discard_reason": "hangup"}
        who = {"actor": name, "actor_id": f"user{number}"}
        return entry | {"type": "service"} | who | action | {"text": "", "text_entities": []}
    if inventor.chance.random() < 0.03:
        entry |= {"edited": _LOCAL, "edited_unixtime": _UNIX}
    entry |= {"from": name, "from_id": f"user{number}"}
    if inventor.chance.random() < 0.12:
        entry["reply_to_message_id"] = _BEFORE
    entry |= _telegram_body(inventor, kind)
    if inventor.chance.random() < 0.05:
        recent = [{"from": name, "from_id": f"user{number}", "date": _LOCAL}]
        entry["reactions"] = [{"type": "emoji", "count": 1, "emoji": "❤", "recent": recent}]
    return entry


def _telegram_body(inventor: _Inventor, kind: float) -> dict[str, Any]:
    nothing: dict[str, Any] = {"text": "", "text_entities": []}
    if kind < 0.04:
        photo = {"photo": f"photos/photo_{_NUMBER}@01-03-2021.jpg", "photo_file_size": 81_234}
        return photo | {"width": 960, "height": 1280} | nothing
    if kind < 0.07:
        file = {"file": "stickers/AnimatedSticker.tgs", "file_size": 23_456}
        return file | {"media_type": "sticker", "sticker_emoji": "🦊", "width": 512} | nothing
    if kind < 0.09:
        file = {"file": f"voice_messages/audio_{_NUMBER}.ogg", "file_size": 12_345}
        return file | {"media_type": "voice_message", "duration_seconds": 7} | nothing
    text = inventor.text()
    plain = {"type": "plain", "text": text}
    if kind < 0.13:
        link = {"type": "link", "text": "https://example.org/pier"}
        return {"text": [text, link], "text_entities": [plain, link]}
    forwarded = {"forwarded_from": "Nulo Rami", "forwarded_from_id": "user99"}
    return (forwarded if kind < 0.15 else {}) | {"text": text, "text_entities": [plain]}


def write_discord(path: Path, size: int) -> int:
    """Write DiscordChatExporter's JSON of one channel; return how many entries it holds."""
    inventor = _Inventor()
    start = {
        "guild": {"id": "900", "name": "Harbour", "iconUrl": ""},
        "channel": {"id": "901", "type": "GuildTextChat", "categoryId": "902", "name": "pier"},
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2024-01-01T00:00:00+00:00",
    }
    header = _laid_out(start, 2, 0).removesuffix("\n}") + ',\n  "messages": [\n'
    entries = [_laid_out(_discord_entry(inventor), 2, 4) for _ in range(_ENTRIES)]

    def dated(entry: str, number: int, moment: datetime) -> str:
        return entry.replace(_LOCAL, f"{moment:%Y-%m-%dT%H:%M:%S}.{number % 1000:03}")

    return _write(path, size, header, entries, dated, "\n  ]\n}", inventor)


def _discord_entry(inventor: _Inventor) -> dict[str, Any]:
    name, number = inventor.person()
    author = {
        "id": f"10000000000000{number}", "name": name.lower(), "discriminator": "0000",
        "nickname": name, "color": "#206694", "isBot": False, "roles": [],
        "avatarUrl": f"https://cdn.example.org/avatars/{number}/0123456789abcdef.png?size=512",
    }  # fmt: skip
    return {
        "id": f"100000000{_NUMBER}", "type": "Default", "timestamp": f"{_LOCAL}+00:00",
        "timestampEdited": None, "callEndedTimestamp": None, "isPinned": False,
        "content": inventor.text(), "author": author, "attachments": [], "embeds": [],
        "stickers": [], "reactions": [], "mentions": [], "inlineEmojis": [],
    }  # fmt: skip


def write_whatsapp(path: Path, size: int) -> int:
    """Write WhatsApp's text of one chat, as Android does; return how many entries it holds."""
    inventor = _Inventor()
    entries = [f" - {inventor.person()[0]}: {inventor.text()}\n" for _ in range(_ENTRIES)]
    written = count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for moment in inventor.moments():
            line = f"{moment:%d/%m/%Y, %H:%M}{entries[count % _ENTRIES]}"
            written += len(line.encode())
            if written > size:
                return count
            file.write(line)
            count += 1
    return count


def _laid_out(value: dict[str, Any], indent: int, depth: int) -> str:
    margin = " " * depth
    return margin + json.dumps(value, ensure_ascii=False, indent=indent).replace(
        "\n", f"\n{margin}"
    )


def _write(
    path: Path,
    size: int,
    header: str,
    entries: list[str],
    dated: Callable[[str, int, datetime], str],
    end: str,
    inventor: _Inventor,
) -> int:
    """Write entries over and over, each time with the next number and moment."""
    written = count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(header)
        for moment in inventor.moments():
            entry = dated(entries[count % _ENTRIES], count, moment)
            entry = entry.replace(str(_NUMBER), str(count + 4)).replace(str(_BEFORE), str(count))
            written += len(entry.encode())
            if written > size:
                break
            file.write(f"{',' if count else ''}\n{entry}".removeprefix("\n" if not count else ""))
            count += 1
        file.write(end)
    return count
