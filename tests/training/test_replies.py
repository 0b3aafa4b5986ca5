"""The model's own replies at held-out moments."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import nn

from likeness.dialogue import CharacterTokenizer
from training.replies import answers


class FakeModel(nn.Module):
    """A model that is said to be somewhere, and is asked nothing."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device = torch.device(device)


@pytest.mark.parametrize(
    ("device", "kept"), [("cpu", []), ("cuda:1", [torch.device("cuda:1")]), ("mps", None)]
)
def test_of_several_gpus_only_the_models_own_is_opened(
    monkeypatch: pytest.MonkeyPatch, device: str, kept: list[torch.device] | None
) -> None:
    told: list[Any] = []

    @contextmanager
    def fork_rng(devices: Any = None) -> Iterator[None]:
        told.append(devices)
        yield

    monkeypatch.setattr(torch.random, "fork_rng", fork_rng)
    model: Any = FakeModel(device)
    assert answers(model, CharacterTokenizer(), [], context_tokens=64, seed=0) == []
    assert told == [kept]
