"""Checkpoints are few, whole or absent, on a full disk too; a damaged one is said to be one."""

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError

from likeness.errors import CannotResume, TrainingError
from likeness.messages import Message
from tests.training.conftest import interrupt, learn
from training import checkpoint
from training.checkpoint import checkpoints, whole_folder
from training.config import TrainConfig
from training.evaluate import Evaluation, Judge
from training.folder import sweep

pytestmark = pytest.mark.slow

Settings = Callable[..., TrainConfig]
Write = Callable[[Iterable[Message]], Path]


def test_checkpoints_are_the_newest_two_and_the_best(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ever_worse = count(1.0)
    monkeypatch.setattr(Judge, "evaluate", lambda *_: Evaluation(1.0, next(ever_worse), 1.0, 1))
    config = tiny("epochs=6", "save_every=2", "eval_every=3", "patience=none")
    seen: list[list[int]] = []
    memory.saved = lambda _: seen.append([one.step for one in checkpoints(tmp_path / "run")])
    learn(write(chat), tmp_path / "run", memory, config)
    assert all(len(steps) <= 3 for steps in seen)
    assert any(len(steps) == 3 for steps in seen)
    assert seen[-1] == []


def test_a_full_disk_leaves_no_half_checkpoint(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.torch, "save", full)
    with pytest.raises(TrainingError, match="No space left"):
        learn(write(chat), tmp_path / "run", memory, tiny("epochs=20"))
    assert not (tmp_path / "run").exists()


def test_a_disk_that_fills_up_later_leaves_the_last_checkpoint(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path, run, save = write(chat), tmp_path / "run", torch.save

    def full(state: dict[str, Any], where: Path) -> None:
        where.write_bytes(b"half of it")
        if state["trainer"]["step"] > 4:
            raise OSError(28, "No space left on device")
        save(state, where)

    monkeypatch.setattr(checkpoint.torch, "save", full)
    config = tiny("epochs=4", "save_every=2", "eval_every=50")
    with pytest.raises(TrainingError, match=r"checkpoint-6 cannot be written: .*No space left"):
        learn(path, run, memory, config)
    assert [one.step for one in checkpoints(run)] == [2, 4]
    assert not list(run.glob(".*"))
    monkeypatch.setattr(checkpoint.torch, "save", save)
    card = learn(path, run, memory, config, resume=True)
    whole = learn(path, tmp_path / "whole", memory, config)
    assert card.metrics == whole.metrics


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (RuntimeError("[enforce fail] . unexpected pos 612 vs 608"), "the disk seems to be full"),
        (SafetensorError("I/O error: (os error 28)"), "the disk seems to be full"),
        (Exception("No space left on device (os error 28)"), "the disk seems to be full"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "the memory is full"),
    ],
)
def test_why_a_folder_is_not_written_is_said_in_words(
    tmp_path: Path, error: Exception, why: str
) -> None:
    folder = tmp_path / "checkpoint-1"
    with pytest.raises(TrainingError) as said, whole_folder(folder):
        raise error
    assert str(said.value) == f"{folder} cannot be written: {why}."
    assert said.value.__cause__ is error
    assert list(tmp_path.iterdir()) == []


def test_what_tells_of_no_disk_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(KeyError), whole_folder(tmp_path / "checkpoint-1"):
        raise KeyError("a mistake")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_whole_or_absent(tmp_path: Path) -> None:
    def fill() -> None:
        with whole_folder(tmp_path / "checkpoint-1") as folder:
            (folder / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_checkpoint_is_said_to_be_one(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run = write(chat), tmp_path / "run"
    interrupt(path, run, memory, tiny("epochs=20"))
    (run / "checkpoint-10" / "state.pt").write_bytes(b"no")
    with pytest.raises(CannotResume, match="checkpoint-10 cannot be read"):
        learn(path, run, memory, tiny("epochs=20"), resume=True)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_checkpoint_whose_model_is_damaged_is_named_too(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path, name: str
) -> None:
    path, config = write(chat), tiny("epochs=20", "save_every=5")
    interrupt(path, tmp_path / "run", memory, config)
    (tmp_path / "run" / "checkpoint-10" / name).write_bytes(b"{")
    with pytest.raises(CannotResume, match="checkpoint-10 cannot be read"):
        learn(path, tmp_path / "run", memory, config, resume=True)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), KeyboardInterrupt()])
def test_a_checkpoint_whose_place_cannot_be_taken_has_its_name_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def save(words: str) -> None:
        with whole_folder(tmp_path / "checkpoint-1") as folder:
            (folder / "one").write_text(words)

    replace, replaced = Path.replace, count(1)

    def failing(self: Path, target: Path) -> Path:
        if next(replaced) == 2:
            raise error
        return replace(self, target)

    save("old")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", failing)
        with pytest.raises((TrainingError, KeyboardInterrupt)):
            save("new")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1"]
    assert (tmp_path / "checkpoint-1" / "one").read_text() == "old"


@pytest.mark.parametrize("at", ["first", "second", "removing"])
def test_a_checkpoint_that_is_saved_again_is_whole_or_absent_wherever_that_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def save(words: str) -> None:
        with whole_folder(tmp_path / "checkpoint-1") as folder:
            for name in ("one", "two"):
                (folder / name).write_text(words)

    replace, replaced = Path.replace, count(1)

    def killing(self: Path, target: Path) -> Path:
        if next(replaced) >= stop:
            raise KeyboardInterrupt
        return replace(self, target)

    def removing(folder: Path, **_: object) -> None:
        if folder.exists():
            raise KeyboardInterrupt

    save("old")
    stop = {"first": 1, "second": 2}.get(at, 3)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killing)
        if at == "removing":
            patched.setattr(checkpoint.shutil, "rmtree", removing)
        with pytest.raises(KeyboardInterrupt):
            save("new")
    stands = [path.read_text() for one in checkpoints(tmp_path) for path in one.folder.iterdir()]
    assert stands == {"first": ["old"] * 2, "second": [], "removing": ["new"] * 2}[at]
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1"]
    expected = "new" if at == "removing" else "old"
    assert [path.read_text() for path in (tmp_path / "checkpoint-1").iterdir()] == [expected] * 2
    save("newest")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1"]
