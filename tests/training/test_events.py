"""TensorBoard shows a run as it went."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from likeness.errors import Interrupted
from likeness.messages import Message
from training import events
from training.config import TrainConfig
from training.run import train

Write = Callable[[Iterable[Message]], Path]


def _scalars(run: Path) -> dict[str, list[tuple[int, float]]]:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = reader.EventAccumulator(str(run / events.FOLDER))
    found.Reload()
    return {
        name: [(one.step, one.value) for one in found.Scalars(name)]
        for name in found.Tags()["scalars"]
    }


@pytest.mark.slow
def test_the_events_of_a_run_that_was_resumed_hold_each_figure_once(
    chat: list[Message], write: Write, tiny: Callable[..., TrainConfig], memory: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    told: dict[str, Any] = {"base": "scratch", "config": tiny("epochs=4", "eval_every=5"),
                            "speaker": None, "watch": memory}  # fmt: skip
    memory.interrupt_at = 10
    with pytest.raises(Interrupted):
        train(write(chat), tmp_path / "run", resume=False, **told)
    memory.interrupt_at = None
    train(write(chat), tmp_path / "run", resume=True, **told)
    found = _scalars(tmp_path / "run")
    assert {"train/loss", "train/learning_rate", "train/tokens_per_second", "held_out/loss",
            "held_out/perplexity", "held_out/nats_per_character"} == set(found)  # fmt: skip
    assert [step for step, _ in found["held_out/perplexity"]] == list(memory.evaluations)
    for step, value in found["held_out/nats_per_character"]:
        assert value == pytest.approx(memory.evaluations[step].nats_per_character, rel=1e-5)
    assert found["train/loss"][-1][1] == pytest.approx(memory.steps[-1].loss, rel=1e-5)


def test_without_tensorboard_a_run_is_only_watched(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "find_spec", lambda _: None)
    with events.with_events(tmp_path, memory) as watch:
        assert watch is memory
    assert list(tmp_path.iterdir()) == []
