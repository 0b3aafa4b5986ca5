"""`likeness doctor`: what keeps the bot from working, and where to click to mend it."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import click
from rich.text import Text

from likeness.cli.console import results, run_folder

if TYPE_CHECKING:
    from bot.findings import Finding

COLOURS = {"ok": "green", "note": "yellow", "fault": "bold red"}


@click.command()
@click.argument("name")
@click.argument("platforms", nargs=-1, type=click.Choice(["telegram", "discord"]))
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, …")
def doctor(name: str, platforms: tuple[str, ...], *, device: str) -> None:
    """Look for what would keep the model NAME from answering on PLATFORMS.

    Without PLATFORMS it looks at those whose token is set. Nothing is changed, and no message is
    fetched or sent. Exits with 1 if something must be mended.
    """
    from bot.doctor import examine
    from bot.settings import Settings

    settings = Settings.read()
    tokens = {"telegram": settings.telegram_token, "discord": settings.discord_token}
    wanted = platforms or tuple(platform for platform, token in tokens.items() if token)
    faults = asyncio.run(_show(examine(settings, wanted, run_folder(name), device)))
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
