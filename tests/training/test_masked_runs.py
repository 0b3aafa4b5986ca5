"""What a stranger could use is nowhere in what a run leaves, and the bot asks as it was taught."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from likeness.card import RunCard
from likeness.dialogue import CharacterTokenizer
from likeness.messages import Message
from tests.training.conftest import learn
from training.config import TrainConfig
from training.corpus import build_corpus
from training.survey import survey

NUMBER, ADDRESS = "0170 1234567", "ann.lee@mail.example"
Write = Callable[[Iterable[Message]], Path]


@pytest.fixture
def telling(chat: list[Message], write: Write) -> Path:
    """Return a file in which I tell my number again and again, and my friend her address."""
    told = [
        replace(message, text=f"call {NUMBER}" if message.outgoing else f"write to {ADDRESS}")
        if number % 5 == 0
        else message
        for number, message in enumerate(chat)
    ]
    return write(told)


@pytest.mark.parametrize("masking", [True, False])
def test_windows_hold_it_only_if_that_was_asked_for(telling: Path, masking: bool) -> None:
    characters = CharacterTokenizer()
    found = survey(telling, masking=masking)
    corpus = build_corpus(telling, found, TrainConfig(), characters, 512)
    for windows in (corpus.train, corpus.held_out):
        read = characters.decode(windows.ids.tolist())
        assert ("call [number]" in read, NUMBER in read) == (masking, not masking)
        assert ("write to [email]" in read, ADDRESS in read) == (masking, not masking)
    assert corpus.balance.masked == (12 if masking else 0)


@pytest.mark.slow
@pytest.mark.parametrize("masking", [True, False])
def test_nothing_that_a_run_leaves_holds_it(
    telling: Path, tiny: Callable[..., TrainConfig], memory: Any, tmp_path: Path, masking: bool
) -> None:
    config = tiny("epochs=1", *(() if masking else ("mask=0",)))
    card = learn(telling, tmp_path / "run", memory, config)
    left = [path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert any(b"0170" in one or b"1234567" in one for one in left) == (not masking)
    assert any(b"ann.lee" in one for one in left) == (not masking)
    assert card.masking == masking
    assert ("[email]" in (tmp_path / "run" / "README.md").read_text("utf-8")) == masking


def test_a_model_trained_before_there_were_masks_is_asked_as_it_was_taught() -> None:
    card = RunCard(name="t", me="Robin", base="scratch", context_tokens=64, gap_seconds=60.0)
    assert not card.masking
    assert replace(card, settings={"mask": 1}).masking
