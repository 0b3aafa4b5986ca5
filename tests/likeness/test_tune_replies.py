"""What a model replies at many moments at once, by which its setting is chosen."""

import asyncio
import importlib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from bot.engine import ReplyEngine, Sampling
from likeness.card import RunCard
from likeness.cli import main
from likeness.cli.tune import choose_sampling, replies
from likeness.dialogue import Part
from likeness.messages import Message
from training.moments import Moment, keep_moments


class Slow:
    """An engine that says for how long and with which seed it was to write."""

    async def reply(
        self, messages: Sequence[Message], sampling: Sampling, **_: Any
    ) -> AsyncGenerator[Part, None]:
        assert messages
        yield Part(f"{sampling.max_seconds} {sampling.seed}")


def test_replies_depend_on_their_seeds_alone_and_not_on_the_clock(say) -> None:
    moments = [Moment([say("Ann", "hi")], [say("me", "hello")]) for _ in range(2)]
    engine, done = cast(ReplyEngine, Slow()), []
    sampling = Sampling(seed=3, max_seconds=0.1)
    said = asyncio.run(replies(engine, moments, sampling, lambda: done.append(1)))
    assert said == [[f"inf {sampling.at(place).seed}"] for place in range(2)]
    assert len(done) == 2


def test_a_report_that_is_missing_is_said_before_anything_is_tried(
    say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RunCard("me", "Me", "scratch", 64, 60.0).write(tmp_path)
    keep_moments(tmp_path, [Moment([say("Ann", "hi")], [say("me", "hello")])])
    monkeypatch.setattr("bot.engine.open_engine", lambda *_, **__: pytest.fail("it tries"))
    result = CliRunner().invoke(main, ["tune", str(tmp_path)])
    assert "report.json is missing" in result.stderr


@pytest.mark.parametrize(("count", "tried"), [(7, 0), (8, 8), (37, 32), (64, 32), (90, 32)])
def test_a_quick_choice_is_made_with_moments_of_all_chats(
    say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, tried: int
) -> None:
    moments = [Moment([say("Ann", f"{n}")], [say("me", "hello")]) for n in range(count)]
    keep_moments(tmp_path, moments)
    module = importlib.import_module("likeness.cli.tune")  # the package's `tune` is the command
    seen: list[int] = []

    def attempt(_run: Path, some: Sequence[Moment], **_: Any) -> list[Any]:
        seen.extend(int(moment.context[0].text) for moment in some)
        return []

    monkeypatch.setattr(module, "try_settings", attempt)
    monkeypatch.setattr(module, "_keep_best", lambda *_: None)
    choose_sampling(tmp_path, device="cpu")
    assert len(set(seen)) == len(seen) == tried
    assert seen == sorted(seen)
    assert not seen or seen[-1] >= count - -(-count // tried)
