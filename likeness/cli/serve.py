"""`likeness serve`: bots on Telegram and Discord that answer as the model's person."""

import asyncio
from typing import Any

import click

from likeness.cli.console import remarks, run_folder
from likeness.cli.sampling import read_sampling, sampling_options

PLATFORMS = ("telegram", "discord")


@click.command()
@click.argument("name")
@click.argument("platforms", nargs=-1, required=True, type=click.Choice(PLATFORMS))
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, …")
@sampling_options
def serve(name: str, platforms: tuple[str, ...], *, device: str, **sampling: Any) -> None:
    """Answer as the model NAME on PLATFORMS, until Ctrl-C or SIGTERM.

    Tokens come from TELEGRAM_TOKEN and DISCORD_TOKEN, in the environment or in a file .env; each
    chat's history is kept in likeness.db, or where LIKENESS_DATABASE says.
    """
    from bot.engine import open_engine
    from bot.run import serve as run_serve
    from bot.settings import Settings

    settings = Settings.read(platforms)
    with remarks().status("Loading the model"):
        engine = open_engine(run_folder(name), device)
    asyncio.run(run_serve(engine, settings, platforms, read_sampling(engine.card, **sampling)))
