"""The options that say how a reply is chosen, shared by `chat` and `serve`."""

from collections.abc import Callable
from dataclasses import fields
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bot.engine import Sampling
    from likeness.card import RunCard

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = (
    click.option(
        "--temperature",
        type=click.FloatRange(0),
        help="Below 1 likelier words, above 1 wilder ones; 0 is --greedy.",
    ),
    click.option(
        "--top-k", type=click.IntRange(0), help="Choose among this many likeliest tokens; 0: all."
    ),
    click.option(
        "--top-p",
        type=click.FloatRange(0, 1, min_open=True),
        help="Choose among the likeliest tokens that together have this probability.",
    ),
    click.option(
        "--min-p",
        type=click.FloatRange(0, 1),
        help="Choose among tokens at least this often as likely as the likeliest; 0: all.",
    ),
    click.option(
        "--typical",
        "typical_p",
        type=click.FloatRange(0, 1, min_open=True),
        help="Choose among tokens about as surprising as one expects, which together have this "
        "probability; 1: all.",
    ),
    click.option(
        "--best-of",
        type=click.IntRange(1, 64),
        help="Write so many replies and say the one that fits the chat best.",
    ),
    click.option(
        "--novelty",
        type=click.FloatRange(0, 2),
        help="For --best-of: how much less a reply fits for being likely in any chat.",
    ),
    click.option("--greedy", is_flag=True, help="Always take the likeliest token."),
    click.option("--seed", type=int, help="Make the replies repeatable."),
    click.option(
        "--max-new-tokens", type=click.IntRange(1), help="Length of a reply at the most, in tokens."
    ),
    click.option(
        "--max-seconds",
        type=click.FloatRange(0, min_open=True),
        help="How long to write on a reply at the most.",
    ),
)


def sampling_options(command: Command) -> Command:
    """Add the options to a command; `read_sampling` takes their values."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def read_sampling(card: "RunCard", *, greedy: bool, **given: Any) -> "Sampling":
    """Return what the options say; for what was not given the model's card, else the default.

    Raises:
        click.BadParameter: One of them is no number, or has no end.
    """
    from bot.engine import Sampling

    names = {field.name for field in fields(Sampling)}
    known = {name: value for name, value in card.sampling.items() if name in names}
    chosen = {key: value for key, value in given.items() if value is not None}
    settled = known | chosen | ({"temperature": 0.0} if greedy else {})
    for name, value in settled.items():
        if isinstance(value, float) and not isfinite(value):
            raise click.BadParameter(f"{value} is no number to choose words by.", param_hint=name)
    return Sampling(**settled)
