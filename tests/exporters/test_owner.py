"""Who is me, chat by chat."""

import re

import pytest

from exporters.account import ChatAccount
from exporters.owner import find_owners
from likeness.errors import OwnerUnknown


def chat(number, platform="p", told=None, **counts):
    """Invent a chat in which speakers named Ann, Bob, … sent so many messages."""
    account = ChatAccount(platform, str(number), f"chat {number}", told=told)
    account.speakers.update({f"id-{name}": count for name, count in counts.items()})
    account.names = {f"id-{name}": name for name in counts}
    return account


def owners(chats, evidence=None, me=()):
    return [owner.ids and set(owner.ids) for owner in find_owners(chats, evidence or {}, me)]


BOB = ("id-Bob", "the account names its owner")


def test_what_the_person_says_outweighs_the_evidence():
    assert owners([chat(1, Ann=1, Bob=1)], {("p", "1"): BOB}, ["Ann"]) == [{"id-Ann"}]


@pytest.mark.parametrize("me", ["Zoë", "zoë", "Zoe\u0308", " ZOË ", "id-Zoë"])
def test_a_name_is_found_however_it_is_typed(me):
    assert owners([chat(1, Zoë=1, Bob=2)], me=[me]) == [{"id-Zoë"}]


def test_one_person_may_have_several_names():
    chats = [chat(1, Ann=1, Bob=1), chat(2, platform="q", Annie=1, Bob=1)]
    assert owners(chats, me=["Ann", "Annie"]) == [{"id-Ann"}, {"id-Annie"}]


def test_a_name_that_nobody_bears_is_an_error_that_lists_those_seen():
    with pytest.raises(OwnerUnknown, match=re.escape("'Eve'. Who speaks: Bob (5), Ann (2)")):
        owners([chat(1, Ann=2, Bob=5)], me=["Eve"])


def test_my_id_in_one_chat_is_mine_in_all_of_the_platform():
    chats = [chat(1, Ann=1, Bob=1), chat(2, Cem=1), chat(3, Bob=3, Eve=1)]
    assert owners(chats, {("p", "1"): BOB}) == [{"id-Bob"}] * 3


def test_the_evidence_of_one_platform_says_nothing_of_another():
    with pytest.raises(OwnerUnknown, match="in 1 of 2 chats"):
        owners([chat(1, Ann=1, Bob=1), chat(2, platform="q", Ann=1, Bob=1)], {("p", "1"): BOB})


def test_what_the_export_marks_is_left_as_it_is():
    assert owners([chat(1, told={"id-Ann"}, Ann=1, Bob=1)]) == [None]


def test_the_only_one_in_all_chats_is_me():
    chats = [chat(1, Ann=1, Bob=1), chat(2, Bob=1, Cem=1), chat(3, Bob=1, Ann=1, Cem=1)]
    assert owners(chats) == [{"id-Bob"}] * 3


def test_two_who_are_in_all_chats_are_a_question():
    with pytest.raises(OwnerUnknown, match="in 2 of 2 chats"):
        owners([chat(1, Ann=1, Bob=1), chat(2, Ann=1, Bob=1, Cem=1)])


def test_a_chat_where_a_given_name_did_not_speak_holds_nothing_of_mine():
    assert owners([chat(1, Ann=1, Bob=1), chat(2, Cem=1)], me=["Ann"]) == [{"id-Ann"}, set()]


def test_the_question_lists_the_most_frequent_names_and_says_how_to_answer():
    crowd = chat(1, **{f"N{number:02}": 100 - number for number in range(25)})
    with pytest.raises(OwnerUnknown) as caught:
        owners([crowd])
    text = str(caught.value)
    assert "--me NAME" in text
    assert "N00 (100), N01 (99)" in text
    assert text.endswith("N19 (81) and 5 more.")
