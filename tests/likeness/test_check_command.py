"""`likeness check` counts conversations, and shows nothing that the model does not see."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from likeness.cli import main
from likeness.messages import Message


@pytest.mark.parametrize(
    ("most", "told"),
    [(4096, "1 of the 2 conversations"), (10, r"1 of the \d parts of the 2 conversations")],
)
def test_a_conversation_that_is_taken_in_parts_is_still_one(
    say: Callable[..., Message],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    told: str,
) -> None:
    monkeypatch.setattr("training.portions.MOST_MESSAGES", most)
    long = [say("me" if number % 2 else "ann", "hm", after=60) for number in range(40)]
    path = tmp_path / "in.jsonl"
    said = [*long, say("ann", "hi", after=10**7), say("me", "ho")]
    path.write_text("".join(message.to_json() + "\n" for message in said), encoding="utf-8")
    shown = CliRunner().invoke(main, ["check", str(path), "--show", "1"]).stdout
    assert re.search(f"^{told} in which I speak, as the model", shown, re.MULTILINE), shown


def test_what_is_hidden_from_the_model_is_not_shown_as_seen_by_it(
    say: Callable[..., Message], tmp_path: Path
) -> None:
    path = tmp_path / "in.jsonl"
    said = [say("ann", "your number?"), say("me", "0170 1234567"), say("ann", "thanks")]
    path.write_text("".join(message.to_json() + "\n" for message in said), encoding="utf-8")
    shown = CliRunner().invoke(main, ["check", str(path)]).stdout
    assert "In 1 message, counting everybody's" in shown
    assert "<speaker1> [number]" in shown
    assert "1234567" not in shown
    assert "1234567" in CliRunner().invoke(main, ["check", str(path), "--set", "mask=0"]).stdout
