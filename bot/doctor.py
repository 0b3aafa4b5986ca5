"""What keeps the bot from working, looked for one thing after the other: nothing is changed."""

import shutil
import time
from collections.abc import AsyncIterator, Callable, Collection
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from pathlib import Path

import aiohttp

from bot.engine import ReplyEngine, Sampling
from bot.findings import Finding
from bot.settings import PLATFORMS, Settings, missing_tokens
from bot.store.checks import database_folder, examine_database
from likeness.card import FILE_NAME, NAMELESS
from likeness.errors import LikenessError
from likeness.messages import Message

LITTLE_BYTES, FEW_BYTES = 100_000_000, 1_000_000_000
"""With less free than the first it may soon fail; with less than the second one should know."""
CLOCK_SECONDS = 30.0
"""How wrong the clock may be."""
REACH_SECONDS = 10.0


async def examine(
    settings: Settings, platforms: Collection[str], open_model: Callable[[], ReplyEngine]
) -> AsyncIterator[Finding]:
    """Yield what is found, as soon as it is found.

    Args:
        settings: Of the bot.
        platforms: On which it shall answer.
        open_model: Opens what shall write the replies, here or at a server.

    Raises:
        Exception: What `open_model` raises and is none of ours.
    """
    if not platforms:
        missing = " and ".join(missing_tokens(settings, PLATFORMS))
        yield Finding("Platforms", "fault", f"One token at least is needed: {missing}.")
    for platform in platforms:
        async for finding in import_module(f"bot.adapters.{platform}_checks").examine(settings):
            yield finding
    if platforms:
        yield await _clock(_address(settings, platforms))
    async for finding in examine_database(settings.database):
        yield finding
    yield _disk(database_folder(settings.database))
    yield await _model(open_model)


def _address(settings: Settings, platforms: Collection[str]) -> str:
    if "telegram" in platforms:
        return settings.telegram_base_url
    return settings.discord_api_url or "https://discord.com/api/v10"


async def _clock(address: str) -> Finding:
    """Compare this machine's clock with that of a platform's server."""
    timeout = aiohttp.ClientTimeout(total=REACH_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.head(address) as got:
            theirs = parsedate_to_datetime(got.headers["Date"])
    except (aiohttp.ClientError, OSError, KeyError, ValueError) as error:
        return Finding("Clock", "note", f"Nobody could be asked the time ({type(error).__name__}).")
    off = (datetime.now(UTC) - theirs).total_seconds()
    if abs(off) <= CLOCK_SECONDS:
        return Finding("Clock", "ok", "It is right.")
    return Finding(
        "Clock",
        "fault",
        f"It is {abs(off):,.0f} s {'fast' if off > 0 else 'slow'}, and what is too old or not yet "
        "said is not answered: let the system set its time from the network.",
    )


def _disk(folder: Path | None) -> Finding:
    free = shutil.disk_usage(folder or Path.cwd()).free
    says = f"{free / 1e9:,.1f} GB are free where the bot writes."
    if free < LITTLE_BYTES:
        return Finding("Disk", "fault", f"{says} Make room: what cannot be kept is not answered.")
    return Finding("Disk", "ok" if free >= FEW_BYTES else "note", says)


async def _model(open_model: Callable[[], ReplyEngine]) -> Finding:
    """Open the model and let it write one token, which a server must be there for."""
    began = time.monotonic()
    try:
        engine = open_model()
    except LikenessError as error:
        return Finding("Model", "fault", str(error))
    try:
        async for _ in engine.reply([_hello()], Sampling(max_new_tokens=1)):
            pass
        seconds = time.monotonic() - began
        me = engine.card.me
    except LikenessError as error:
        return Finding("Model", "fault", str(error))
    finally:
        await engine.close()
    written = f"has written a token, in {seconds:.1f} s with loading."
    if me != NAMELESS:
        return Finding("Model", "ok", f"{me} {written}")
    nameless = f'Its card names nobody whom it plays: put a name behind "me" in {FILE_NAME}.'
    return Finding("Model", "note", f"It {written} {nameless}")


def _hello() -> Message:
    return Message(
        platform="doctor",
        chat_id="doctor",
        chat="doctor",
        id="1",
        speaker_id="doctor",
        speaker="doctor",
        outgoing=False,
        sent_at=datetime.now(UTC),
        text="hello",
    )
