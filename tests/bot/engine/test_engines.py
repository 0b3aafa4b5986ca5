"""What every engine promises, kept by the real one and by the fake of the tests alike."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from bot.engine import ReplyEngine, Sampling, Trace, open_engine, open_remote
from likeness.errors import ModelError
from tests.bot.engine.completions import Completions, serving

Make = Callable[..., Any]
SHORT = Sampling(max_new_tokens=24, seed=3)


@pytest.fixture(params=["fake", "native", "torch", "remote"])
async def engine(
    request: pytest.FixtureRequest,
    tiny_model: Path,
    fake_engine: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[ReplyEngine]:
    if request.param == "torch":
        monkeypatch.setattr("bot.engine.opening.open_native", lambda _: None)
    async with serving(Completions()) as url:
        engine = {
            "fake": lambda: fake_engine(["one", "two"]),
            "native": lambda: open_engine(tiny_model, "cpu"),
            "torch": lambda: open_engine(tiny_model, "cpu"),
            "remote": lambda: open_remote(tiny_model, url),
        }[request.param]()
        yield engine
        await engine.close()


async def test_a_reply_is_messages_with_words(engine: ReplyEngine, message: Make) -> None:
    parts = [part async for part in engine.reply([message("hi")], SHORT)]
    assert parts
    assert all(part.text.strip() == part.text != "" for part in parts)


async def test_a_trace_holds_what_was_asked_and_what_came(
    engine: ReplyEngine, message: Make
) -> None:
    trace = Trace()
    parts = [part async for part in engine.reply([message("hello you")], SHORT, trace=trace)]
    assert "hello you" in trace.prompt
    assert trace.output
    assert parts


async def test_a_reply_begins_with_the_opening(engine: ReplyEngine, message: Make) -> None:
    parts = [part async for part in engine.reply([message("hi")], SHORT, opening="Well I")]
    assert parts[0].text.startswith("Well I")


@pytest.mark.slow
async def test_many_may_ask_at_once(engine: ReplyEngine, message: Make) -> None:
    async def count(number: int) -> int:
        return len([part async for part in engine.reply([message(f"hi {number}")], SHORT)])

    assert all(await asyncio.gather(*(count(number) for number in range(12))))


async def test_an_engine_goes_on_after_a_reply_was_closed(
    engine: ReplyEngine, message: Make
) -> None:
    async with aclosing(engine.reply([message("hi")], SHORT)) as parts:
        await anext(parts)
    assert [part async for part in engine.reply([message("again")], SHORT)]


async def test_a_closed_engine_says_so(engine: ReplyEngine, message: Make) -> None:
    await engine.close()
    with pytest.raises(ModelError, match="closed"):
        [part async for part in engine.reply([message("hi")], SHORT)]
