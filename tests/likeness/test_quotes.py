"""What others wrote is known again, eight words in a row, and nothing else is."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.quotes import FILE_NAME, NOBODYS_WORDS, RUN_WORDS, OthersWords
from training.listener import Listener

SECRET = "between us: the key to the cabin is under the third stone"
WORDS = st.lists(st.text("abcdeäß0", min_size=1, max_size=4), min_size=1, max_size=20)


def heard(*others: str, mine: tuple[str, ...] = ()) -> OthersWords:
    listener = Listener()
    for text in others:
        listener.hear(text, mine=False)
    for text in mine:
        listener.hear(text, mine=True)
    return listener.others_words()


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


def test_what_i_said_as_well_is_mine() -> None:
    both = heard(SECRET, "never gonna give you up never gonna let you down", mine=(SECRET,))
    assert not both.quoted_in(SECRET)
    assert both.quoted_in("never gonna give you up never gonna let you")


@given(WORDS, WORDS, WORDS)
def test_a_text_quotes_if_it_holds_a_run_and_only_then(
    said: list[str], before: list[str], after: list[str]
) -> None:
    others = heard(" ".join(said))
    assert others.quoted_in(" ".join([*before, *said, *after])) or len(said) < RUN_WORDS
    runs = {tuple(said[n : n + RUN_WORDS]) for n in range(len(said) - RUN_WORDS + 1)}
    text = [*before, *after]
    holds = any(tuple(text[n : n + RUN_WORDS]) in runs for n in range(len(text)))
    assert others.quoted_in(" ".join(text)) == holds


def test_it_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    heard(SECRET).save(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert b"cabin" not in (tmp_path / FILE_NAME).read_bytes()
    assert OthersWords.load(tmp_path).quoted_in(SECRET)


@pytest.mark.parametrize("content", [None, b"", b"odd"])
def test_without_it_nothing_is_a_quote(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILE_NAME).write_bytes(content)
    assert not OthersWords.load(tmp_path).quoted_in(SECRET)
    assert not NOBODYS_WORDS.quoted_in(SECRET)
