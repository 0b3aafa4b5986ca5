"""What both ways are compared by is what `likeness train` learns from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.quality import Task
from likeness.messages import Message
from training.base import STARTER_FOLDER, open_base, quiet
from training.config import TrainConfig


@pytest.mark.slow
def test_steps_and_tokens_are_counted_with_what_is_hidden_in_training(
    tmp_path: Path, say: Callable[..., Message]
) -> None:
    words = "write to juno.kettle@example.org about it"
    chat = [say("me" if number % 2 else "ann", words) for number in range(40)]
    path = tmp_path / "messages.jsonl"
    path.write_text("".join(f"{one.to_json()}\n" for one in chat), encoding="utf-8")
    config = TrainConfig.from_settings([], base="starter")
    with quiet():
        plan, _ = Task(path, [], STARTER_FOLDER, config).lessons()
        base = open_base(str(STARTER_FOLDER), config, list)
    read = base.tags.decode(plan.windows.ids.tolist())
    assert "about it" in read
    assert "kettle" not in read
