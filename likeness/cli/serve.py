"""`likeness serve`: bots on Telegram and Discord that answer as the model's person."""

import asyncio
from typing import Any

import click

from likeness.cli.engine import engine_options, open_chosen
from likeness.cli.logs import LogForm, configure_logging
from likeness.cli.sampling import read_sampling, sampling_options

PLATFORMS = ("telegram", "discord")
STOP_SECONDS = 8.0
"""Supervisors kill what does not stop; Docker after ten seconds."""


def _web_url(_ctx: click.Context, _param: click.Parameter, url: str | None) -> str | None:
    """Take an address as LIKENESS_WEBHOOK_URL does."""
    from bot.settings import web_url

    try:
        return web_url(url) if url else None
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


@click.command()
@click.argument("name")
@click.argument("platforms", nargs=-1, required=True, type=click.Choice(PLATFORMS))
@engine_options
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), help="Of log lines; or LIKENESS_LOG."
)
@click.option(
    "--health",
    "health_port",
    metavar="PORT",
    type=click.IntRange(0, 65_535),
    help="Answer /healthz, /readyz and /metrics on this port of this machine; or "
    "LIKENESS_HEALTH_PORT.",
)
@click.option(
    "--webhook",
    "webhook_url",
    metavar="URL",
    callback=_web_url,
    help="Let Telegram call this address instead of fetching; or LIKENESS_WEBHOOK_URL.",
)
@sampling_options
@click.pass_context
def serve(
    ctx: click.Context,
    /,
    name: str,
    platforms: tuple[str, ...],
    *,
    device: str,
    engine_url: str | None,
    log_format: LogForm | None,
    health_port: int | None,
    webhook_url: str | None,
    **sampling: Any,
) -> None:
    """Answer as the model NAME on PLATFORMS, until Ctrl-C or SIGTERM.

    Tokens come from TELEGRAM_TOKEN and DISCORD_TOKEN, in the environment or in a file .env; each
    chat's history is kept in likeness.db, or where LIKENESS_DATABASE says.

    Exits with 0 when told to stop, 78 where a setting, a token or the model must be mended, 75
    where another process of this bot is at work, 69 where a platform sends it away, and 1 where
    anything else failed.
    """
    from bot.run import serve as run_serve
    from bot.settings import Settings

    settings = Settings.read(platforms)
    configure_logging(debug=bool(ctx.find_root().params["debug"]), form=log_format or settings.log)
    given = {"health_port": health_port, "webhook_url": webhook_url}
    settings = settings.model_copy(update={k: v for k, v in given.items() if v is not None})
    platforms = tuple(dict.fromkeys(platforms))  # twice, one would send the other away
    engine = open_chosen(name, settings, device=device, engine_url=engine_url)
    chosen = read_sampling(engine.card, **sampling)
    asyncio.run(run_serve(engine, settings, platforms, chosen, stop_seconds=STOP_SECONDS))
