"""What is printed, wherever it goes; nothing that others wrote steers the terminal."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from likeness.cli import main
from likeness.messages import Message

STEERING = "\x1b]0;mine\x07\x1b[2J\x9b2J\r"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Callable[..., Message]) -> Run:
    """Return a function that runs the command beside messages of which each part would steer."""
    monkeypatch.chdir(tmp_path)
    said = [say("me", "hi"), say("ann", "so?"), say("me", "yes"), say("ann", "ok")]
    lines = [
        replace(
            message,
            chat=f"Ann{STEERING}",
            speaker=f"{message.speaker}{STEERING}",
            text=f"{message.text}\t{STEERING}\nso",
        ).to_json()
        for message in said
    ]
    Path("in.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")

    def run(*arguments: str, fails: int = 0) -> Result:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == fails, result.output
        assert set(result.output).isdisjoint("\x07\x1b\x9b\r")
        return result

    return run


def test_a_check_shows_names_and_words_without_what_steers(run: Run):
    shown = run("check", "in.jsonl").stdout
    assert "Ann\ufffd]0;mine" in shown
    assert "hi" in shown


def test_an_export_tells_of_chats_and_people_without_what_steers(run: Run):
    shown = run("export", "in.jsonl", "-o", "out.jsonl").stdout
    assert "Ann\ufffd]0;mine" in shown
    assert STEERING not in shown


def test_an_error_names_people_without_what_steers(run: Run):
    shown = run("export", "in.jsonl", "-o", "out.jsonl", "--me", "Zed", fails=1).stderr
    assert "Nobody is called 'Zed'." in shown


def test_a_bar_leaves_no_line_where_there_is_no_terminal(run: Run):
    assert run("check", "in.jsonl").stderr == ""
    assert run("export", "in.jsonl", "-o", "out.jsonl").stderr == ""
    assert run("check", "none.jsonl", fails=1).stderr.startswith("Error: none.jsonl cannot")


@pytest.mark.parametrize("charset", ["ascii", "cp1252"])
def test_what_the_output_has_no_letters_for_is_left_out(run: Run, charset: str):
    result = CliRunner(charset=charset).invoke(main, ["check", "in.jsonl"])
    assert result.exit_code == 0, result.exception
    assert "<speaker2> so?" in result.stdout


@pytest.mark.slow
def test_a_disk_that_takes_no_more_is_said_in_one_sentence(tmp_path: Path):
    # The shell leaves no room for a file, as a full disk has none.
    command = f"ulimit -f 0; exec {sys.executable} -m likeness --help > {tmp_path / 'out'}"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert result.returncode == 1
    assert result.stderr.splitlines() == ["Error: Nothing more can be written: File too large."]


@pytest.mark.slow
def test_the_c_locale_has_no_letters_for_much_and_stops_nothing(run: Run):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:surrogateescape"}
    command = [sys.executable, "-m", "likeness", "check", "in.jsonl"]
    result = subprocess.run(command, capture_output=True, check=False, env=environment)  # noqa: S603
    assert result.returncode == 0, result.stderr
    assert b"?<speaker2> so?" in result.stdout


@pytest.mark.slow
def test_ctrl_c_before_the_command_is_there_is_one_sentence():
    pressed = (
        "import sys\n"
        "class Pressed:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'likeness.cli.serve': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "from likeness.__main__ import start\n"
        "start()\n"
    )
    command = [sys.executable, "-c", pressed]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert (result.returncode, result.stderr) == (1, "Error: Stopped.\n")
