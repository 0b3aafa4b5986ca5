"""`likeness chat`: a conversation with a model in the terminal, or one continuation."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import click

from likeness.cli.console import results
from likeness.cli.engine import engine_options, open_chosen
from likeness.cli.sampling import read_sampling, sampling_options
from likeness.dialogue import SPEAKERS, START, read_prompt

if TYPE_CHECKING:
    from bot.engine import ReplyEngine, Sampling


@click.command()
@click.argument("name")
@click.option(
    "--prompt",
    metavar="TEXT",
    help="Print one continuation of a typed prompt, such as "
    "'<speaker2> Am I speaking to a bot?', and leave.",
)
@click.option("--max-history", type=click.IntRange(1), help="Turns it sees; as many as fit.")
@click.option("--verbose", is_flag=True, help="Show exactly what goes in and comes out.")
@engine_options
@sampling_options
def chat(
    name: str,
    prompt: str | None,
    max_history: int | None,
    *,
    verbose: bool,
    device: str,
    engine_url: str | None,
    **sampling: Any,
) -> None:
    """Talk to the model NAME (a run, or the path of a model folder).

    Where the input is no terminal, each of its lines is one message, and the answers are printed.
    """
    from bot.settings import Settings

    engine = open_chosen(name, Settings.read(), device=device, engine_url=engine_url)
    chosen = read_sampling(engine.card, **sampling)
    if prompt is None:
        from bot.adapters.terminal import talk

        asyncio.run(
            _and_close(engine, talk(engine, chosen, verbose=verbose, max_history=max_history))
        )
    else:
        asyncio.run(_and_close(engine, _continue(engine, chosen, prompt, verbose=verbose)))


async def _and_close(engine: "ReplyEngine", work: Coroutine[None, None, None]) -> None:
    try:
        await work
    finally:
        await engine.close()


async def _continue(
    engine: "ReplyEngine", sampling: "Sampling", typed: str, *, verbose: bool
) -> None:
    from bot.engine import Trace

    try:
        messages, opening, now = read_prompt(typed)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--prompt") from error
    trace = Trace()
    reply = engine.reply(messages, sampling, now=now, opening=opening, trace=trace)
    async for _ in reply:
        pass
    console = results()
    if verbose:
        console.print(f"--- in\n{trace.prompt}\n--- out\n{trace.output}\n---", markup=False)
    else:
        said = f"{trace.prompt}{trace.output}".removeprefix(START)
        for end in (*SPEAKERS, START):
            said = said.removesuffix(end)
        console.print(said.rstrip("\n"), markup=False)
