"""`likeness doctor`: what keeps the bot from working, and where to click to mend it."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

import click
from rich.text import Text

from likeness.cli.console import results
from likeness.cli.engine import engine_options, open_chosen

if TYPE_CHECKING:
    from bot.findings import Finding

COLOURS = {"ok": "green", "note": "yellow", "fault": "bold red"}


@click.command()
@click.argument("name")
@click.argument("platforms", nargs=-1, type=click.Choice(["telegram", "discord"]))
@engine_options
def doctor(name: str, platforms: tuple[str, ...], *, device: str, engine_url: str | None) -> None:
    """Look for what would keep the model NAME from answering on PLATFORMS.

    Without PLATFORMS it looks at those whose token is set. Nothing is changed, and no message is
    fetched or sent. Exits with 1 if something must be mended.
    """
    from bot.doctor import examine
    from bot.settings import Settings

    settings = Settings.read()
    tokens = {"telegram": settings.telegram_token, "discord": settings.discord_token}
    wanted = tuple(dict.fromkeys(platforms)) or tuple(
        platform for platform, token in tokens.items() if token
    )
    open_model = partial(open_chosen, name, settings, device=device, engine_url=engine_url)
    faults = asyncio.run(_show(examine(settings, wanted, open_model)))
    if faults:
        raise SystemExit(1)


async def _show(findings: AsyncIterator["Finding"]) -> int:
    """Print what is found; return how many things must be mended."""
    console, faults = results(), 0
    async for finding in findings:
        faults += finding.state == "fault"
        state = Text(f"{finding.state:5} ", style=COLOURS[finding.state])
        console.print(state + Text(f"{finding.subject}: {finding.says}", style=""))
    return faults
