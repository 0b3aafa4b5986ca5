"""A run that is killed without a warning, at whatever moment, goes on from its last checkpoint."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from likeness.messages import Message
from tests.training.conftest import TINY
from training.checkpoint import checkpoints

REPOSITORY = Path(__file__).parents[2]
SETTINGS = [*TINY, "epochs=12", "save_every=1", "eval_every=7", "patience=none", "seed=5"]


def _start(messages: Path, run: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "likeness", "train", str(messages), "--run", str(run)]
    options = [word for setting in SETTINGS for word in ("--set", setting)]
    return subprocess.Popen(  # noqa: S603
        [*command, "--base", str(messages.parent / "base"), *options, *more],
        cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def _kill_after(run: Path, steps: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        found = checkpoints(run)
        if found and found[-1].step >= steps:
            process.kill()
        time.sleep(0.0007 * steps)
    process.wait()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_again_and_again_it_ends_as_if_never_stopped(
    chat: list[Message], write: Callable[[Iterable[Message]], Path], plain_gpt2: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    path, killed, whole = write(chat), tmp_path / "killed", tmp_path / "whole"
    (tmp_path / "base").symlink_to(plain_gpt2)
    reached = []
    for steps in (2, 9, 23):
        more = ["--resume"] if checkpoints(killed) else []
        _kill_after(killed, steps, _start(path, killed, *more))
        reached.append(checkpoints(killed)[-1].step)
        checkpoints(killed)[-1].state()
    assert reached == sorted(set(reached))
    assert _start(path, killed, "--resume").wait() == 0
    assert _start(path, whole).wait() == 0
    one, other = (load_file(run / "model.safetensors") for run in (killed, whole))
    assert all(torch.equal(one[name], other[name]) for name in one | other)
    assert sorted(path.name for path in killed.iterdir()) == sorted(
        path.name for path in whole.iterdir()
    )
