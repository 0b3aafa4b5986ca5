"""The starter: a small model of our own that comes with the package, for machines without a hub."""

import socket
import tomllib
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from benchmarks.starter.corpora import SOURCES
from likeness.card import RunCard
from likeness.dialogue import START, TAGS
from likeness.tokenizer import FolderTokenizer
from training.base import STARTER, STARTER_FOLDER, open_base, quiet
from training.config import TrainConfig

REPOSITORY = Path(__file__).parents[2]
WEIGHTS = STARTER_FOLDER / "model.safetensors"
MOST_BYTES = 30_000_000


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it reached for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.slow
def test_it_is_loaded_in_32_bits_without_a_network(no_network: None) -> None:
    with quiet():
        base = open_base(STARTER, TrainConfig(), list)
    assert base.name == STARTER
    assert {weight.dtype for weight in base.model.parameters()} == {torch.float32}
    assert base.context_tokens == base.model.config.n_positions


def test_its_weights_are_one_file_of_16_bits_that_keeps_the_repository_light() -> None:
    assert [path.name for path in STARTER_FOLDER.glob("*.safetensors")] == [WEIGHTS.name]
    assert WEIGHTS.stat().st_size < MOST_BYTES
    with safe_open(WEIGHTS, "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118


def test_its_tokenizer_has_had_the_tags_from_the_start() -> None:
    tokenizer = FolderTokenizer.load(STARTER_FOLDER)
    with quiet():
        base = open_base(STARTER, TrainConfig(), list)
    rows = base.model.get_input_embeddings().weight
    tags = [tokenizer.tag(tag) for tag in (START, "\n", *TAGS)]
    assert max(tags) < rows.shape[0] == len(base.tokenizer)
    # Training has told them apart: none is a copy or a mean of others.
    assert torch.cdist(rows[tags], rows[tags]).fill_diagonal_(1).min() > 0.01


def test_its_card_names_data_licences_attribution_and_figures() -> None:
    card = RunCard.read(STARTER_FOLDER)
    said = (STARTER_FOLDER / "README.md").read_text(encoding="utf-8")
    assert list(card.data) == [source.name for source in SOURCES]
    for source in SOURCES:
        data = card.data[source.name]
        assert (data["licence"], data["attribution"]) == (source.licence, source.attribution)
        assert len(data["sha256"]) == 64
        assert source.attribution in said
        figure = card.metrics["nats_per_character"][source.name]
        assert 0 < figure < 2
        assert f"{figure:.3f}" in said
    assert card.metrics["steps"] > 0


@pytest.mark.slow
def test_it_knows_english_from_noise() -> None:
    with quiet():
        base = open_base(STARTER, TrainConfig(dropout=0), list)
    base.model.eval()

    def loss(text: str) -> float:
        ids = torch.tensor([[base.tags.tag(START), base.tags.tag("<speaker2>"),
                             *base.tags.encode(text)]])  # fmt: skip
        with torch.no_grad():
            return float(base.model(ids, labels=ids).loss)

    assert loss(" Do you like this movie?") + 1 < loss(" movie Do this? like you")


def test_the_package_takes_it_along() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert "starter/*" in project["tool"]["setuptools"]["package-data"]["training"]
