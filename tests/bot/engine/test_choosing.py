"""The best of several replies."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bot.engine import Sampling, Trace
from bot.engine.caches import Caches
from bot.engine.choosing import fitness, likelihoods, log_probability
from bot.engine.local import LocalEngine
from bot.engine.models import Reading

Make = Callable[..., Any]


def test_what_could_be_said_anywhere_fits_less() -> None:
    usual, special = ([-1.0, -1.0], [-0.5, -0.5]), ([-1.5, -1.5], [-6.0, -6.0])
    assert fitness(*usual, novelty=0) > fitness(*special, novelty=0)
    assert fitness(*usual, novelty=0.5) < fitness(*special, novelty=0.5)
    assert fitness([-1.0] * 9, [-2.0] * 9, 0.5) == fitness([-1.0], [-2.0], 0.5)


def _found(toy: Any, steps: Any) -> tuple[list[list[float]], list[int]]:
    """Return what some steps give, and after how many tokens each of them wanted logits."""
    wanted: list[int] = []
    try:
        asked = next(steps)
        while True:
            wanted.append(sum(reading.wanted for reading in asked))
            asked = steps.send(toy.read(asked))
    except StopIteration as stop:
        return stop.value, wanted


@pytest.mark.parametrize("warm", [False, True])
def test_a_reply_is_as_likely_as_its_tokens_one_by_one(toy: Any, warm: bool) -> None:
    caches = Caches(toy, 10**6)
    prompt, replies = [5, 9, 2], [[7, 7, 8], [1], [7, 4]]
    if warm:
        with caches.use([*prompt, 6]) as cache:
            toy.read([Reading(cache, [*prompt, 6][cache.length :])])
    found, _ = _found(toy, likelihoods(prompt, replies, caches))
    for reply, likely in zip(replies, found, strict=True):
        text = list(prompt)
        for id_, one in zip(reply, likely, strict=True):
            (logits,) = toy.read([Reading(toy.cache(), text)])
            assert one == pytest.approx(log_probability(logits[-1], id_), abs=1e-5)
            text.append(id_)


def test_many_replies_are_read_a_few_at_a_time_to_the_same_bits(toy: Any) -> None:
    replies = [[number] * (1 + 7 * number % 60) for number in range(40)]
    caches = Caches(toy, 10**6)
    together, wanted = _found(toy, likelihoods([5, 9, 2], replies, caches))
    alone = [_found(toy, likelihoods([5, 9, 2], [reply], caches))[0][0] for reply in replies]
    assert together == alone
    assert max(wanted) <= 256
    assert len(wanted) < 10
    assert not toy.open


def test_probabilities_sum_to_one() -> None:
    logits = np.random.default_rng(0).normal(0, 300, 50).astype(np.float32)
    assert sum(np.exp(log_probability(logits, id_)) for id_ in range(50)) == pytest.approx(1)


async def _reply(engine: LocalEngine, chat: list[Any], sampling: Sampling) -> tuple[str, ...]:
    trace = Trace()
    said = [part.text async for part in engine.reply(chat, sampling, trace=trace)]
    return (*said, trace.output)


@pytest.mark.slow
async def test_another_reply_than_the_first_may_be_the_best_and_it_is_repeatable(
    engine: LocalEngine, message: Make
) -> None:
    chat = [message("where are you")]
    changed = 0
    for seed in range(6):
        single = Sampling(seed=seed, max_new_tokens=20)
        several = replace(single, best_of=6)
        best = await _reply(engine, chat, several)
        assert best == await _reply(engine, chat, several)
        assert best[:-1]
        changed += best != await _reply(engine, chat, single)
    assert changed >= 2


async def test_all_of_them_are_read_in_one_step(
    engine: LocalEngine, toy: Any, message: Make
) -> None:
    await _reply(engine, [message("hi")], Sampling(seed=4, best_of=5, max_new_tokens=12))
    assert max(len(step) for step in toy.steps) == 5
    assert len(toy.steps) <= 1 + 12 + 2


async def test_greedy_replies_have_nothing_to_choose_among(
    engine: LocalEngine, toy: Any, message: Make
) -> None:
    await _reply(engine, [message("hi")], Sampling(temperature=0, best_of=5, max_new_tokens=12))
    assert max(len(step) for step in toy.steps) == 1
