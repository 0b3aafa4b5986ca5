"""What others wrote does not steer the terminal in which it is shown."""

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
