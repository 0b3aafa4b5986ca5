"""One process at a time trains a run."""

from pathlib import Path

import pytest

from likeness.errors import RunExists
from training.lock import only_trainer


def test_a_second_one_is_told_and_the_first_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "me"
    with only_trainer(run):
        with pytest.raises(RunExists, match="Another process trains"), only_trainer(run):
            raise AssertionError("both are at it")
        with only_trainer(run.with_name("you")):
            pass
        with pytest.raises(RunExists), only_trainer(run):
            raise AssertionError("both are at it")
    with only_trainer(run):
        pass


def test_nothing_is_left_of_it_but_what_was_made_meanwhile(tmp_path: Path) -> None:
    with only_trainer(tmp_path / "runs" / "me"):
        pass
    assert not list(tmp_path.iterdir())
    with only_trainer(tmp_path / "runs" / "me"):
        (tmp_path / "runs" / "me").mkdir()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["me"]


def test_the_root_of_a_disk_becomes_no_run() -> None:
    root = Path(Path.cwd().anchor)
    with pytest.raises(RunExists, match="cannot become a run"), only_trainer(root):
        raise AssertionError("it has no name")
