"""The distribution a token is drawn from is the one that the settings say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from bot.engine import Sampling
from bot.engine.sampling import Floats, candidates, choose
from likeness.errors import ModelError
from tests.examples import examples

PLAIN = Sampling(top_p=1)
EACH_SETTING = [
    PLAIN,
    replace(PLAIN, temperature=0.6),
    replace(PLAIN, temperature=1.7),
    replace(PLAIN, top_k=12),
    replace(PLAIN, top_p=0.8),
    replace(PLAIN, min_p=0.08),
    replace(PLAIN, typical_p=0.7),
    Sampling(temperature=0.8, top_k=30, top_p=0.9, min_p=0.02, typical_p=0.95),
]
DRAWS = 20_000


def reference(logits: Floats, sampling: Sampling) -> Floats:
    processors = LogitsProcessorList([TemperatureLogitsWarper(sampling.temperature)])
    if sampling.top_k:
        processors.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        processors.append(TopPLogitsWarper(sampling.top_p))
    if sampling.min_p:
        processors.append(MinPLogitsWarper(sampling.min_p))
    if sampling.typical_p < 1:
        processors.append(TypicalLogitsWarper(sampling.typical_p))
    ids = torch.zeros((1, 1), dtype=torch.long)
    scores = processors(ids, torch.from_numpy(logits.copy())[None])
    return torch.softmax(scores, dim=-1)[0].numpy()


def probabilities(logits: Floats, sampling: Sampling) -> Floats:
    choice = candidates(logits, sampling)
    found = np.zeros_like(logits)
    masses = np.exp(choice.scores)
    found[slice(None) if choice.ids is None else choice.ids] = masses / masses.sum()
    return found


def atypical(shares: Floats) -> Floats:
    """Return how far each token's surprise is from the mean one, in nats."""
    surprise = -np.log(np.maximum(shares, np.finfo(np.float32).tiny), dtype=np.float64)
    distances: Floats = np.abs(surprise - (surprise * shares).sum())
    return distances


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**16),
    scale=st.sampled_from([0.1, 1, 3, 30]),
    temperature=st.sampled_from([0.2, 0.7, 1.0, 1.5]),
    top_k=st.sampled_from([0, 1, 5, 40, 500]),
    top_p=st.sampled_from([0.05, 0.5, 0.9, 0.99, 1.0]),
    min_p=st.sampled_from([0, 0, 0.01, 0.3, 1.0]),
    typical_p=st.sampled_from([0.1, 0.6, 0.95, 1.0, 1.0]),
    banned=st.integers(0, 699),
)
@example(
    seed=912, scale=0.1, temperature=0.7, top_k=0, top_p=0.9, min_p=0, typical_p=0.6, banned=279
)
@settings(max_examples=examples(300))
def test_probabilities_are_those_of_transformers(
    seed: int, scale: float, banned: int, **chosen: Any
) -> None:
    random = np.random.default_rng(seed)
    logits = (random.standard_normal(700) * scale).astype(np.float32)
    logits[random.permutation(700)[:banned]] = -np.inf
    sampling = Sampling(**chosen)
    found, expected = probabilities(logits, sampling), reference(logits, sampling)
    apart = (found > 0) != (expected > 0)
    if apart.any():
        # Rounding alone decides on a token that is as typical as the last one that is kept.
        assert sampling.typical_p < 1
        assert apart.sum() == 1
        distance = atypical(reference(logits, replace(sampling, typical_p=1.0)))
        assert distance[apart] == pytest.approx(distance[found > 0].max(), abs=1e-5)
        found, expected = (np.where(apart, 0, one) for one in (found, expected))
    np.testing.assert_allclose(found / found.sum(), expected / expected.sum(), rtol=1e-4, atol=1e-7)


@pytest.fixture(scope="module")
def model_logits(tiny_model: Any) -> Floats:
    """Return what a small model says of the token after a text."""
    from bot.engine.models import Reading
    from bot.engine.torch_model import open_torch

    model = open_torch(tiny_model, "cpu")
    (found,) = model.read([Reading(model.cache(), [3, 1, 4, 1, 5])])
    return found[0]


