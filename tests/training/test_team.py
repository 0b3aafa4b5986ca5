"""Processes that train together learn what one learns alone, and one of them writes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

from likeness.card import RunCard
from likeness.messages import Message
from training.checkpoint import checkpoints
from training.config import TrainConfig
from training.run import train
from training.team import ALONE, Team, device_name, joined

Write = Callable[[Iterable[Message]], Path]

SETTINGS = ("layers=1", "width=16", "heads=2", "vocabulary=300", "context_tokens=64",
            "batch_rows=4", "report_replies=3", "dropout=0", "precision=fp32", "epochs=8",
            "eval_every=5", "save_every=5", "patience=none")  # fmt: skip


def _together(messages: Path, run: Path, *more: str) -> subprocess.Popen[str]:
    told = [option for setting in SETTINGS for option in ("--set", setting)]
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone",
        "-m", "--", "likeness", "train", str(messages), "--run", str(run), "--base", "scratch",
        "--no-tune", *told, *more,
    ]  # fmt: skip
    return subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True,
    )  # fmt: skip


def _held_out(run: Path) -> list[tuple[int, float]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["held_out"]["loss"]) for line in lines if "held_out" in line]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("shard", "optimizer"), [("no", "muon"), ("yes", "adamw")])
def test_two_processes_learn_what_one_learns_stopped_and_resumed(
    chat: list[Message], write: Write, memory: Any, tmp_path: Path, shard: str, optimizer: str
) -> None:
    path, run = write(chat), tmp_path / "two"
    told = ["--set", f"shard={shard}", "--set", f"optimizer={optimizer}"]
    first = _together(path, run, *told)
    while not checkpoints(run) and first.poll() is None:
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGINT)
    said, _ = first.communicate(timeout=240)
    assert said.count("Go on with: torchrun --nproc-per-node 2 -m -- likeness train") == 1, said
    assert checkpoints(run)[-1].step < 48
    said, _ = _together(path, run, *told, "--resume").communicate(timeout=240)
    config = TrainConfig.from_settings([*SETTINGS, f"optimizer={optimizer}"], base="scratch")
    train(
        path, tmp_path / "one", base="scratch", config=config, speaker=None, resume=False,
        watch=memory,
    )  # fmt: skip
    assert said.count("Talk to it") == 1, said
    assert RunCard.read(run).metrics["steps"] == RunCard.read(tmp_path / "one").metrics["steps"]
    two, one = _held_out(run), _held_out(tmp_path / "one")
    assert [step for step, _ in two] == [step for step, _ in one]
    for (_, loss), (_, alone) in zip(two, one, strict=True):
        assert loss == pytest.approx(alone, rel=1e-4)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_where_the_first_process_ends_the_others_end_without_a_word(
    chat: list[Message], write: Write, tmp_path: Path
) -> None:
    run = tmp_path / "taken"
    run.mkdir()
    (run / "letter.txt").write_text("mine")
    process = _together(write(chat), run)
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 1
    (sentence,) = [line for line in said.splitlines() if line.startswith("Error: ")]
    assert "is no run that could go on" in sentence
    assert "[rank1]" not in said


def test_shares_are_everything_once() -> None:
    items = list(range(7))
    shares = [Team(rank, 3).share(items) for rank in range(3)]
    assert sorted(item for share in shares for item in share) == items


def test_one_alone_waits_for_nobody() -> None:
    with joined() as team:
        assert team is ALONE
        assert team.leads
    numbers = torch.ones(2)
    assert team.total(numbers) is numbers
    assert team.gathered("mine") == ["mine"]
    assert team.any(flag=True)
    assert not team.any(flag=False)
    assert device_name("auto", team) == "auto"


def test_a_process_computes_on_its_own_gpu_before_it_meets_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda number: done.append(f"cuda:{number}"))
    monkeypatch.setattr(dist, "is_torchelastic_launched", lambda: True)
    monkeypatch.setattr(dist, "init_process_group", lambda _: done.append("met"))
    monkeypatch.setattr(dist, "destroy_process_group", lambda: None)
    monkeypatch.setattr(dist, "get_rank", lambda: 5)
    monkeypatch.setattr(dist, "get_world_size", lambda: 8)
    with joined() as team:
        assert done == [device_name("auto", team), "met"]
        assert device_name("cpu", team) == "cpu"
