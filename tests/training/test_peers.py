"""What other trainers of such bots lose, glue or forget is kept, apart and known here."""

from collections.abc import Callable, Iterable
from pathlib import Path

from likeness.dialogue import CharacterTokenizer
from likeness.messages import Message
from training.config import TrainConfig
from training.corpus import build_corpus
from training.rows import Windows
from training.survey import survey

Write = Callable[[Iterable[Message]], Path]
Say = Callable[..., Message]
CHARACTERS = CharacterTokenizer()


def _windows(path: Path, context_tokens: int = 1000, context_weight: float = 0.25) -> Windows:
    config = TrainConfig(held_out_share=0, context_weight=context_weight)
    return build_corpus(path, survey(path), config, CHARACTERS, context_tokens).train


def _texts(windows: Windows) -> list[str]:
    return [
        CHARACTERS.decode(windows.ids[start:end].tolist())
        for start, end in zip(windows.starts, windows.starts[1:], strict=False)
    ]


def test_the_first_question_a_second_thought_and_a_slow_answer_are_kept_and_bursts_parted(
    say: Say, write: Write
) -> None:
    # Of these, one well-known trainer keeps one pair, its answer glued to "yes!!omg".
    windows = _windows(write([
        say("ann", "hey are you free tonight?"), say("ann", "there is a gig at 8", after=180),
        say("me", "yes!!"), say("me", "omg"), say("me", "which band"),
        say("ann", "the one you like"), say("me", "sorry was driving. i'm in", after=600),
    ]))  # fmt: skip
    (text,) = _texts(windows)
    assert text == (
        "<|endoftext|><speaker2> hey are you free tonight?"
        "<msg><after:minutes> there is a gig at 8\n"
        "<speaker1> yes!!<msg> omg<msg> which band\n"
        "<speaker2> the one you like\n"
        "<after:minutes><speaker1> sorry was driving. i'm in\n"
    )


def test_the_end_of_one_chat_is_not_glued_to_the_beginning_of_the_next(
    say: Say, write: Write
) -> None:
    first = [say("ann", "q1", chat_id="a"), say("me", "a1", chat_id="a")]
    second = [say("me", "b1", chat_id="b"), say("bob", "q2", chat_id="b")]
    assert _texts(_windows(write(first + second))) == [
        "<|endoftext|><speaker2> q1\n<speaker1> a1\n",
        "<|endoftext|><speaker1> b1\n<speaker2> q2\n",
    ]


def test_my_own_replies_stand_before_my_next_one_as_mine(say: Say, write: Write) -> None:
    said = [say("ann", "one"), say("me", "two"), say("ann", "three"), say("me", "four")]
    (text,) = _texts(_windows(write(said)))
    assert text.endswith("<speaker1> two\n<speaker2> three\n<speaker1> four\n")


def test_a_silence_of_a_day_and_five_minutes_is_no_silence_of_five_minutes(
    say: Say, write: Write
) -> None:
    said = [say("me", "night"), say("ann", "morning", after=86_400 + 300), say("me", "hi")]
    assert _texts(_windows(write(said))) == [
        "<|endoftext|><speaker1> night\n",
        "<|endoftext|><speaker2> morning\n<speaker1> hi\n",
    ]


def test_a_conversation_longer_than_any_row_is_not_skipped(say: Say, write: Write) -> None:
    said = [say("me" if number % 2 else "ann", f"word {number}") for number in range(200)]
    windows = _windows(write(said), context_tokens=100)
    taught = CHARACTERS.decode(windows.ids[windows.weights == 1].tolist())
    assert all(taught.count(f" word {number}\n") == 1 for number in range(1, 200, 2))


def test_others_words_weigh_what_was_set_and_mine_and_every_border_one(
    say: Say, write: Write
) -> None:
    windows = _windows(write([say("ann", "yes"), say("me", "no")]), context_weight=0.25)
    weights = windows.weights.tolist()
    words = {"yes": slice(2, 6), "no": slice(8, 11)}
    assert weights[words["yes"]] == [0.25] * 4
    assert weights[words["no"]] == [1.0] * 3
    assert [weights[place] for place in (1, 6, 7, 11)] == [1.0] * 4


def test_another_file_is_read_anew(say: Say, write: Write) -> None:
    before = _texts(_windows(write([say("me", "old")])))
    after = _texts(_windows(write([say("me", "new")])))
    assert (before, after) == (["<|endoftext|><speaker1> old\n"], ["<|endoftext|><speaker1> new\n"])
