"""A run that was stopped goes on as if it never had been, and only as it was begun."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from likeness.card import RunCard
from likeness.errors import CannotResume, Interrupted, LikenessError, RunExists
from likeness.messages import Message
from tests.training.conftest import Memory, interrupt, learn
from training.checkpoint import checkpoints
from training.config import TrainConfig
from training.team import Team

pytestmark = pytest.mark.slow

Settings = Callable[..., TrainConfig]
Write = Callable[[Iterable[Message]], Path]


@pytest.mark.parametrize("stop", [0, 10, 20])
def test_stopped_and_resumed_is_uninterrupted_bit_for_bit(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path, stop: int
) -> None:
    path, config = write(chat), tiny("epochs=4", "accumulation=1", "dropout=0.2", "eval_every=5")
    whole = learn(path, tmp_path / "whole", memory, config)
    memory.interrupt_at = stop
    with pytest.raises(Interrupted, match=rf"up to step {stop} of \d+\.$"):
        learn(path, tmp_path / "parted", memory, config)
    memory.interrupt_at = None
    parted = learn(path, tmp_path / "parted", memory, config, resume=True)
    assert whole.metrics == parted.metrics
    assert whole.metrics["steps"] > 20
    one, other = (load_file(tmp_path / run / "model.safetensors") for run in ("whole", "parted"))
    assert all(torch.equal(one[name], other[name]) for name in one | other)
    steps = [
        [json.loads(line)["step"] for line in text.splitlines() if "held_out" in line]
        for run in ("whole", "parted")
        for text in [(tmp_path / run / "metrics.jsonl").read_text()]
    ]
    assert steps[0] == steps[1]


def test_ctrl_c_lets_a_step_end_and_tells_the_command_to_go_on_with(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run = write(chat), tmp_path / "run"
    memory.evaluated = lambda step, _: step == 10 and os.kill(os.getpid(), signal.SIGINT)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted) as stopped:
        learn(path, run, memory, tiny("epochs=30"), command="likeness train … --resume")
    assert signal.getsignal(signal.SIGINT) is before
    assert "saved up to step 10 of " in str(stopped.value)
    assert str(stopped.value).endswith(" Go on with: likeness train … --resume")
    assert checkpoints(run)[-1].step == 10


def test_a_stop_before_the_first_step_leaves_nothing(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    def press(_: object) -> None:
        raise KeyboardInterrupt

    memory.corpus = press
    with pytest.raises(Interrupted, match="before the first step"):
        learn(write(chat), tmp_path / "run", memory, tiny())
    assert not (tmp_path / "run").exists()


def test_a_stop_before_a_run_goes_on_says_what_is_saved_and_keeps_it(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    def press(_: object) -> None:
        raise KeyboardInterrupt

    path, run = write(chat), tmp_path / "run"
    interrupt(path, run, memory, tiny("epochs=20"))
    memory.corpus = press
    with pytest.raises(Interrupted, match=r"as it was saved at step 10\. Go on with: this$"):
        learn(path, run, memory, tiny("epochs=20"), resume=True, command="this")
    assert checkpoints(run)[-1].step == 10


def test_a_stop_when_all_is_done_says_that_the_model_is_whole(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    def press(path: Path) -> None:
        if path == run:
            raise KeyboardInterrupt

    memory.saved, run = press, tmp_path / "run"
    with pytest.raises(Interrupted, match="is finished: its model is whole"):
        learn(write(chat), run, memory, tiny("epochs=1"), command="this")
    assert RunCard.read(run).me == "me"


def test_a_finished_run_is_rid_of_checkpoints_that_were_to_go(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run = write(chat), tmp_path / "run"
    card = learn(path, run, memory, tiny("epochs=1"))
    (run / "checkpoint-3").mkdir()
    with pytest.raises(CannotResume, match="is finished"):
        learn(path, run, memory, tiny("epochs=1"), resume=True)
    assert checkpoints(run) == []
    assert RunCard.read(run) == card


def test_a_taken_folder_is_refused_and_kept(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run = write(chat), tmp_path / "run"
    run.mkdir()
    (run / "letter.txt").write_text("mine")
    with pytest.raises(RunExists, match="another name"):
        learn(path, run, memory, tiny())
    assert (run / "letter.txt").read_text() == "mine"
    learn(path, tmp_path / "done", memory, tiny("epochs=1"))
    with pytest.raises(RunExists, match="holds a model already"):
        learn(path, tmp_path / "done", memory, tiny())
    with pytest.raises(CannotResume, match=f"is finished.* --base {tmp_path / 'done'} "):
        learn(path, tmp_path / "done", memory, tiny(), resume=True)
    with pytest.raises(CannotResume, match="no checkpoint"):
        learn(path, tmp_path / "none", memory, tiny(), resume=True)


def test_what_a_kill_before_the_first_checkpoint_left_is_in_nobodys_way(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run, killed = write(chat), tmp_path / "run", tmp_path / "killed"
    before_it_learns = Memory()
    before_it_learns.evaluated = lambda step, _: step or shutil.copytree(run, killed)
    learn(path, run, before_it_learns, tiny("epochs=1"))
    assert {path.name for path in killed.iterdir()} >= {"metrics.jsonl", "others.bin", "words.txt"}
    (killed / ".checkpoint-3.abcdefgh").mkdir()
    (killed / ".others.bin.abcdefgh").touch()
    card = learn(path, killed, memory, tiny("epochs=1"))
    assert RunCard.read(killed) == card
    assert {path.name for path in killed.iterdir()} == {path.name for path in run.iterdir()}
    metrics = [json.loads(line) for line in (killed / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in metrics].count(0) == 1


@pytest.mark.parametrize("name", ["words.txt", "metrics.jsonl", ".checkpoint-3.abcdefgh"])
def test_files_that_no_run_made_are_kept_whatever_their_name(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path, name: str
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / name).write_text("mine")
    with pytest.raises(RunExists, match="is no run that could go on"):
        learn(write(chat), run, memory, tiny())
    assert (run / name).read_text() == "mine"


def test_what_goes_on_removes_what_it_had_half_written_and_nothing_else(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run = write(chat), tmp_path / "run"
    interrupt(path, run, memory, tiny("epochs=20"))
    own = [".git", ".words.txt.swp", ".notes.txt.abcdefgh", ".checkpoint-3"]
    half = [".checkpoint-3.abcdefgh", ".checkpoint-3.removed", "..weights.abcdefgh"]
    for name in own + half:
        (run / name).mkdir()
    (run / ".git" / "HEAD").write_text("mine")
    (run / ".words.txt.abcdefgh").touch()
    learn(path, run, memory, tiny("epochs=20"), resume=True)
    assert {path.name for path in run.glob(".*")} == set(own)
    assert (run / ".git" / "HEAD").read_text() == "mine"


def test_of_several_processes_the_first_alone_removes_checkpoints(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run = write(chat), tmp_path / "run"
    learn(path, run, memory, tiny("epochs=1"))
    (run / "checkpoint-3").mkdir()
    told: dict[str, Any] = {"team": Team(rank=1), "resume": True, "base": "nowhere"}
    with pytest.raises(LikenessError):
        learn(path, run, memory, tiny("epochs=1"), **told)
    assert [one.step for one in checkpoints(run)] == [3]


def test_a_run_goes_on_only_as_it_was_begun(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path, run = write(chat), tmp_path / "run"
    interrupt(path, run, memory, tiny("epochs=20"))
    with pytest.raises(RunExists, match="--resume"):
        learn(path, run, memory, tiny("epochs=20"))
    with pytest.raises(CannotResume, match=r"--set epochs=20.0, not None"):
        learn(path, run, memory, tiny(), resume=True)
    with pytest.raises(CannotResume, match="--as None, not ann"):
        learn(path, run, memory, tiny("epochs=20"), resume=True, speaker="ann")
    monkeypatch.setattr("training.run.PROMPT_VERSION", 99)
    with pytest.raises(CannotResume, match="version 99"):
        learn(path, run, memory, tiny("epochs=20"), resume=True)
    monkeypatch.undo()
    write(chat[:-1])
    with pytest.raises(CannotResume, match=r"another messages\.jsonl"):
        learn(path, run, memory, tiny("epochs=20"), resume=True)
    assert checkpoints(run)[-1].step == 10


def test_a_run_begun_before_there_were_masks_goes_on_without_them(
    chat: list[Message], write: Write, tiny: Settings, memory: Any, tmp_path: Path
) -> None:
    path, run = write(chat), tmp_path / "run"
    interrupt(path, run, memory, tiny("epochs=20", "mask=0"))
    for one in checkpoints(run):
        state = one.state()
        del state["identity"]["config"]["mask"]
        torch.save(state, one.folder / "state.pt")
    with pytest.raises(CannotResume, match="--set mask=0, not 1"):
        learn(path, run, memory, tiny("epochs=20"), resume=True)
    assert not learn(path, run, memory, tiny("epochs=20", "mask=0"), resume=True).masking
