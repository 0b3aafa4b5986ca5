"""How the model is asked in a chat."""

from collections.abc import Callable
from typing import Any

from bot.engine import Sampling
from bot.pace import Customs
from bot.voice import Voice
from bot.watch import Watch
from tests.bot.conftest import NOW

Make = Callable[..., Any]


def test_each_place_in_a_chat_has_a_seed_of_its_own_however_long_the_chat_is(
    fake_engine: Make, message: Make
) -> None:
    engine = fake_engine()
    voice = Voice(engine, Sampling(seed=5), lambda: NOW, Watch())
    most = engine.card.context_tokens
    chat = [message("hi", id=str(number)) for number in range(most + 20)]
    seen = [chat[max(0, end - most) : end] for end in range(most - 20, len(chat) + 1)]
    seeds = [voice.sampling(messages, Customs()).seed for messages in seen]
    assert len(set(seeds)) == len(seeds)
    assert [voice.sampling(messages, Customs()).seed for messages in seen] == seeds
