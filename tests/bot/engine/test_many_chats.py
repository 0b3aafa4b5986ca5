"""Many chats at once, asked, stopped and forgotten at random: none leaks into another."""

import asyncio
import gc
import random
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bot.engine import Sampling, Trace
from bot.engine.local import LocalEngine
from likeness.messages import Message

Make = Callable[..., Message]


class Chat:
    """One chat: its canary stands in all that is said to it, and nowhere else."""

    def __init__(self, number: int, message: Make) -> None:
        self.canary = "".join(chr(0x391 + int(digit)) for digit in f"{number:04}")
        self.seed = number
        self.history: list[Message] = []
        self._message = message

    def hear(self) -> None:
        self._add(f"{self.canary} says", outgoing=False)

    def _add(self, text: str, *, outgoing: bool) -> None:
        number = len(self.history)
        made = self._message(text, id=str(number), seconds=5 * number, outgoing=outgoing)
        self.history.append(made)

    async def ask(self, engine: LocalEngine, *, keep: bool = True, tokens: int = 24) -> str:
        trace = Trace()
        sampling = Sampling(seed=self.seed, max_new_tokens=tokens).at(len(self.history))
        said = [part.text async for part in engine.reply(self.history, sampling, trace=trace)]
        if keep:
            for text in said:
                self._add(text, outgoing=True)
        return trace.prompt + trace.output


async def hurry(chat: Chat, engine: LocalEngine, dice: random.Random) -> str:
    """Ask now, later, or give up before the answer is there."""
    await asyncio.sleep(dice.random() / 50)
    chat.hear()
    if dice.random() < 0.3:
        with_patience = asyncio.wait_for(chat.ask(engine, keep=False), dice.random() / 20)
        await asyncio.gather(with_patience, return_exceptions=True)
    return await chat.ask(engine)


@pytest.mark.slow
async def test_two_hundred_chats_at_random_say_what_each_would_have_said_alone(
    engine: LocalEngine, toy: Any, message: Make
) -> None:
    dice = random.Random(4)  # noqa: S311 (it shall be repeatable)
    chats = [Chat(number, message) for number in range(200)]
    for _ in range(3):
        for wrote in await asyncio.gather(*(hurry(chat, engine, dice) for chat in chats)):
            assert any(chat.canary in wrote for chat in chats)
    assert max(map(len, toy.steps)) > 16
    assert engine._caches.size <= 40 * 256 * 1000
    for chat in chats[::10]:
        wrote = await chat.ask(engine, keep=False)
        assert chat.canary in wrote
        assert not any(other.canary in wrote for other in chats if other is not chat)
        engine._caches.close()  # and now without anything that is remembered
        assert await chat.ask(engine, keep=False) == wrote


async def test_a_warm_chat_says_what_a_cold_one_does_and_reads_far_less(
    engine: LocalEngine, toy: Any, message: Make
) -> None:
    async def talk(*, warm: bool) -> tuple[list[str], int]:
        chat, wrote = Chat(7, message), []
        toy.steps.clear()
        for _ in range(12):
            chat.hear()
            if not warm:
                engine._caches.close()
            wrote.append(await chat.ask(engine, tokens=5))
        return wrote, sum(map(sum, toy.steps))

    (warm, read_warm), (cold, read_cold) = await talk(warm=True), await talk(warm=False)
    assert warm == cold
    assert read_warm < read_cold / 2


@pytest.mark.slow
async def test_memory_stays_flat_over_five_thousand_replies(
    engine: LocalEngine, message: Make
) -> None:
    sampling = Sampling(max_new_tokens=4)

    async def ask(number: int) -> None:
        chat = [message(f"{number % 300}", id=str(number))]
        reply = engine.reply(chat, sampling)
        if number % 7 == 0:
            await anext(reply, None)
            await reply.aclose()
        else:
            [part async for part in reply]

    async def blocks_after(replies: range) -> int:
        for begin in replies[::50]:
            await asyncio.gather(*map(ask, range(begin, begin + 50)))
        gc.collect()
        return sys.getallocatedblocks()

    await blocks_after(range(1000))
    blocks = [await blocks_after(range(at, at + 1000)) for at in range(1000, 5000, 1000)]
    assert max(blocks) - min(blocks) < 0.01 * min(blocks)
