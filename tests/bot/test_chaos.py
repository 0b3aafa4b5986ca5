"""The bot is killed again and again under load, and the books still balance."""

import asyncio
import itertools
import os
import random
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.bot.adapters.fake_telegram import TOKEN, FakeTelegram

REPOSITORY = Path(__file__).parents[2]
KILLS = 50
PEOPLE = 6

PROGRAM = """
import asyncio, re
from bot.adapters.delivery import Patience
from bot.adapters import telegram
from bot.conversation import Conversation
from bot.engine import Sampling
from bot.pace import Manner
from bot.settings import Settings
from bot.store import Store
from likeness.dialogue import Part
from tests.bot.conftest import FakeEngine

class Quoting(FakeEngine):
    # Answers with the numbers of all messages that no answer in sight has quoted.
    async def reply(self, messages, sampling, *, now=None, opening="", trace=None):
        quoted = {n for m in messages if m.outgoing for n in re.findall(r"\\d+", m.text)}
        new = [m.text for m in messages if not m.outgoing and m.text not in quoted]
        await asyncio.sleep(0.01)
        if new:
            yield Part(" ".join(new))
            await asyncio.sleep(0.01)
            yield Part(f"and that was {new[-1]}!")

async def main():
    settings = Settings.read(["telegram"])
    store = await Store.open(settings.database)
    manner = Manner(pause_seconds=0.01)
    await telegram.serve(
        settings,
        Conversation(store, Quoting(), manner=manner),
        Patience(first_wait_seconds=0.05, conflicts=1000, poll_seconds=5),
    )

asyncio.run(main())
"""


async def start(telegram: FakeTelegram, database: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        cwd=REPOSITORY,
        env=os.environ
        | {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_BASE_URL": telegram.url,
            "LIKENESS_ALLOW": "everyone",
            "LIKENESS_PERSON_RATE": "0",
            "LIKENESS_CHAT_RATE": "0",
            "LIKENESS_DATABASE": f"sqlite+aiosqlite:///{database}",
        },
        stderr=asyncio.subprocess.DEVNULL,
    )


async def write_on(telegram: FakeTelegram, dice: random.Random, said: set[str]) -> None:
    """Let people write numbers, each only once."""
    for number in itertools.count(1000):
        person = {"id": dice.randint(1, PEOPLE), "is_bot": False, "first_name": "Ann"}
        said.add(str(number))
        await telegram.say(str(number), sender=person)
        await asyncio.sleep(dice.expovariate(1 / 0.3))


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_no_message_is_lost_and_only_what_was_in_flight_is_said_twice(tmp_path: Path) -> None:
    dice, database = random.Random(5), tmp_path / "likeness.db"  # noqa: S311 (no secret)
    said: set[str] = set()
    in_flight: Counter[tuple[int, str]] = Counter()
    async with FakeTelegram() as telegram:
        writing = asyncio.create_task(write_on(telegram, dice, said))
        for _ in range(KILLS):
            before, bot = len(telegram.sent), await start(telegram, database)
            await telegram.until(lambda: len(telegram.sent) > before, seconds=60)  # noqa: B023
            await asyncio.sleep(dice.uniform(0, 0.4))
            bot.kill()
            await bot.wait()
            in_flight.update(first_drafts(database))
        writing.cancel()
        bot = await start(telegram, database)
        await telegram.until(lambda: not telegram.waiting, seconds=120)
        await telegram.until(lambda: nothing_is_owed(database), seconds=120)
        bot.kill()
        await bot.wait()
    check_the_books(telegram, said, in_flight)
    assert rows(database, "SELECT count(*) FROM messages WHERE NOT outgoing") == [(len(said),)]


def check_the_books(
    telegram: FakeTelegram, said: set[str], in_flight: Counter[tuple[int, str]]
) -> None:
    sent = Counter((message["chat"]["id"], message["text"]) for message in telegram.sent)
    answered = Counter(number for _, text in sent for number in text.split() if number.isdecimal())
    assert answered == Counter(said)  # each in one answer, and no other
    assert Counter({what: times - 1 for what, times in sent.items()}) <= in_flight


def first_drafts(database: Path) -> list[tuple[int, str]]:
    """Return what each chat was being sent when the bot died: no more than one message each."""
    query = """SELECT chat, text FROM drafts JOIN chats ON chats.id = chat_id
        WHERE drafts.id IN (SELECT min(id) FROM drafts GROUP BY chat_id)"""
    return [(int(chat), text) for chat, text in rows(database, query)]


def nothing_is_owed(database: Path) -> bool:
    asking = "SELECT count(*) FROM messages WHERE asks"
    return rows(database, asking) == [(0,)] == rows(database, "SELECT count(*) FROM drafts")


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    file = sqlite3.connect(database)
    try:
        return file.execute(query).fetchall()
    finally:
        file.close()
