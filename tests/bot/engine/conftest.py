"""A model of a few lines, which computes with numpy what no two texts have in common."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bot.engine.grammar import Grammar
from bot.engine.local import LocalEngine
from bot.engine.models import Reading
from likeness.card import RunCard
from likeness.tokenizer import FolderTokenizer

BYTES_A_TOKEN = 1000


@dataclass
class ToyCache:
    """Remembers the very tokens, so that a mistake with caches changes what is written."""

    model: "ToyModel"
    ids: list[int] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        self.model.open.append(self)

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def size(self) -> int:
        return BYTES_A_TOKEN * len(self.ids)

    def cut(self, length: int) -> None:
        assert not self.closed
        assert length <= len(self.ids)
        del self.ids[length:]

    def fork(self) -> "ToyCache":
        assert not self.closed
        return ToyCache(self.model, list(self.ids))

    def close(self) -> None:
        assert not self.closed
        self.closed = True
        self.model.open.remove(self)


class ToyModel:
    """What follows a text is drawn by its checksum, and what it holds already is likelier.

    Attributes:
        open: The caches that were not closed.
        steps: For each step how many tokens of each text were read.
        at_step: Called before each step with its readings.
    """

    positions = 256

    def __init__(self, vocabulary: int) -> None:
        self.vocabulary = vocabulary
        self.open: list[ToyCache] = []
        self.steps: list[list[int]] = []
        self.at_step: Callable[[Sequence[Reading]], object] = len
        self.closed = False

    def cache(self) -> ToyCache:
        return ToyCache(self)

    def read(self, readings: Sequence[Reading]) -> list[NDArray[np.float32]]:
        self.at_step(readings)
        self.steps.append([len(reading.ids) for reading in readings])
        return [self._read(reading) for reading in readings]

    def close(self) -> None:
        assert not self.closed
        self.closed = True

    def _read(self, reading: Reading) -> NDArray[np.float32]:
        cache = reading.cache
        assert isinstance(cache, ToyCache)
        assert not cache.closed
        assert 1 <= reading.wanted <= len(reading.ids)
        rows = []
        for id_ in reading.ids:
            cache.ids.append(id_)
            assert len(cache.ids) <= self.positions
            seed = crc32(np.array(cache.ids).tobytes())
            row = np.random.default_rng(seed).standard_normal(self.vocabulary, np.float32)
            row[cache.ids] += 2
            rows.append(row)
        return np.stack(rows[-reading.wanted :])


@pytest.fixture
def tokenizer(byte_tokenizer: Tokenizer) -> FolderTokenizer:
    return FolderTokenizer(byte_tokenizer)


@pytest.fixture
def toy(tokenizer: FolderTokenizer) -> ToyModel:
    return ToyModel(max(tokenizer.writable) + 8)  # rows that no token stands for


@pytest.fixture
def grammar(tokenizer: FolderTokenizer, toy: ToyModel) -> Grammar:
    return Grammar(tokenizer, toy.vocabulary, tokenizer.writable, tokenizer.fragments)


@pytest.fixture
def toy_card() -> RunCard:
    return RunCard(name="toy", me="Robin", base="scratch", context_tokens=256, gap_seconds=3600.0)


@pytest.fixture
async def engine(toy: ToyModel, grammar: Grammar, toy_card: RunCard) -> AsyncIterator[LocalEngine]:
    engine = LocalEngine(toy_card, toy, grammar, cache_bytes=40 * 256 * BYTES_A_TOKEN)
    yield engine
    await engine.close()
    assert not toy.open
    assert toy.closed
