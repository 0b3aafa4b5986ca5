"""What others wrote is known again, eight words in a row, and nothing else is."""

from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.card import OTHERS, RunCard
from likeness.errors import BadCard
from likeness.quotes import FILE_NAME, NOBODYS_WORDS, RUN_WORDS, OthersWords, runs

SECRET = "between us: the key to the cabin is under the third stone"
JAPANESE = "秘密だけど、鍵は三番目の石の下に置いてあるからね"
WORDS = st.lists(st.text("abcdeäß0", min_size=1, max_size=4), min_size=1, max_size=20)


def heard(*texts: str) -> OthersWords:
    return OthersWords(sorted({run for text in texts for run in runs(text)}))


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        "psst... THE KEY, to the cabin - is under\nthe THIRD!",
        "so the key to the cabin is under the third stone, they say",
    ],
)
def test_eight_words_in_a_row_are_a_quote_whatever_the_case_and_marks(text: str) -> None:
    assert heard("hi", SECRET).quoted_in(text)


@pytest.mark.parametrize(
    "text", ["", "the key to the cabin is under", "the key to the old cabin is under the third"]
)
def test_fewer_are_none(text: str) -> None:
    assert not heard(SECRET).quoted_in(text)


def test_an_apostrophe_parts_no_word() -> None:
    assert not heard("I don't know, it's what they've said").quoted_in(
        "I don't know, it's what they've said"
    )
    assert heard("I don't know, it's what they've said, isn't it?").quoted_in(
        "i dont know its what they’ve said isn’t it"
    )


def test_where_no_spaces_part_words_sixteen_letters_are_a_quote() -> None:
    others = heard(JAPANESE)
    assert others.quoted_in(f"あのね、{JAPANESE[6:]}!")
    assert others.quoted_in("鍵は三番目の石の下に、置いてあるから")
    assert not others.quoted_in("鍵は三番目の石の下")


@pytest.mark.parametrize("greeting", ["नमस्ते भाई कैसे हो आप", "பிறந்தநாள் வாழ்த்துக்கள் நண்பா"])
def test_marks_belong_to_their_letters(greeting: str) -> None:
    assert not list(runs(greeting))


@pytest.mark.parametrize("row", ["❤️" * 8, "☀️ " * 9, "❗️‼️" * 5, "#️⃣ " * 8])
def test_a_row_of_emoji_is_no_words(row: str) -> None:
    assert not list(runs(row))


def test_an_emoji_between_words_parts_no_run() -> None:
    assert heard(SECRET).quoted_in("the key ❤️ to the cabin ☀️ is under the third")


def test_what_is_not_seen_within_a_word_parts_none() -> None:
    assert not list(runs("می\u200cخواهم نمی\u200cدانم می\u200cروم می\u200cگویم"))
    assert heard(SECRET).quoted_in("the key to the ca\u00adbin is under the third")


@given(WORDS, WORDS, WORDS)
def test_a_text_quotes_if_it_holds_a_run_and_only_then(
    said: list[str], before: list[str], after: list[str]
) -> None:
    others = heard(" ".join(said))
    assert others.quoted_in(" ".join([*before, *said, *after])) or len(said) < RUN_WORDS
    said, text = ([word.casefold() for word in words] for words in (said, [*before, *after]))
    known = {tuple(said[n : n + RUN_WORDS]) for n in range(len(said) - RUN_WORDS + 1)}
    holds = any(tuple(text[n : n + RUN_WORDS]) in known for n in range(len(text)))
    assert others.quoted_in(" ".join(text)) == holds


@given(st.text())
def test_any_text_has_runs(text: str) -> None:
    assert all(0 <= run < 2**61 for run in runs(text))
    assert list(runs(f"{text} {text}"))[: len(list(runs(text)))] == list(runs(text))


def test_it_is_read_from_a_model_folder(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(array("Q", sorted(runs(SECRET))).tobytes())
    assert OthersWords.load(tmp_path).quoted_in(SECRET)


@pytest.mark.parametrize("content", [None, b""])
def test_without_it_nothing_is_a_quote(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILE_NAME).write_bytes(content)
    assert not OthersWords.load(tmp_path).quoted_in(SECRET)
    (tmp_path / "file").touch()
    assert not OthersWords.load(tmp_path / "file").quoted_in(SECRET)
    assert not NOBODYS_WORDS.quoted_in(SECRET)


def test_a_damaged_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"odd")
    with pytest.raises(BadCard, match=r"others\.bin is damaged"):
        OthersWords.load(tmp_path)
    (tmp_path / FILE_NAME).unlink()
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(BadCard, match=r"others\.bin cannot be read"):
        OthersWords.load(tmp_path)


@pytest.mark.parametrize("content", [None, b"", bytes(8)])
def test_one_that_lacks_what_the_card_tells_is_refused(
    tmp_path: Path, content: bytes | None
) -> None:
    numbers = sorted(runs(SECRET))
    card = RunCard("me", "Me", "scratch", 64, 60.0, data={OTHERS: len(numbers)})
    card.write(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(array("Q", numbers).tobytes())
    assert OthersWords.load(tmp_path).quoted_in(SECRET)
    (tmp_path / FILE_NAME).unlink()
    if content is not None:
        (tmp_path / FILE_NAME).write_bytes(content)
    how = "missing" if content is None else "damaged"
    with pytest.raises(
        BadCard, match=rf"others\.bin is {how}, .* others' words would be sent"
    ) as told:
        OthersWords.load(tmp_path)
    assert told.value.exit_code == 78  # so that a supervisor does not try for ever
