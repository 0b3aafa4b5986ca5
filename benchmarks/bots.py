"""Many chats at once, and long histories: `python -m benchmarks.bots chats` or `… history`.

`chats` runs `likeness serve` in a process of its own against a Bot API server on loopback, with a
tiny model trained here for the purpose, and lets so many people write at the same moment.
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
from pathlib import Path

from bot.history import ChatId
from bot.store import Store
from tests.bot.adapters.fake_telegram import ANN, TOKEN, FakeTelegram

REPOSITORY = Path(__file__).parent.parent
TINY = ("layers=1", "width=32", "heads=2", "vocabulary=400", "context_tokens=64", "epochs=1")
WORDS = "are you coming to the rehearsal tonight, and who brings the drums?"


def train_tiny(folder: Path) -> Path:
    """Train a model of one layer on the demo's chats."""
    likeness = [sys.executable, "-m", "likeness"]
    messages, run = folder / "messages.jsonl", folder / "tiny"
    export = ["export", "demo/chats", "-o", messages, "--me", "Juno"]
    train = ["train", messages, "--run", run, "--base", "scratch"]
    for command in (export, [*train, *(f"--set={setting}" for setting in TINY)]):
        subprocess.run([*likeness, *command], cwd=REPOSITORY, check=True, capture_output=True)  # noqa: S603
    return run


async def measure_chats(folder: Path, chats: int) -> None:
    """Let people write at the same moment, and print how they fared."""
    model = train_tiny(folder)
    async with FakeTelegram() as telegram:
        environment = os.environ | {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_BASE_URL": telegram.url,
            "LIKENESS_DATABASE": f"sqlite+aiosqlite:///{folder}/likeness.db",
            "LIKENESS_ALLOW": "everyone",
            "PYTHONPATH": str(REPOSITORY),
        }
        bot = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "likeness", "serve", str(model), "telegram", "--seed", "1"),
            env=environment,
            cwd=folder,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await telegram.until(lambda: bool(telegram.of("getUpdates")), seconds=120)
        idle = _peak_megabytes(bot.pid)
        began = time.monotonic()
        for number in range(1, chats + 1):
            await telegram.say(WORDS, sender=ANN | {"id": number})
        seconds = await _first_answers(telegram, chats, began)
        peak = _peak_megabytes(bot.pid)
        bot.terminate()
        await bot.wait()
    waits = sorted(seconds.values())
    print(f"{len(waits):,} of {chats:,} chats answered in {waits[-1]:.1f} s")
    print(f"first answer after {waits[0]:.1f} s, half after {statistics.median(waits):.1f} s")
    print(f"peak memory {peak:,.0f} MB, {idle:,.0f} MB before anybody wrote")


async def _first_answers(telegram: FakeTelegram, chats: int, began: float) -> dict[int, float]:
    """Return after how many seconds each chat had its first answer."""
    found: dict[int, float] = {}
    seen = 0
    while len(found) < chats:
        await asyncio.sleep(0.1)
        sent = telegram.sent
        for message in sent[seen:]:
            found.setdefault(message["chat"]["id"], time.monotonic() - began)
        seen = len(sent)
    return found


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
    parser.add_argument("what", choices=["chats", "history"])
    parser.add_argument("--chats", type=int, default=1000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        if chosen.what == "chats":
            asyncio.run(measure_chats(Path(temporary), chosen.chats))
        else:
            asyncio.run(measure_history(Path(temporary)))
