"""The distribution a token is drawn from is the one that the settings say."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from bot.engine import Sampling
from bot.engine.sampling import choose, probabilities


def reference(logits: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    processors = LogitsProcessorList([TemperatureLogitsWarper(sampling.temperature)])
    if sampling.top_k:
        processors.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        processors.append(TopPLogitsWarper(sampling.top_p))
    ids = torch.zeros((1, 1), dtype=torch.long)
    return torch.softmax(processors(ids, logits[None]), dim=-1)[0]


@given(
    seed=st.integers(0, 2**16),
    temperature=st.sampled_from([0.2, 0.7, 1.0, 1.5]),
    top_k=st.sampled_from([0, 1, 5, 40, 500]),
    top_p=st.sampled_from([0.05, 0.5, 0.9, 0.99, 1.0]),
    banned=st.integers(0, 250),
)
@settings(max_examples=200, deadline=None)
def test_probabilities_are_those_of_transformers(
    seed: int, temperature: float, top_k: int, top_p: float, banned: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(300, generator=generator) * 3
    logits[torch.randperm(300, generator=generator)[:banned]] = -torch.inf
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
    ours, theirs = probabilities(logits, sampling), reference(logits, sampling)
    assert torch.equal(ours > 0, theirs > 0)
    torch.testing.assert_close(ours, theirs)


def test_tokens_come_as_often_as_their_probability_says() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -torch.inf])
    sampling = Sampling(temperature=0.8, top_k=4, top_p=0.97)
    generator = torch.Generator().manual_seed(11)
    draws = 20_000
    counts = Counter(choose(logits, sampling, generator) for _ in range(draws))
    expected = probabilities(logits, sampling) * draws
    possible = [id_ for id_ in range(5) if expected[id_] > 0]
    assert set(counts) == set(possible)
    chi_square = sum((counts[id_] - expected[id_]) ** 2 / expected[id_] for id_ in possible)
    assert chi_square < 16.27  # 3 degrees of freedom, p = 0.001


def test_temperature_zero_takes_the_likeliest() -> None:
    logits = torch.tensor([0.0, 3.0, 2.9])
    generator = torch.Generator()
    assert {choose(logits, Sampling(temperature=0), generator) for _ in range(20)} == {1}


@pytest.mark.parametrize("sampling", [Sampling(top_p=1e-9), Sampling(top_k=1, top_p=1)])
def test_something_can_always_be_chosen(sampling: Sampling) -> None:
    logits = torch.tensor([0.0, 3.0, 2.9])
    assert choose(logits, sampling, torch.Generator().manual_seed(0)) == 1


def test_half_precision_is_sampled_in_full() -> None:
    logits = torch.randn(1000).bfloat16()
    found = probabilities(logits, replace(Sampling(), temperature=0.7))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, probabilities(logits.float(), Sampling(temperature=0.7)))
