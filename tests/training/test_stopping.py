"""A stop is heeded as late as it comes, and what goes on from there is what would have been."""

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from likeness.card import FILE_NAME
from likeness.errors import Interrupted
from likeness.messages import Message
from tests.training.conftest import learn
from training.config import TrainConfig
from training.loop import Taken, Trainer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("moment", "settings"),
    [("step", ()), ("evaluated", ()), ("step", ("patience=1", "learning_rate=0.5")),
     ("saved", ("held_out_share=0",))],
)  # fmt: skip
def test_a_stop_in_the_last_step_or_after_it_is_heeded_and_resumed_bit_for_bit(
    chat: list[Message], write: Callable[[Iterable[Message]], Path],
    tiny: Callable[..., TrainConfig], memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, moment: str, settings: tuple[str, ...], number: int,
) -> None:  # fmt: skip
    path, run = write(chat), tmp_path / "run"
    config = tiny("epochs=2", "accumulation=1", "dropout=0.2", "eval_every=5", *settings)
    whole = learn(path, tmp_path / "whole", memory, config)
    last = whole.metrics["steps"]
    take_step = Trainer.take_step
    awaited = {last}

    def press(step: int) -> None:
        if step in awaited:
            awaited.remove(step)
            os.kill(os.getpid(), number)

    def pressing(self: Trainer) -> Taken:
        taken = take_step(self)
        press(self.step)
        return taken

    with monkeypatch.context() as patched:
        if moment == "step":
            patched.setattr(Trainer, "take_step", pressing)
        if moment == "evaluated":
            patched.setattr(memory, "evaluated", lambda step, _: press(step))
        if moment == "saved":
            patched.setattr(memory, "saved", lambda folder: press(int(folder.name.split("-")[1])))
        with pytest.raises(Interrupted, match=f"saved up to step {last} of "):
            learn(path, run, memory, config)
    assert not (run / FILE_NAME).exists()
    assert learn(path, run, memory, config, resume=True).metrics == whole.metrics
    one, other = (load_file(folder / "model.safetensors") for folder in (run, tmp_path / "whole"))
    assert all(torch.equal(one[name], other[name]) for name in one | other)
