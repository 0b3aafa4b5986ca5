"""What the owner lists is found in whatever form it is written, and nothing else is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.unsaid import NOTHING_UNSAID, Unsaid
from likeness.errors import BadSettings

LISTED = Unsaid(
    ["Gerald", "the blue door", "divorc*", "C++", "北京", "it's over", "café", "O'Neil", "D'An*"]
)


@pytest.mark.parametrize(
    "text",
    [
        "where is gerald?",
        "GERALD!",
        "gerald's hat, Gerald’s hat",
        "by the  blue,\ndoor",
        "she got divorced",
        "divorc",
        "我在北京了",
        "Its over",
        "it’s OVER now",
        "the cafe\u0301 again",
        "o’neil?",
        "O'Neil's hat",
        "ONeil’s hat",
        "D'Angelo's",
    ],
)
def test_what_is_listed_is_found(text: str) -> None:
    assert LISTED.said_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "geraldine",
        "the blue front door",
        "a divan",
        "我在南京了",
        "it is over",
        "neil",
        "o, no, Neil",
        "a d, any d",
        "",
        "??",
    ],
)
def test_what_is_not_listed_is_not_found(text: str) -> None:
    assert not LISTED.said_in(text)


def test_a_list_of_nothing_refuses_nothing() -> None:
    assert not Unsaid(["", "  ", "...", "*"]).said_in("... * anything")
    assert not NOTHING_UNSAID.said_in("anything")


@given(st.lists(st.text("ab .*", max_size=6), max_size=5), st.text("ab .*", max_size=9))
def test_a_message_that_is_a_listed_line_is_always_found(listed: list[str], text: str) -> None:
    says_something = any(letter.isalnum() for letter in text)
    assert Unsaid([*listed, text.rstrip("* ")]).said_in(text) or not says_something


def test_a_file_may_hold_remarks_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "never.txt"
    path.write_text("\ufeff# names\r\nGerald\r\n\r\n  # and\nblue door\n", encoding="utf-8")
    unsaid = Unsaid.read(path)
    assert unsaid.said_in("gerald")
    assert unsaid.said_in("a blue door")
    assert not unsaid.said_in("names and")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"nowhere\.txt.*No such file"):
        Unsaid.read(tmp_path / "nowhere.txt")
    (tmp_path / "latin").write_bytes("Café".encode("latin-1"))
    with pytest.raises(BadSettings, match="not UTF-8"):
        Unsaid.read(tmp_path / "latin")
