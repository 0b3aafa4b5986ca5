"""`likeness train` as a person uses it: where a run lies, and how one goes on with it."""

import io
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from likeness.card import RunCard
from likeness.cli import main
from likeness.cli.console import run_folder
from likeness.cli.train import Drawing
from likeness.errors import TrainingError
from training.survey import Balance

Asked = list[dict[str, Any]]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Return what training is asked for, which stops as at Ctrl-C before it has begun."""
    asked: Asked = []

    def train(messages: Path, run: Path, **told: Any) -> None:
        del told["watch"], told["team"]
        asked.append({"messages": messages, "run": run} | told)
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("training.run.train", train)
    return asked


@pytest.mark.parametrize(
    "options",
    [
        ["--run", "me", "--base", "scratch"],
        ["--run", "./Ann B", "--as", "Ann B", "--no-tune", "--set", "epochs=3"],
        ["--run", "elsewhere/runs/me", "--base", "starter", "--set", "patience=none", "--no-tune"],
    ],
)
def test_the_command_to_go_on_with_asks_for_the_same(asked: Asked, options: list[str]) -> None:
    CliRunner().invoke(main, ["train", "in.jsonl", *options])
    likeness, *words = shlex.split(asked[0]["command"])
    CliRunner().invoke(main, words)
    assert likeness == "likeness"
    assert ("--no-tune" in words) == ("--no-tune" in options)
    assert asked[1] == asked[0] | {"resume": True}


@pytest.mark.parametrize(
    ("name", "folder"),
    [("me", "runs/me"), ("./me", "me"), ("elsewhere/me", "elsewhere/me"), ("me/", "me")],
)
def test_a_run_is_where_all_commands_look_for_it(asked: Asked, name: str, folder: str) -> None:
    CliRunner().invoke(main, ["train", "in.jsonl", "--run", name])
    assert asked[0]["run"] == run_folder(name) == Path(folder)


def test_ctrl_c_before_anything_has_begun_is_one_sentence(asked: Asked) -> None:
    result = CliRunner().invoke(main, ["train", "in.jsonl", "--run", "me"])
    assert (result.exit_code, result.stderr.strip()) == (1, "Error: Stopped.")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_and_a_terminal_that_closes_are_as_ctrl_c_whatever_is_at_work(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def train(*_: object, **__: object) -> None:
        signal.raise_signal(number)
        pytest.fail("it went on")

    monkeypatch.setattr("training.run.train", train)
    outside = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    try:
        result = CliRunner().invoke(main, ["train", "in.jsonl", "--run", "me"])
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, outside)
    assert (result.exit_code, result.stderr.strip()) == (1, "Error: Stopped.")
    assert asked == []


def test_a_terminal_that_closes_does_not_stop_a_training_under_nohup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def train(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGHUP)
        raise TrainingError("It went on.")

    monkeypatch.setattr("training.run.train", train)
    outside = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        result = CliRunner().invoke(main, ["train", "in.jsonl", "--run", "me"])
    finally:
        signal.signal(signal.SIGHUP, outside)
    assert result.stderr.strip() == "Error: It went on."


def test_why_nothing_is_held_out_is_not_guessed() -> None:
    console = Console(file=io.StringIO(), width=100)
    Drawing(console).corpus(Balance(60, 30, 30, 0, {}))
    said = console.file.getvalue()
    assert "30 that teach + 0 held out" in said
    assert "None is held out" in said
    assert "hidden" not in said


def test_in_how_many_messages_something_was_hidden_is_told() -> None:
    console = Console(file=io.StringIO(), width=200)
    Drawing(console).corpus(Balance(60, 30, 27, 3, {}, masked=1))
    assert "In 1 message, counting everybody's, a mail address" in console.file.getvalue()


def test_a_run_has_a_name(asked: Asked) -> None:
    result = CliRunner().invoke(main, ["train", "in.jsonl", "--run", ""])
    assert (result.exit_code, asked) == (2, [])
    assert "a run needs a name" in result.stderr


@pytest.mark.parametrize(
    ("taught", "where", "options"),
    [
        (True, "training.last_lesson.teach_held_out", ["--no-tune"]),
        (False, "training.last_lesson.teach_held_out", ["--no-tune"]),
        (False, "training.moments.read_moments", []),
        (None, "training.moments.read_moments", ["--set", "last_lesson=0"]),
    ],
)
def test_who_stops_afterwards_hears_what_has_taught_the_model(
    asked: Asked,
    monkeypatch: pytest.MonkeyPatch,
    taught: bool | None,
    where: str,
    options: list[str],
) -> None:
    def train(_: Path, run: Path, **__: object) -> RunCard:
        run.mkdir(parents=True)
        metrics = {"before": None, "after": None, "steps": 1, "best_step": 1}
        lesson = {"last_lesson_steps": 1} if taught else {}
        data = {"held_out": 3}
        card = RunCard("me", "Me", "scratch", 64, 60.0, data=data, metrics=metrics | lesson)
        card.write(run)
        return card

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.run.train", train)
    monkeypatch.setattr(where, stop)
    result = CliRunner().invoke(main, ["train", "in.jsonl", "--run", "me", *options])
    assert "the model in runs/me is whole" in result.stderr
    assert ("have not taught it" in result.stderr) == (taught is False)
    assert asked == []
