"""Many chats at once, and long histories: `python -m benchmarks.bots telegram|discord|history`.

`telegram` and `discord` run `likeness serve`, as it is set by default, in a process of its own
against servers on loopback that stand in for the platform, with a tiny model trained here for the
purpose, and let so many people write at the same moment. The servers compute on the same cores.
`history` asks for what is recent in a chat of a hundred messages and in one of a million.
"""

import argparse
import asyncio
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.history import ChatId
from bot.store import Store
from tests.bot.adapters import fake_discord, fake_telegram
from tests.bot.adapters.fake_discord import FakeDiscord
from tests.bot.adapters.fake_telegram import FakeTelegram

REPOSITORY = Path(__file__).parent.parent
TINY = ("layers=1", "width=32", "heads=2", "vocabulary=400", "context_tokens=64", "epochs=1")
PATIENCE_SECONDS = 60.0
"""How long nothing may be answered until nobody waits for it any more."""
WORDS = "are you coming to the rehearsal tonight, and who brings the drums?"


@dataclass(frozen=True, slots=True)
class World:
    """A platform on loopback.

    Attributes:
        environment: What tells the bot where it is.
        is_heard: Tells whether the bot listens.
        say: Lets a person write to the bot in private, by their number.
        chat: Returns the chat in which a person does so.
        answered: Returns the chats that got messages, one for each, in order.
    """

    environment: dict[str, str]
    is_heard: Callable[[], bool]
    say: Callable[[int], Awaitable[None]]
    chat: Callable[[int], str]
    answered: Callable[[], list[str]]


def train_tiny(folder: Path) -> Path:
    """Train a model of one layer on the demo's chats."""
    likeness = [sys.executable, "-m", "likeness"]
    messages, run = folder / "messages.jsonl", folder / "tiny"
    export = ["export", "demo/chats", "-o", messages, "--me", "Juno"]
    train = ["train", messages, "--run", run, "--base", "scratch"]
    for command in (export, [*train, *(f"--set={setting}" for setting in TINY)]):
        subprocess.run([*likeness, *command], cwd=REPOSITORY, check=True, capture_output=True)  # noqa: S603
    return run


@asynccontextmanager
async def telegram() -> AsyncIterator[World]:
    """Stand in for Telegram."""
    async with FakeTelegram() as server:

        async def say(person: int) -> None:
            await server.say(WORDS, sender=fake_telegram.ANN | {"id": person})

        yield World(
            {"TELEGRAM_TOKEN": fake_telegram.TOKEN, "TELEGRAM_BASE_URL": server.url},
            is_heard=lambda: bool(server.of("getUpdates")),
            say=say,
            chat=str,
            answered=lambda: [str(sent["chat"]["id"]) for sent in server.sent],
        )


@asynccontextmanager
async def discord() -> AsyncIterator[World]:
    """Stand in for Discord."""
    async with FakeDiscord() as server:

        async def say(person: int) -> None:
            await server.say(WORDS, fake_discord.ANN | {"id": str(person)})

        yield World(
            {
                "DISCORD_TOKEN": fake_discord.TOKEN,
                "DISCORD_API_URL": server.api_url,
                "DISCORD_GATEWAY_URL": server.gateway_url,
            },
            is_heard=lambda: server.identified > 0,
            say=say,
            chat=lambda person: fake_discord.private({"id": str(person)})["id"],
            answered=lambda: [
                one["channel_id"] for one in server.posted if one["author"] == fake_discord.BOT
            ],
        )


