"""A reply depends on the question and the seed, not on what is remembered or read beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.engine import Sampling, Trace
from bot.engine.local import LocalEngine
from bot.engine.opening import open_local
from likeness.messages import Message

Make = Callable[..., Message]


@pytest.fixture(params=["native", "torch"])
async def engine(
    request: pytest.FixtureRequest, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LocalEngine]:
    if request.param == "torch":
        monkeypatch.setattr("bot.engine.opening.open_native", lambda _: None)
    engine = open_local(tiny_model, "cpu")
    yield engine
    await engine.close()


def chats(message: Make) -> list[list[Message]]:
    """Make chats of two turns to a dozen, some of which begin alike."""
    words = ["hello there", "what are you up to today?", "no", "see you at the lake"]
    return [
        [
            message(words[(turn * chat) % 4], id=str(turn), seconds=turn, outgoing=turn % 2 == 1)
            for turn in range(1 + 2 * (chat % 6))
        ]
        for chat in range(1, 9)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.0, 1.0])
async def test_alone_in_a_crowd_warm_or_cold_the_reply_is_the_same(
    engine: LocalEngine, message: Make, temperature: float
) -> None:
    async def ask(number: int, messages: list[Message]) -> str:
        trace = Trace()
        sampling = Sampling(temperature=temperature, seed=number, max_new_tokens=16)
        async for _ in engine.reply(messages, sampling, trace=trace):
            pass
        return trace.output

    asked = list(enumerate(chats(message)))
    alone = []
    for number, messages in asked:
        engine._caches.close()
        alone.append(await ask(number, messages))
    warm = [await ask(number, messages) for number, messages in asked]
    crowd = await asyncio.gather(*(ask(number, messages) for number, messages in asked))
    engine._caches.close()
    cold_crowd = await asyncio.gather(*(ask(number, messages) for number, messages in asked))
    assert warm == crowd == cold_crowd == alone
    assert all(alone)
