"""`likeness quiz`: from a run's held-out moments to a page."""

import importlib
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.engine import Sampling
from likeness.card import RunCard
from likeness.cli import main
from likeness.dialogue import Part
from likeness.messages import Message
from training.moments import Moment, keep_moments

Say = Callable[..., Message]


class Parrot:
    """An engine that says again what was said last."""

    closed = False
    card = RunCard("me", "Me", "scratch", 64, 60.0, sampling={"top_p": 0.5})

    async def reply(
        self, messages: Sequence[Message], sampling: Sampling, **_: Any
    ) -> AsyncGenerator[Part, None]:
        assert sampling.top_p == 0.5
        yield Part(messages[-1].text)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Parrot:
    parrot = Parrot()
    module = importlib.import_module("likeness.cli.quiz")  # the package's `quiz` is the command
    monkeypatch.setattr(module, "open_chosen", lambda *_, **__: parrot)
    return parrot


def ask(run: Path, *options: str) -> Any:
    return CliRunner().invoke(main, ["quiz", str(run), *options])


def test_a_page_is_made_of_the_held_out_moments(engine: Parrot, say: Say, tmp_path: Path) -> None:
    engine.card.write(tmp_path)
    moments = [Moment([say("Ann", f"hi {n}")], [say("me", "yo")]) for n in range(5)]
    keep_moments(tmp_path, moments)
    made = ask(tmp_path, "--questions", "3")
    assert made.exit_code == 0
    assert f"3 questions are in {tmp_path / 'quiz.html'}" in made.stdout
    assert (tmp_path / "quiz.html").read_text(encoding="utf-8").count('"replies"') == 3
    assert engine.closed


def test_without_moments_it_says_so(engine: Parrot, tmp_path: Path) -> None:
    assert "no model" in ask(tmp_path).stderr
    engine.card.write(tmp_path)
    missing = ask(tmp_path)
    assert missing.exit_code != 0
    assert "moments.jsonl is missing or damaged" in missing.stderr
    keep_moments(tmp_path, [])
    nothing = ask(tmp_path)
    assert "kept no held-out replies to ask about" in nothing.stderr
    assert not (tmp_path / "quiz.html").exists()
    assert engine.closed


def test_where_the_model_says_just_what_i_said_it_says_so(
    engine: Parrot, say: Say, tmp_path: Path
) -> None:
    engine.card.write(tmp_path)
    keep_moments(tmp_path, [Moment([say("Ann", "hi")], [say("me", "hi")]) for _ in range(3)])
    nothing = ask(tmp_path)
    assert nothing.exit_code != 0
    assert "at all 3 held-out moments" in nothing.stderr
    assert "kept no" not in nothing.stderr
