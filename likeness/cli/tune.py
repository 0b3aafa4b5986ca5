"""`likeness tune`: the temperature, top-p and min-p with which a model writes most as I do."""

import asyncio
import dataclasses
import math
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from likeness.card import RunCard
from likeness.cli.console import count_progress, remarks, results, run_folder, table
from likeness.errors import ModelNotFound

if TYPE_CHECKING:
    from bot.engine import ReplyEngine, Sampling
    from training.moments import Moment
    from training.tune import Grid, Setting, Trial

_FEWEST_MOMENTS = 8
_SHORT = {"characters": "length", "messages": "burst", "repetition": "repeats"}
"""Names of measures for a terminal of 80 columns."""


@click.command()
@click.argument("name")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, …")
@click.option("--seed", type=int, default=0, show_default=True, help="Makes it repeatable.")
def tune(name: str, device: str, seed: int) -> None:
    """Let the model NAME reply at held-out moments, and choose how it does from now on.

    The setting whose replies are most like mine in length, burst, emoji, words and repetition goes
    into the model's card, and all that were tried into its report.
    """
    from training.moments import read_moments
    from training.report import kept_report
    from training.tune import Grid

    run = run_folder(name)
    card = RunCard.read(run)
    moments = read_moments(run)
    if not moments:
        raise ModelNotFound(f"{run} kept no held-out replies to hold others against: train again.")
    kept_report(run)  # what was tried goes into it: better missed now than after it all
    if card.metrics.get("last_lesson_steps"):
        remarks().print(
            "The held-out moments have taught this model once, in its last lesson: there it may "
            "write a little more as you do than elsewhere."
        )
    trials = try_settings(run, moments, device=device, seed=seed, grid=Grid())
    _keep_best(run, moments, trials)
    rows = [
        (*trial.setting, *(f"{v:.2f}" for v in (trial.sum, *trial.misfit.values())))
        for trial in trials
    ]
    measured = (f"#{_SHORT.get(what, what)}" for what in trials[0].misfit)
    columns = ["#temp", "#top-p", "#min-p", "#sum", *measured]
    results().print(table("How differently from me it writes; 0 is just as I do", columns, rows))


def choose_sampling(run: Path, *, device: str) -> None:
    """Choose quickly how a model replies; one with too few held-out replies stays as it is."""
    from training.moments import read_moments
    from training.tune import QUICK, QUICK_MOMENTS

    moments = _spread(read_moments(run), QUICK_MOMENTS)
    if len(moments) >= _FEWEST_MOMENTS:
        trials = try_settings(run, moments, device=device, seed=0, grid=QUICK)
        _keep_best(run, moments, trials)


def _spread(moments: "Sequence[Moment]", most: int) -> "list[Moment]":
    """Return some moments, as far apart as they can be: they stand chat by chat in their file."""
    count = min(most, len(moments))
    return [moments[number * len(moments) // count] for number in range(count)]


def try_settings(
    run: Path, moments: "Sequence[Moment]", *, device: str, seed: int, grid: "Grid"
) -> "list[Trial]":
    """Let a model reply with every setting of a grid, and draw how far it is."""
    from bot.engine import Sampling, open_engine
    from training.moments import read_words
    from training.tune import tune

    engine = open_engine(run, device)
    bar = count_progress("Choosing how to reply")
    with bar, asyncio.Runner() as loop:
        task = bar.add_task("", total=grid.trials * len(moments))

        def write(setting: "Setting") -> list[list[str]]:
            sampling = Sampling(**setting._asdict(), seed=seed)
            return loop.run(replies(engine, moments, sampling, lambda: bar.advance(task)))

        try:
            return list(tune(moments, write, grid, read_words(run)))
        finally:
            loop.run(engine.close())


def _keep_best(run: Path, moments: "Sequence[Moment]", trials: "Sequence[Trial]") -> None:
    """Write the best setting into the card of a run, and say which it is."""
    from training.tune import keep

    chosen = keep(run, moments, trials).sampling
    results().print(
        f"It replies as you do at temperature {chosen['temperature']:g} with top-p "
        f"{chosen['top_p']:g} and min-p {chosen['min_p']:g}: chat and serve use that unless told "
        "otherwise."
    )


async def replies(
    engine: "ReplyEngine",
    moments: "Sequence[Moment]",
    sampling: "Sampling",
    done: Callable[[], None],
) -> list[list[str]]:
    """Let an engine reply at moments, all at once; `done` is called after each.

    No reply is cut short by the clock: so many at once take long, and what is written shall depend
    on the seed alone.
    """
    unhurried = dataclasses.replace(sampling, max_seconds=math.inf)

    async def reply(place: int, moment: "Moment") -> list[str]:
        parts = engine.reply(moment.context, unhurried.at(place), now=moment.mine[0].sent_at)
        async with aclosing(parts):
            texts = [part.text async for part in parts]
        done()
        return texts

    return list(await asyncio.gather(*(reply(n, m) for n, m in enumerate(moments))))
