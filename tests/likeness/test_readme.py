"""What README.md shows of the demo is what the commands print."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from likeness.cli import main
from tests.conftest import REPOSITORY


def shown() -> list[str]:
    """Return the lines that README.md shows of the demo before it trains."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    _, _, demo = text.partition("$ make demo\n")
    before, _, _ = demo.partition("$ likeness train")
    return [line.rstrip() for line in before.splitlines() if line not in ("", "…")]


@pytest.mark.slow
def test_what_is_shown_of_the_demo_is_printed_in_that_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    printed: list[str] = []
    for words in (
        ["export", str(REPOSITORY / "demo" / "chats"), "-o", "messages.jsonl", "--me", "Juno"],
        ["check", "messages.jsonl", "--show", "3"],
    ):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0
        printed += [line.rstrip() for line in result.stdout.splitlines()]
    assert len(shown()) > 15
    rest = iter(printed)
    assert [line for line in shown() if line not in rest] == []
