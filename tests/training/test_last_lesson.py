"""What was held out teaches once all is measured, and never at the cost of the model."""

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from likeness.card import RunCard
from likeness.errors import LikenessError, TrainingError
from likeness.messages import Message
from training.base import Base
from training.config import TrainConfig
from training.last_lesson import teach_held_out
from training.loop import Trainer
from training.run import train

pytestmark = pytest.mark.slow


@pytest.fixture
def trained(
    chat: list[Message],
    write: Callable[[Iterable[Message]], Path],
    tiny: Callable[..., TrainConfig],
    memory: Any,
    tmp_path: Path,
) -> Callable[..., tuple[Path, Path, TrainConfig]]:
    """Return a function that trains a model: the messages, its folder, its settings."""

    def trained(*settings: str) -> tuple[Path, Path, TrainConfig]:
        messages, run = write(chat), tmp_path / "run"
        config = tiny("epochs=1", "held_out_share=0.3", "learning_rate=1e-2", *settings)
        train(
            messages, run, base="scratch", config=config, speaker=None, resume=False, watch=memory
        )
        return messages, run, config

    return trained


def _weights(run: Path) -> bytes:
    return (run / "model.safetensors").read_bytes()


def _nats(run: Path) -> float:
    return float(json.loads((run / "held_out.json").read_text())["nats"])


def test_what_was_held_out_is_predicted_better_and_the_figures_stay(trained: Any) -> None:
    messages, run, config = trained("last_lesson=0.5")
    before, nats, card = _weights(run), _nats(run), RunCard.read(run)
    heard: list[tuple[int, int]] = []
    steps = teach_held_out(messages, run, config, None, lambda *step: heard.append(step))
    assert heard == [(step, steps) for step in range(1, steps + 1)]
    assert _nats(run) < nats
    assert _weights(run) != before
    after = RunCard.read(run)
    assert after.metrics == card.metrics | {"last_lesson_steps": steps}
    assert "After that they taught it" in (run / "README.md").read_text()
    assert not list(run.glob(".*weights*"))


def test_a_model_that_went_back_towards_its_base_is_moved_less(trained: Any) -> None:
    messages, run, config = trained("last_lesson=0.5")

    def moved(learnt_share: float) -> float:
        copy = run.with_name(f"copy-{learnt_share}")
        shutil.copytree(run, copy)
        card = RunCard.read(copy)
        card.metrics["learnt_share"] = learnt_share
        card.write(copy)
        teach_held_out(messages, copy, config, None)
        before, after = (load_file(folder / "model.safetensors") for folder in (run, copy))
        return sum(float((after[name] - before[name]).abs().sum()) for name in before)

    assert 0 < moved(0.3) < 0.5 * moved(1.0)


@pytest.mark.parametrize("setting", ["last_lesson=0", "held_out_share=0", "method=lora"])
def test_where_there_is_no_last_lesson_nothing_changes(trained: Any, setting: str) -> None:
    messages, run, config = trained(setting)
    before = _weights(run)
    assert teach_held_out(messages, run, config, None) == 0
    assert _weights(run) == before
    assert "last_lesson_steps" not in RunCard.read(run).metrics


def test_the_lesson_computes_layers_again_if_the_run_did(
    trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages, run, config = trained("recompute=1")
    again: list[bool] = []
    take_step = Trainer.take_step

    def remember(self: Trainer) -> Any:
        layers = self.model.modules()
        again.append(any(getattr(one, "gradient_checkpointing", False) for one in layers))
        return take_step(self)

    monkeypatch.setattr(Trainer, "take_step", remember)
    assert teach_held_out(messages, run, config, None) == len(again)
    assert all(again)


def test_a_lesson_that_goes_wrong_leaves_the_model_as_it_was(
    trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages, run, config = trained()
    before, take_step = _weights(run), Trainer.take_step
    monkeypatch.setattr(
        Trainer,
        "take_step",
        lambda self: dataclasses.replace(take_step(self), loss=torch.tensor(float("nan"))),
    )
    with pytest.raises(TrainingError, match="the model is as it was"):
        teach_held_out(messages, run, config, None)
    assert _weights(run) == before


@pytest.mark.parametrize("error", [OSError(28, "No space left"), SafetensorError("full")])
def test_a_disk_that_takes_no_weights_leaves_the_model_as_it_was(
    trained: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    messages, run, config = trained()
    before, card = _weights(run), RunCard.read(run)

    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr(Base, "save", full)
    with pytest.raises(TrainingError, match="cannot be written"):
        teach_held_out(messages, run, config, None)
    assert _weights(run) == before
    assert RunCard.read(run) == card
    assert not list(run.glob(".*weights*"))


def _all_that_tells(run: Path) -> list[bytes]:
    names = ("model.safetensors", "held_out.json", "likeness.json", "README.md")
    return [(run / name).read_bytes() for name in names]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), LikenessError("No space left")])
def test_weights_come_with_all_that_tells_of_them_or_not_at_all(
    trained: Any, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    messages, run, config = trained()
    before = _all_that_tells(run)

    def stop(*_: object) -> None:
        raise error

    monkeypatch.setattr("training.last_lesson.leave_card", stop)
    with pytest.raises(type(error)):
        teach_held_out(messages, run, config, None)
    assert _all_that_tells(run) == before
    assert not list(run.glob(".*weights*"))


def test_the_card_tells_of_the_lesson_before_the_weights_are_there(
    trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages, run, config = trained()
    replace = Path.replace
    known: list[bool] = []

    def watched(self: Path, target: Path) -> Path:
        if target == run / "model.safetensors":
            known.append("last_lesson_steps" in RunCard.read(run).metrics)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    teach_held_out(messages, run, config, None)
    assert known == [True]


def test_messages_that_have_changed_since_teach_nothing_more(
    trained: Any, chat: list[Message], caplog: pytest.LogCaptureFixture
) -> None:
    messages, run, config = trained()
    before = _weights(run)
    messages.write_text("".join(f"{one.to_json()}\n" for one in chat[:-1]), encoding="utf-8")
    assert teach_held_out(messages, run, config, None) == 0
    assert _weights(run) == before
    assert "has changed since it taught" in caplog.text


def test_a_rate_next_to_nothing_is_still_a_rate(trained: Any) -> None:
    messages, run, config = trained("last_lesson=1e-9")
    assert teach_held_out(messages, run, config, None) > 0
