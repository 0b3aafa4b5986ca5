"""A model goes as far from its base as held-out messages gain by it, and no further."""

import shutil
from collections.abc import Callable, Iterable
from math import log
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from likeness.card import RunCard
from likeness.errors import TrainingError
from likeness.messages import Message
from tests.training.conftest import Memory, learn
from training import mixing
from training.config import TrainConfig
from training.mixing import SHARES

pytestmark = pytest.mark.slow

Train = Callable[..., tuple[Path, RunCard]]
TOO_FAST = ("epochs=1", "learning_rate=0.05")


@pytest.fixture
def taught(
    chat: list[Message],
    write: Callable[[Iterable[Message]], Path],
    tiny: Callable[..., TrainConfig],
    tmp_path: Path,
) -> Train:
    """Return a function that lets a base learn the chat: the run's folder, its card."""

    def taught(name: str, *settings: str, **other: Any) -> tuple[Path, RunCard]:
        config = tiny("held_out_share=0.3", "report_replies=0", *settings)
        watch = other.pop("watch", Memory())
        return tmp_path / name, learn(write(chat), tmp_path / name, watch, config, **other)

    return taught


@pytest.fixture
def base(taught: Train) -> str:
    """Return the folder of a model that knows the chat already."""
    return str(taught("base", "epochs=30", "learning_rate=1e-2")[0])


def _weights(run: Path | str) -> dict[str, torch.Tensor]:
    return load_file(Path(run) / "model.safetensors")


def test_who_knew_the_chat_already_and_went_too_far_goes_back_some_way(
    taught: Train, base: str
) -> None:
    run, card = taught("mixed", *TOO_FAST, base=base)
    learnt, unmixed = taught("unmixed", *TOO_FAST, "mix=0", base=base)
    share = card.metrics["learnt_share"]
    assert share in SHARES
    assert unmixed.metrics["learnt_share"] == 1
    after, before = card.metrics["after"], unmixed.metrics["after"]
    assert after["loss"] + log(after["perplexity"]) < before["loss"] + log(before["perplexity"])
    began, ended, stands = _weights(base), _weights(learnt), _weights(run)
    for name in stands:
        torch.testing.assert_close(stands[name], torch.lerp(began[name], ended[name], share))
    assert f"{share:.0%} of the way" in (run / "README.md").read_text(encoding="utf-8")
    assert "of the way" not in (learnt / "README.md").read_text(encoding="utf-8")


def test_who_knew_nothing_of_it_stays_with_what_was_learnt_to_the_bit(
    taught: Train, plain_gpt2: Path
) -> None:
    settings = ("epochs=3", "learning_rate=5e-3")
    run, card = taught("mixed", *settings, base=str(plain_gpt2))
    learnt, unmixed = taught("unmixed", *settings, "mix=0", base=str(plain_gpt2))
    assert card.metrics == unmixed.metrics | {"learnt_share": 1}
    assert (run / "model.safetensors").read_bytes() == (learnt / "model.safetensors").read_bytes()


def _no_memory(*_: object) -> None:
    raise TrainingError("there is no memory for it")


@pytest.mark.parametrize("becomes", ["gone", "another model", "too large"])
def test_a_base_that_is_none_any_more_when_the_run_ends_takes_nothing_with_it(
    becomes: str,
    taught: Train,
    base: str,
    plain_gpt2: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Changing(Memory):
        def saved(self, path: Path) -> None:
            super().saved(path)
            if becomes == "too large":
                monkeypatch.setattr(mixing, "open_base", _no_memory)
                return
            shutil.rmtree(base, ignore_errors=True)
            if becomes == "another model":
                shutil.copytree(plain_gpt2, base)

    run, card = taught("run", *TOO_FAST, base=base, watch=Changing())
    assert card.metrics["learnt_share"] == 1
    assert "Nothing of the base is mixed in: " in caplog.text
    assert RunCard.read(run) == card
