"""The options that say what computes the replies, shared by `chat`, `serve` and `doctor`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from likeness.cli.console import remarks, run_folder

if TYPE_CHECKING:
    from bot.engine import ReplyEngine
    from bot.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = (
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, …"),
    click.option(
        "--engine",
        "engine_url",
        metavar="URL",
        help="A server that computes the model, such as vLLM; or LIKENESS_ENGINE_URL.",
    ),
)


def engine_options(command: Command) -> Command:
    """Add the options to a command; `open_chosen` takes their values."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def open_chosen(
    name: str, settings: "Settings", *, device: str, engine_url: str | None
) -> "ReplyEngine":
    """Open the model of a run, in this process or at a server.

    Raises:
        LikenessError: It cannot be opened.
        click.BadParameter: The URL is none.
    """
    from bot.engine import open_engine, open_remote
    from bot.engine.unsaid import NOTHING_UNSAID, Unsaid

    url = engine_url or settings.engine_url
    if url and not url.startswith(("http://", "https://")):
        raise click.BadParameter("must begin with http:// or https://.", param_hint="--engine")
    unsaid = Unsaid.read(settings.never_say) if settings.never_say else NOTHING_UNSAID
    if url:
        key = settings.engine_key
        return open_remote(run_folder(name), url, key.get_secret_value() if key else None, unsaid)
    with remarks().status("Loading the model"):
        return open_engine(run_folder(name), device, unsaid)
