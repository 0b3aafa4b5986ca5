"""What an engine expects of a chat beside words."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from bot.engine import Outlook, Sampling
from bot.engine.caches import Caches
from bot.engine.grammar import Grammar
from bot.engine.local import LocalEngine
from bot.engine.outlook import look_ahead
from likeness.calibration import Calibration
from likeness.card import RunCard
from likeness.dialogue import END_OF_TURN, NEXT_MESSAGE, SPEAKERS
from likeness.errors import ModelError

Make = Callable[..., Any]
SAMPLING = Sampling(max_new_tokens=40)


def _look(toy: Any, grammar: Grammar, card: RunCard, likely: Any) -> Outlook:
    """Ask about a chat of a few words, with a model whose logits `likely` changes."""
    tokenizer = grammar.tokenizer
    ids = [tokenizer.tag(SPEAKERS[1]), *tokenizer.encode(" hello"), tokenizer.tag(END_OF_TURN)]
    steps: Any = look_ahead(ids, None, tokenizer, card, Caches(toy, 10**6))
    asked = next(steps)
    while not isinstance(asked, Outlook):
        found = [np.zeros((reading.wanted, toy.vocabulary), np.float32) for reading in asked]
        for reading, rows in zip(asked, found, strict=True):
            toy.read([reading])
            for number, row in enumerate(rows):
                likely(row, reading.ids[len(reading.ids) - len(rows) + number])
        asked = steps.send(found)
    return asked


def test_each_answer_stands_where_training_taught_it(
    toy: Any, grammar: Grammar, toy_card: RunCard
) -> None:
    tokenizer = grammar.tokenizer
    end, more = tokenizer.tag(END_OF_TURN), tokenizer.tag(NEXT_MESSAGE)
    me, ann, minutes = (tokenizer.tag(t) for t in ("<speaker1>", "<speaker2>", "<after:minutes>"))

    def likely(row: Any, last: int) -> None:
        if last == end:
            row[[me, ann, minutes]] = [10, 12, 11]
        elif last == minutes:
            row[me] = 20
        else:
            row[[end, more]] = [3, 1]

    found = _look(toy, grammar, toy_card, likely)
    assert found.finished == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-3)
    assert found.my_turn == pytest.approx(1 / (1 + np.exp(2)), abs=1e-3)
    # At once with e^10, after minutes with e^11: between 10 and 120 seconds, nearer to these.
    usual = np.exp((np.log(10) + np.e * np.log(120)) / (1 + np.e))
    assert found.silence_seconds == pytest.approx(usual, rel=0.01)


def test_the_card_sets_it_right(toy: Any, grammar: Grammar, toy_card: RunCard) -> None:
    foresight = {"finished": [0.5, 1.0], "my_turn": [2.0, 0.0], "silences": {"": 3.0}}
    set_right = dataclasses.replace(toy_card, foresight=foresight)

    def likely(row: Any, last: int) -> None:
        row[last % 7] = 1.0
        row[grammar.tokenizer.tag(END_OF_TURN)] = 0.5

    plain, right = (_look(toy, grammar, card, likely) for card in (toy_card, set_right))
    assert right.finished == pytest.approx(Calibration(0.5, 1.0)(plain.finished))
    assert right.my_turn == pytest.approx(Calibration(2.0, 0.0)(plain.my_turn))
    assert right.silence_seconds < plain.silence_seconds


async def test_it_is_the_same_warm_and_cold_and_leaves_nothing(
    engine: LocalEngine, toy: Any, message: Make
) -> None:
    chat = [message("are you there"), message("hello?")]
    cold = await engine.outlook(chat, SAMPLING)
    assert cold == await engine.outlook(chat, SAMPLING)
    reply = [part.text async for part in engine.reply(chat, SAMPLING)]
    assert reply
    assert cold == await engine.outlook(chat, SAMPLING)
    later = await engine.outlook(chat, SAMPLING, now=chat[-1].sent_at + timedelta(hours=3))
    assert cold is not None
    assert later is not None
    assert later.my_turn != cold.my_turn
    assert later.finished == cold.finished
    assert len(toy.open) <= 3  # what is kept for the chat's next reply


async def test_what_was_read_to_look_ahead_serves_the_reply(
    engine: LocalEngine, toy: Any, message: Make
) -> None:
    chat = [message("are you there")]
    await engine.outlook(chat, SAMPLING)
    toy.steps.clear()
    async for _ in engine.reply(chat, SAMPLING):
        break
    assert toy.steps[0] == [1]


async def test_there_is_nothing_to_expect_of_silence(engine: LocalEngine) -> None:
    assert await engine.outlook([], SAMPLING) is None


async def test_there_is_nothing_to_expect_where_nothing_of_the_newest_conversation_is_shown(
    engine: LocalEngine, toy_card: RunCard, message: Make
) -> None:
    asked = message("are you there")
    after = asked.sent_at + timedelta(seconds=toy_card.gap_seconds + 1)
    picture = dataclasses.replace(asked, id="2", kind="media", text="", sent_at=after)
    assert await engine.outlook([asked, picture], SAMPLING) is None


def test_a_model_without_numbers_is_one_sentence(
    toy: Any, grammar: Grammar, toy_card: RunCard
) -> None:
    def likely(row: Any, _: int) -> None:
        row[:] = np.nan

    with pytest.raises(ModelError, match=r"no number.*\.$"):
        _look(toy, grammar, toy_card, likely)
