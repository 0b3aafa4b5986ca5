"""Loops and repeated answers are noticed; a person's own phrases are not."""

from typing import Any

import pytest

from bot.engine.repetition import Echo, Loop


def read(ids: list[int]) -> Loop:
    loop = Loop()
    for id_ in ids:
        loop.read(id_)
    return loop


@pytest.mark.parametrize(
    ("round_", "times"), [([7], 24), ([7, 8], 12), ([1, 2, 3, 4], 6), (list(range(20)), 3)]
)
def test_a_round_that_came_often_enough_may_not_begin_again(round_: list[int], times: int) -> None:
    assert read([50, *round_ * times]).banned == {round_[0]}
    assert read([50, *round_ * times][:-1]).banned == set()
    assert read([*round_ * times, *round_[:-1]]).banned == {round_[-1]}


def test_a_loop_is_over_when_something_else_comes() -> None:
    assert read([*[7] * 30, 9]).banned == set()


def test_laughter_and_rows_of_emoji_are_no_loop() -> None:
    assert read([5, *[3, 4] * 11]).banned == set()
    assert read([5, *[6] * 23]).banned == set()


def test_words_may_come_again_in_other_company() -> None:
    assert read([1, 2, 3, 9, 1, 2, 3, 8, 1, 2, 3, 7, 1, 2, 3, 6, 1, 2, 3]).banned == set()


def heard(echo: Echo, *texts: str) -> list[bool]:
    return [echo.hear(text) for text in texts]


def chat(message: Any, *said: str) -> list[Any]:
    """Make a chat in which others ask before each of my turns; `|` parts a turn's messages."""
    messages = []
    for number, turn in enumerate(said):
        messages.append(message("and you?", id=f"q{number}"))
        texts = turn.split("|")
        messages += [message(text, id=text, outgoing=True, speaker_id="me") for text in texts]
    return messages


def test_an_answer_just_given_is_an_echo_whatever_its_case_and_marks(message: Any) -> None:
    messages = chat(message, "I was at the cinema, with Ann!", "something else altogether now")
    echo = Echo(messages)
    assert heard(echo, "i was at the cinema with ann") == [True]
    assert echo.whole


def test_a_burst_is_an_echo_only_as_a_whole(message: Any) -> None:
    messages = chat(message, "well you know|I was there|and then home")
    echo = Echo(messages)
    assert heard(echo, "Well, you know", "I was there") == [True, True]
    assert not echo.whole
    assert heard(echo, "and stayed") == [False]
    assert not echo.whole


def test_a_few_words_may_come_every_time(message: Any) -> None:
    for phrase in ("ok", "haha", "good night sweet", "|".join(["no", "no", "no"])):
        assert heard(Echo(chat(message, phrase)), phrase.split("|")[0]) == [False]


@pytest.mark.parametrize(
    "said", ["今天下雨我就在家看书", "今日は雨だから家にいるよ", "วันนี้ฝนตกฉันอยู่บ้าน"]
)
def test_where_no_spaces_part_words_an_answer_just_given_is_an_echo_too(
    message: Any, said: str
) -> None:
    assert heard(Echo(chat(message, said)), said) == [True]
    assert heard(Echo(chat(message, said[:4])), said[:4]) == [False]


def test_only_my_newest_turns_count(message: Any) -> None:
    old = "this is what I always say to them"
    newer = ["one of the other answers", "two of the other answers", "three of the other answers"]
    assert heard(Echo(chat(message, old, *newer)), old) == [False]
    assert heard(Echo(chat(message, old, *newer[:2])), old) == [True]


def test_what_the_bot_said_of_itself_is_no_turn_of_mine(message: Any) -> None:
    text = "I have no answer to that, please write again"
    messages = [message(text, outgoing=True, speaker_id="me", kind="automated")]
    assert heard(Echo(messages), text) == [False]
