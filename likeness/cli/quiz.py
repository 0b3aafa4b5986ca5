"""`likeness quiz`: a page on which friends guess which of two replies is mine."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from likeness.card import RunCard
from likeness.cli.console import count_progress, results, run_folder
from likeness.cli.engine import engine_options, open_chosen
from likeness.cli.sampling import read_sampling
from likeness.cli.tune import replies
from likeness.errors import ModelNotFound
from likeness.texts import counted

if TYPE_CHECKING:
    from bot.engine import ReplyEngine
    from training.moments import Moment


@click.command()
@click.argument("name")
@click.option(
    "--questions", "most", type=click.IntRange(1), default=20, show_default=True, help="How many."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another one, another quiz.")
@engine_options
def quiz(name: str, most: int, seed: int, device: str, engine_url: str | None) -> None:
    """Make a page on which friends guess whether you wrote a reply, or the model NAME.

    Each question is a held-out moment with your real reply and the model's; at the end the page
    says whether they can tell. It is one file that needs no network; it holds people's words.
    """
    from bot.settings import Settings
    from training.moments import read_moments
    from training.quiz import leave_quiz, questions

    run = run_folder(name)
    card, moments = RunCard.read(run), read_moments(run)
    engine = open_chosen(name, Settings.read(), device=device, engine_url=engine_url)
    asked = questions(moments, _replies(engine, moments, seed), most, seed)
    if not asked:
        raise _nothing_to_ask(run, moments)
    seen = bool(card.metrics.get("last_lesson_steps"))
    page = leave_quiz(run, card.me, asked, seen=seen)
    are = f"{counted(len(asked), 'question')} {'is' if len(asked) == 1 else 'are'}"
    results().print(f"{are} in {page}. Who gets it reads these messages.", markup=False)


def _nothing_to_ask(run: Path, moments: "list[Moment]") -> ModelNotFound:
    if not moments:
        return ModelNotFound(f"{run} kept no held-out replies to ask about: train again.")
    at = counted(len(moments), "held-out moment")
    return ModelNotFound(
        f"{run} has nothing to ask: at {'all ' if len(moments) > 1 else 'the '}{at} the model says "
        "nothing, or just what you said. Try another --seed."
    )


def _replies(engine: "ReplyEngine", moments: "list[Moment]", seed: int) -> list[list[str]]:
    """Let a model reply at moments as it does in a chat, and close it."""
    sampling = read_sampling(engine.card, greedy=False, seed=seed)
    bar = count_progress("Letting the model reply")
    with bar, asyncio.Runner() as loop:
        task = bar.add_task("", total=len(moments))
        try:
            return loop.run(replies(engine, moments, sampling, lambda: bar.advance(task)))
        finally:
            loop.run(engine.close())