@pytest.mark.slow
@pytest.mark.parametrize("sampling", EACH_SETTING, ids=str)
def test_tokens_of_a_model_come_as_often_as_transformers_says(
    model_logits: Floats, sampling: Sampling
) -> None:
    random = np.random.default_rng(11)
    drawn = [choose(model_logits, sampling, random.random()) for _ in range(DRAWS)]
    counts = np.bincount(drawn, minlength=len(model_logits))
    expected = reference(model_logits, sampling).astype(np.float64) * DRAWS
    assert not counts[expected == 0].any()
    often = expected >= 5
    groups = [(counts[often], expected[often])]
    if expected[~often].sum() > 0:
        groups.append((counts[~often].sum(keepdims=True), expected[~often].sum(keepdims=True)))
    chi_square = sum(float(((seen - due) ** 2 / due).sum()) for seen, due in groups)
    freedom = sum(len(seen) for seen, _ in groups) - 1
    # The 0.1 % point of the chi-square distribution: Wilson and Hilferty's approximation.
    spread = 2 / (9 * max(freedom, 1))
    assert chi_square <= max(freedom, 1) * (1 - spread + 3.09 * spread**0.5) ** 3


@given(seed=st.integers(0, 2**16), number=st.floats(0, 1, exclude_max=True))
@settings(max_examples=examples(50))
def test_a_large_vocabulary_is_divided_in_the_order_of_its_ids(seed: int, number: float) -> None:
    logits = np.random.default_rng(seed).standard_normal(5000).astype(np.float32)
    shares = np.cumsum(probabilities(logits, Sampling()).astype(np.float64))
    found = choose(logits, Sampling(), number)
    before = shares[found - 1] if found else 0.0
    assert before / shares[-1] - 1e-5 <= number <= shares[found] / shares[-1] + 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("sampling", EACH_SETTING, ids=str)
def test_rounding_errors_in_the_logits_change_no_choice(sampling: Sampling) -> None:
    random = np.random.default_rng(5)
    logits = (random.standard_normal(3000) * 2).astype(np.float32)
    noise = (random.standard_normal(3000) * 1e-6).astype(np.float32)
    numbers = random.random(300)
    chosen = [choose(logits, sampling, number) for number in numbers]
    assert chosen == [choose(logits + noise, sampling, number) for number in numbers]


def test_temperature_zero_takes_the_likeliest() -> None:
    logits = np.array([0, 3, 2.9], np.float32)
    assert {choose(logits, Sampling(temperature=0), number) for number in (0, 0.5, 0.99)} == {1}


@pytest.mark.parametrize(
    "sampling",
    [Sampling(top_p=1e-9), Sampling(top_k=1), Sampling(min_p=1), Sampling(typical_p=0.01)],
)
@pytest.mark.parametrize("number", [0.0, 0.5, 1 - 2**-53])
def test_something_can_always_be_chosen(sampling: Sampling, number: float) -> None:
    logits = np.array([-np.inf, 3, -np.inf], np.float32)
    assert choose(logits, sampling, number) == 1


def test_what_is_banned_is_never_chosen_at_the_borders() -> None:
    logits = np.full(600, -np.inf, np.float32)
    logits[[250, 300]] = 1.0
    assert {choose(logits, PLAIN, number) for number in (0.0, 0.49, 0.51, 1 - 2**-53)} == {250, 300}


@pytest.mark.parametrize("fault", [np.nan, np.inf, -np.inf])
def test_a_model_without_numbers_is_one_sentence(fault: float) -> None:
    with pytest.raises(ModelError, match=r"no number.*\.$"):
        choose(np.full(9, fault, np.float32), Sampling(), 0.5)


@pytest.mark.parametrize("temperature", [1e-6, 1e-37, 1e-40, 5e-324])
def test_the_littlest_temperature_takes_the_likeliest(temperature: float) -> None:
    logits = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    logits[3] = -np.inf
    for more in ({}, {"top_k": 9}, {"typical_p": 0.5}, {"min_p": 0.1}):
        sampling = Sampling(temperature=temperature, **more)  # type: ignore[arg-type]
        assert choose(logits, sampling, 0.5) == logits.argmax()