async def measure_chats(folder: Path, platform: str, chats: int) -> None:
    """Let people write at the same moment, and print how they fared."""
    model = train_tiny(folder)
    async with {"telegram": telegram, "discord": discord}[platform]() as world:
        bot = await _start(folder, model, platform, world)
        await _until(world.is_heard)
        idle, began = _peak_megabytes(bot.pid), time.monotonic()
        wrote = dict[str, float]()
        for person in range(1001, 1001 + chats):
            await world.say(person)
            wrote[world.chat(person)] = time.monotonic()
        all_wrote = time.monotonic() - began
        first = await first_answers(world, chats)
        if not first:
            raise SystemExit(f"{platform}: nobody was answered within {PATIENCE_SECONDS:.0f} s")
        peak = _peak_megabytes(bot.pid)
        with suppress(TimeoutError):
            await _until(lambda: _owed(folder) == 0)
        took, answers = time.monotonic() - began, len(world.answered())
        bot.terminate()
        code = await bot.wait()
    waits = sorted(then - wrote[chat] for chat, then in first.items())
    half, most = (waits[int(len(waits) * share)] for share in (0.5, 0.95))
    kept = _count(folder, "SELECT count(*) FROM messages WHERE NOT outgoing")
    print(f"{platform}: {chats:,} people wrote within {all_wrote:.1f} s; exit code {code}")
    print(f"messages lost: {chats - kept}; chats without an answer: {chats - len(first)}")
    print(f"first answer, s: half {half:.1f}, 95 % {most:.1f}, the last {waits[-1]:.1f}")
    print(f"{answers:,} messages sent, {answers / took:.0f} a second")
    print(f"peak memory {peak:,.0f} MB, {idle:,.0f} MB before anybody wrote")


async def _start(
    folder: Path, model: Path, platform: str, world: World
) -> asyncio.subprocess.Process:
    environment = os.environ | {
        **world.environment,
        "LIKENESS_DATABASE": f"sqlite+aiosqlite:///{folder}/likeness.db",
        "LIKENESS_ALLOW": "everyone",
        "PYTHONPATH": str(REPOSITORY),
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "likeness", "serve", str(model), platform, "--seed", "1"),
        env=environment,
        cwd=folder,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _until(true: Callable[[], bool], seconds: float = 600) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 (it is about another process)
            await asyncio.sleep(0.1)


async def first_answers(
    world: World, chats: int, patience_seconds: float = PATIENCE_SECONDS
) -> dict[str, float]:
    """Wait until every chat has an answer, or none comes any more; return when each had its first.

    Args:
        world: Where the answers come.
        chats: How many wait for one.
        patience_seconds: How long none may come.
    """
    found: dict[str, float] = {}
    seen, last = 0, time.monotonic()
    while len(found) < chats and time.monotonic() - last < patience_seconds:
        await asyncio.sleep(0.02)
        answered = world.answered()
        for chat in answered[seen:]:
            found.setdefault(chat, time.monotonic())
        last = time.monotonic() if len(answered) > seen else last
        seen = len(answered)
    return found


def _owed(folder: Path) -> int:
    """Return how many messages wait, or are still to be sent."""
    asking = "SELECT count(*) FROM messages WHERE asks"
    return _count(folder, asking) + _count(folder, "SELECT count(*) FROM drafts")


def _count(folder: Path, query: str) -> int:
    database = sqlite3.connect(f"file:{folder}/likeness.db?mode=ro", uri=True)
    try:
        [[count]] = database.execute(query)
    finally:
        database.close()
    return int(count)


def _peak_megabytes(pid: int) -> float:
    """Return the most memory that a process has had; Linux tells."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def measure_history(folder: Path, messages: int = 1_000_000) -> None:
    """Print how long it takes to look up what is recent in a short chat and in a long one."""
    file = folder / "likeness.db"
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    database = sqlite3.connect(file)
    for key, count in ((1, 100), (2, messages)):
        database.execute(
            "INSERT INTO chats (id, platform, chat, thread, title) VALUES (?, 't', ?, '', 'Ann')",
            (key, str(key)),
        )
        database.executemany(
            "INSERT INTO messages (chat_id, message_id, speaker_id, speaker, outgoing, sent_at, "
            "text, kind, kept_at) VALUES (?, ?, 'user1', 'Ann', ?, '2024-05-01 12:00:00', ?, "
            "'text', '2024-05-01 12:00:00')",
            ((key, str(number), number % 2, WORDS) for number in range(count)),
        )
    database.commit()
    database.close()
    for key, count in ((1, 100), (2, messages)):
        took = []
        for _ in range(50):
            began = time.perf_counter()
            assert len(await store.recent(ChatId("t", str(key)), 64)) == 64
            took.append(time.perf_counter() - began)
        print(f"{count:,} messages: the newest 64 in {statistics.median(took) * 1000:.2f} ms")
    await store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["telegram", "discord", "history"])
    parser.add_argument("--chats", type=int, default=1000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        if chosen.what == "history":
            asyncio.run(measure_history(Path(temporary)))
        else:
            asyncio.run(measure_chats(Path(temporary), chosen.what, chosen.chats))
