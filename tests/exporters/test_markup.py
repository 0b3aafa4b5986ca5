"""HTML as apps write it becomes a tree, in linear time whatever it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.markup import element
from tests.examples import examples


def test_words_keep_their_lines_and_lose_the_layout():
    found = element('<div>\n  a &amp; b<br>c<br/><b>d</b> <a href="x">e</a>\n </div> after')
    assert found.words() == "a & b\nc\nd e"
    assert found.whole


def test_elements_are_found_by_their_classes():
    found = element('<p><i class="a b">1</i><b><i class="b">2</i><i class="a c">3</i></b></p>')
    assert found.child("b").words() == "1"
    assert found.child("c") is None
    assert found.find("a", "c").words() == "3"
    assert len(list(found.all())) == 4


def test_attributes_are_what_they_stand_for():
    found = element('<a href = "x?a=1&amp;b=2" TITLE="&quot;t&quot;" onclick="f(1)">w</a>')
    assert found.attributes == {"href": "x?a=1&b=2", "title": '"t"', "onclick": "f(1)"}


@pytest.mark.parametrize("markup", ["", "words", "</div>", "<", "<!-- -->", "<>", "< div>"])
def test_what_does_not_begin_with_an_element_is_none(markup):
    assert element(markup) is None


def test_an_element_that_breaks_off_is_not_whole():
    found = element("<div><b>left <i>over")
    assert found.words() == "left over"
    assert not found.whole


def test_a_stray_end_is_ignored_and_a_missing_one_is_made_up():
    found = element("<div></p><b>x<div>y</div></div>z")
    assert found.words() == "xy"
    assert found.whole
    assert not next(iter(found.all())).whole


@settings(max_examples=examples(60))
@given(st.text(alphabet='<>/"= abr&;#x!-', max_size=80))
def test_any_text_becomes_something(text):
    found = element(f"<div>{text}")
    assert isinstance(found.words(), str)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["<a ", "<b>", "</b>", "<!--", '<a b="', "a", "&#", "9", "<a a=", "<", "=", '"']
)
def test_a_long_text_without_an_end_is_read_in_time(piece):
    for before in ("<div>", "<div><a ", "<div>&#", '<div class="'):
        element(before + piece * 100_000)
