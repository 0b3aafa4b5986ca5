"""One reply: an answer just given is held back and written anew, anything else leaves at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bot.engine import Sampling, Trace
from bot.engine.caches import Caches
from bot.engine.grammar import Grammar
from bot.engine.guard import NO_GUARD
from bot.engine.writing import Request, write
from likeness.dialogue import END_OF_TURN, ME, NEXT_MESSAGE, START, Part
from likeness.messages import Message

SAMPLING = Sampling(seed=5, max_new_tokens=60)


@pytest.fixture
def caches(toy: Any) -> Caches:
    return Caches(toy, 10**6)


@pytest.fixture
def ask(toy: Any, grammar: Grammar, caches: Caches) -> Any:
    """Return a function that writes a reply and tells before which step each message came."""
    tokenizer = grammar.tokenizer
    ids = [tokenizer.tag(START), tokenizer.tag(ME)]
    mine = [tokenizer.tag(END_OF_TURN), tokenizer.tag(NEXT_MESSAGE), *tokenizer.encode("ab ")]

    def ask(
        messages: Sequence[Message] = (),
        sampling: Sampling = SAMPLING,
        *,
        endless: bool = False,
        guard: Any = NO_GUARD,
    ) -> tuple[list[Part], list[int], Trace]:
        request = Request(ids, sampling.max_new_tokens, sampling, messages, guard)
        steps, said, at, number = write(request, grammar, caches), [], [], 0
        outcome: Any = next(steps)
        try:
            while True:
                if isinstance(outcome, Part):
                    said.append(outcome)
                    at.append(number)
                    outcome = next(steps)
                    continue
                number += 1
                (found,) = toy.read(outcome)
                narrowed = np.full_like(found, -30)
                narrowed[:, mine[endless:]] = found[:, mine[endless:]]
                outcome = steps.send([narrowed])
        except StopIteration:
            return said, at, request.trace

    return ask


@pytest.fixture
def said(message: Any) -> Any:
    """Return a function that makes my turn of some parts."""

    def said(parts: Sequence[Part], *, more: str = "") -> list[Message]:
        texts = [part.text for part in parts] + [more] * bool(more)
        return [message(text, id=text, outgoing=True, speaker_id="me") for text in texts]

    return said


def test_messages_leave_before_the_last_is_written(ask: Any) -> None:
    parts, at, trace = ask()
    assert len(parts) > 1
    assert at[0] < at[-1]
    assert trace.output.split(NEXT_MESSAGE)[0].strip() == parts[0].text


def test_an_answer_just_given_is_written_anew(
    ask: Any, said: Any, toy: Any, caches: Caches
) -> None:
    first, _, before = ask()
    again, _, trace = ask(said(first))
    assert again != first
    assert trace.prompt == before.prompt
    assert trace.output != before.output
    assert ask(said(first))[0] == again
    caches.close()
    assert not toy.open


def test_after_some_tries_it_is_said_after_all(ask: Any, said: Any, message: Any) -> None:
    turns: list[Message] = []
    written = []
    for number in range(4):
        parts, *_ = ask(turns, endless=True)
        written.append(parts)
        turns += [*said(parts), message("why?", id=f"q{number}")]
    assert written[0] != written[1] != written[2] != written[0]
    assert written[3] == written[2]


def test_a_turn_that_only_begins_alike_is_said_with_nothing_lost(ask: Any, said: Any) -> None:
    first, _, before = ask()
    parts, at, trace = ask(said(first, more="and one more"))
    assert (parts, trace) == (first, before)
    assert len(set(at)) == 1  # all was held back until the reply ended short of the old one
    parts, at, _ = ask(said([*first[:1], Part("something else altogether")]))
    assert parts == first
    assert at[0] == at[1]


def test_the_likeliest_answer_is_said_however_often(ask: Any, said: Any) -> None:
    greedy = Sampling(temperature=0, max_new_tokens=40)
    first, *_ = ask((), greedy)
    assert ask(said(first), greedy)[0] == first


class Refuses:
    """A guard that refuses these messages, or everything."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def refuses(self, text: str) -> bool:
        return not self.texts or text in self.texts


def test_a_reply_that_begins_with_others_words_is_written_anew(ask: Any) -> None:
    first, *_ = ask()
    parts, _, trace = ask(guard=Refuses(first[0].text))
    assert parts
    assert first[0] not in parts
    assert trace.output.startswith(parts[0].text)


def test_where_others_words_come_later_the_reply_ends_before_them(ask: Any) -> None:
    first, *_ = ask()
    assert ask(guard=Refuses(first[1].text))[0] == first[:1]


def test_others_words_are_not_said_however_often_they_are_written(ask: Any, said: Any) -> None:
    for sampling in (SAMPLING, Sampling(temperature=0, max_new_tokens=40)):
        assert ask((), sampling, guard=Refuses())[0] == []
    first, *_ = ask()
    assert ask(said(first), guard=Refuses())[0] == []


def test_a_reply_that_cannot_end_ends_where_its_room_does(ask: Any) -> None:
    for room in (1, 2, 7):
        _, _, trace = ask((), Sampling(seed=1, max_new_tokens=room))
        assert 1 <= len(trace.output.replace(NEXT_MESSAGE, "m")) <= room
