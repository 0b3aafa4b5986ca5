"""Which reply is mine: how well a model picks it out of twenty, and what `best_of` does to words.

    python -m benchmarks.words RUN [--moments 100] [--novelty 0.5]

RUN is a finished run, trained with `--set last_lesson=0`, so that the held-out moments which are
asked about have never taught it. First table: the share of moments at
which my true reply gets the highest score among itself and 19 replies of mine to others (Hits@1 of
20), for each `novelty`, and the mean place of the true one. Second table: the share of new pairs of
words (distinct-2) in the model's own replies, and how differently from me it writes, for each
`best_of`, with the novelty that is asked for or else has the most hits.
"""

import argparse
import asyncio
import random
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.folders import existing_folder
from bot.engine import Sampling, open_engine
from bot.engine.asking import ask
from bot.engine.caches import Caches
from bot.engine.choosing import fitness, likelihoods
from bot.engine.models import Model, Reading
from bot.engine.opening import open_model
from likeness.card import RunCard
from likeness.cli.tune import replies
from likeness.dialogue import encode_turns, prompt
from likeness.tokenizer import FolderTokenizer
from training.measures import distinct_pairs, misfit
from training.moments import Moment, read_moments

NOVELTIES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
BEST_OF = (1, 2, 4, 8)
DISTRACTORS = 19
_CACHE_BYTES = 2**28
T = TypeVar("T")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=existing_folder)
    parser.add_argument("--moments", type=int, default=100)
    parser.add_argument("--novelty", type=float, help="of the second table")
    told = parser.parse_args()
    moments = read_moments(told.run)[: told.moments]
    if not moments:
        parser.error(f"{told.run} held nothing out: there are no moments to reply at")
    card = RunCard.read(told.run)
    print(f"{told.run.name}: {len(moments)} held-out moments")
    model, tokenizer = open_model(told.run), FolderTokenizer.load(told.run)
    places: dict[float, list[int]] = {novelty: [] for novelty in NOVELTIES}
    for scores in _scored(model, tokenizer, card, moments):
        for novelty, fits in scores.items():
            places[novelty].append(sum(fit >= fits[0] for fit in fits))
    model.close()
    print("\nnovelty  Hits@1 of 20  mean place")
    for novelty, found in places.items():
        hits = sum(place == 1 for place in found) / len(found)
        print(f"{novelty:7.2f}  {hits:12.1%}  {sum(found) / len(found):10.2f}")
    best = told.novelty
    if best is None:
        best = max(NOVELTIES, key=lambda novelty: sum(place == 1 for place in places[novelty]))
    print(f"\nwith novelty {best}\nbest_of  distinct-2  differs from me")
    mine = [[message.text for message in moment.mine] for moment in moments]
    print(f"     me  {distinct_pairs(mine):10.1%}")
    for count in BEST_OF:
        chosen = replace(Sampling(seed=0, best_of=count, novelty=best), **card.sampling)
        said = asyncio.run(_replies(told.run, moments, chosen))
        differs = sum(misfit(mine, said).values())
        print(f"{count:7}  {distinct_pairs(said):10.1%}  {differs:15.2f}")


def _scored(
    model: Model, tokenizer: FolderTokenizer, card: RunCard, moments: Sequence[Moment]
) -> Iterator[dict[float, list[float]]]:
    """Yield, for each moment and novelty, how well 20 replies fit; the true one is the first."""
    caches = Caches(model, _CACHE_BYTES)
    spoken = [encode_turns(moment.mine, tokenizer)[0].body.ids[:80] for moment in moments]
    bare = prompt([], tokenizer, 16)
    anywhere = _run(likelihoods(bare, spoken, caches), model)
    dice = random.Random(0)  # noqa: S311 - no secret
    for number, moment in enumerate(moments):
        others = [n for n in range(len(moments)) if spoken[n] != spoken[number]]
        chosen = [number, *dice.sample(others, min(DISTRACTORS, len(others)))]
        ids = ask(moment.context, tokenizer, card, Sampling(), moment.mine[0].sent_at)
        here = _run(likelihoods(ids, [spoken[n] for n in chosen], caches), model)
        yield {
            novelty: [
                fitness(likely, anywhere[n], novelty)
                for n, likely in zip(chosen, here, strict=True)
            ]
            for novelty in NOVELTIES
        }
    caches.close()


def _run(steps: Generator[list[Reading], Any, T], model: Model) -> T:
    """Do some work on a model by itself; return what it returns."""
    try:
        asked = next(steps)
        while True:
            asked = steps.send(model.read(asked))
    except StopIteration as stop:
        found: T = stop.value
        return found


async def _replies(run: Path, moments: Sequence[Moment], sampling: Sampling) -> list[list[str]]:
    engine = open_engine(run)
    try:
        return await replies(engine, moments, sampling, done=lambda: None)
    finally:
        await engine.close()


if __name__ == "__main__":
    main()
