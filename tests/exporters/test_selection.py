"""Which messages are wanted."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.account import ChatAccount
from exporters.selection import AFTER, BEFORE, NOT_ASKED, SHORT, UNWANTED, Selection
from likeness.errors import NoSuchName
from tests.conftest import BEGINNING

CHATS = [
    ChatAccount("telegram", "4711", "Zoë & Jo"),
    ChatAccount("discord", "99", "Harbour / pier"),
    ChatAccount("discord", "98", "Harbour / [old] pier"),
]
MANY = {chat.place: 10 for chat in CHATS}


def kept(remaining=MANY, **wanted):
    left_out = Selection(**wanted).left_out(CHATS, remaining)
    return [chat.chat_id for chat in CHATS if chat.place not in left_out]


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        ("zoe\u0308 & JO", ["4711"]), ("4711", ["4711"]), ("harbour*", ["99", "98"]),
        ("*pier", ["99", "98"]), ("Harbour / [old] pier", ["98"]), ("9?", ["99", "98"]),
        ("*", ["4711", "99", "98"]),
    ],
)  # fmt: skip
def test_a_chat_is_asked_for_by_name_id_or_pattern(pattern, ids):
    assert kept(chats=(pattern,)) == ids
    assert kept(not_chats=(pattern,)) == [id_ for id_ in kept() if id_ not in ids]


def test_not_chat_outweighs_chat_and_each_chat_has_one_reason():
    wanted = Selection(chats=("harbour*",), not_chats=("98",), min_messages=11)
    assert wanted.left_out(CHATS, MANY) == {
        CHATS[0].place: NOT_ASKED, CHATS[1].place: SHORT, CHATS[2].place: UNWANTED,
    }  # fmt: skip


@pytest.mark.parametrize("which", ["chats", "not_chats"])
def test_a_chat_that_does_not_exist_is_an_error_that_names_those_that_do(which):
    with pytest.raises(NoSuchName, match=r"'pear'\. The chats: Zoë & Jo, Harbour / pier, Harb"):
        kept(**{which: ("harbour*", "pear")})


def test_a_chat_must_have_enough_messages():
    assert kept(MANY | {CHATS[1].place: 9}, min_messages=10) == ["4711", "98"]


@given(st.integers(-5, 5), st.integers(-5, 0), st.integers(0, 5))
def test_a_moment_is_before_within_or_after(at, since, until):
    moments = {name: BEGINNING + timedelta(hours=n) for name, n in
               (("at", at), ("since", since), ("until", until))}  # fmt: skip
    wanted = Selection(since=moments["since"], until=moments["until"])
    expected = BEFORE if at < since else AFTER if at >= until else None
    assert wanted.out_of_time(moments["at"]) == expected
    assert Selection().out_of_time(moments["at"]) is None
