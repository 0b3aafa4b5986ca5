"""Who is me, chat by chat."""

import re
from collections import Counter

import pytest

from exporters.account import NAMELESS, ChatAccount
from exporters.owner import BY_ACCOUNT, BY_SAVED, find_owners
from likeness.errors import OwnerUnknown


def chat(number, platform="p", told=None, **counts):
    """Invent a chat in which speakers named Ann, Bob, … sent so many messages."""
    account = ChatAccount(platform, str(number), f"chat {number}", told=told)
    account.speakers.update({f"id-{name}": count for name, count in counts.items()})
    account.names = {f"id-{name}": name for name in counts}
    return account


def owners(chats, evidence=None, me=()):
    found = find_owners(chats, evidence or {}, me)
    return [found[chat.place].ids and set(found[chat.place].ids) for chat in chats]


BOB = {"id-Bob": BY_ACCOUNT}


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


def test_a_name_of_several_lines_is_listed_in_one():
    with pytest.raises(OwnerUnknown, match=re.escape("Who speaks: the bard (3)")):
        owners([chat(1, **{"the\n bard": 3})], me=["Eve"])


def test_my_id_in_one_chat_is_mine_in_all_of_the_platform():
    chats = [chat(1, Ann=1, Bob=1), chat(2, Cem=1), chat(3, Bob=3, Eve=1)]
    assert owners(chats, {("p", "1"): BOB}) == [{"id-Bob"}] * 3


def test_who_is_marked_and_not_named_tells_nobody_in_other_chats():
    chats = [chat(1, told={NAMELESS}), chat(2, Ann=1, Bob=1)]
    chats[0].speakers[NAMELESS] = 3
    chats[0].names[NAMELESS] = NAMELESS
    with pytest.raises(OwnerUnknown, match="in 1 of 2 chats"):
        owners(chats)
    assert owners(chats, me=["Bob"]) == [{NAMELESS}, {"id-Bob"}]


def test_my_id_on_one_platform_is_nobody_on_another():
    chats = [chat(1, Ann=1, Bob=1), chat(2, platform="q", Ann=1, Bobby=1)]
    with pytest.raises(OwnerUnknown, match="in 1 of 2 chats"):
        owners(chats, {("p", "1"): BOB})


def test_my_name_on_one_platform_is_mine_on_another_and_that_is_said():
    chats = [chat(1, Ann=1, Bob=1), chat(2, platform="q", Ann=1, Bob=1), chat(3, "q", Cem=1)]
    chats[1].speakers, chats[1].names = Counter({"7": 1, "8": 1}), {"7": "Ann", "8": "bob"}
    found = find_owners(chats, {("p", "1"): BOB}, [])
    assert [found[one.place].ids for one in chats] == [{"id-Bob"}, {"8"}, {"8"}]
    assert found["q", "2"].evidence == found["q", "3"].evidence == "called as I am: Bob on p"


def test_what_one_platform_has_in_common_tells_another():
    chats = [chat(1, Ann=1, Bob=1), chat(2, Bob=1, Cem=1), chat(3, "q", Bob=1, Ann=1)]
    assert owners(chats) == [{"id-Bob"}] * 3


def test_the_only_name_in_all_chats_of_all_platforms_is_me():
    chats = [chat(1, "p", Ann=1, Bob=1), chat(2, "q", Bob=1, Cem=1)]
    assert owners(chats) == [{"id-Bob"}] * 2
    with pytest.raises(OwnerUnknown, match="in 2 of 2 chats"):
        owners([chat(1, "p", Ann=1, Bob=1), chat(2, "q", Bob=1, Ann=1)])


FILM = {("films", "1"): {"": "a film belongs to nobody"}}


def test_in_a_film_a_character_is_me_if_chosen():
    film, other = chat(1, "films", OTTO=1, WANDA=1), chat(2, "films", DOG=1)
    nobody = FILM | {("films", "2"): {"": "a film belongs to nobody"}}
    assert owners([film, other], nobody, ["wanda"]) == [{"id-WANDA"}, set()]


def test_in_a_film_nobody_is_me_and_alone_it_is_left_open():
    film = chat(1, "films", OTTO=1, WANDA=1)
    assert owners([film], FILM) == [None]
    assert owners([film, chat(1, Ann=1, Bob=1)], FILM | {("p", "1"): BOB}) == [set(), {"id-Bob"}]


def test_who_is_me_need_not_be_known_where_it_is_not_wanted():
    chats = [chat(1, Ann=1, Bob=1), chat(2, platform="q", Ann=1, Bobby=1)]
    found = find_owners(chats, {("p", "1"): BOB}, [], wanted=lambda place: place == ("p", "1"))
    assert list(found) == [("p", "1")]


def test_where_some_messages_are_marked_the_others_go_by_their_speaker():
    chats = [chat(1, told={"id-Ann"}, Ann=3, Bob=1)]
    (owner,) = find_owners(chats, {}, []).values()
    said = [("id-Ann", True), ("id-Ann", None), ("id-Bob", None), ("id-Ann", False)]
    assert [owner.owns(*one) for one in said] == [True, True, False, False]


def test_where_some_messages_are_marked_the_others_go_by_the_evidence_too():
    chats = [chat(1, told={"Jo"}, Ann=3)]
    (owner,) = find_owners(
        chats, {("p", "1"): {"Jo V": "the other one bears the name"}}, []
    ).values()
    said = [("Jo", True), ("Jo", None), ("Jo V", None), ("Jo V", False), ("Ann", None)]
    assert [owner.owns(*one) for one in said] == [True, True, True, False, False]


def test_several_exports_of_a_chat_may_know_me_by_several_ids():
    both = {"id-Bob": "by its name", "id-Rob": "by its name", "": "only the other one writes here"}
    chats = [chat(1, Ann=1, Bob=1, Rob=1), chat(2, Rob=1, Eve=1)]
    assert owners(chats, {("p", "1"): both}) == [{"id-Bob", "id-Rob"}] * 2


ACCOUNTS = {("p", "1"): {"id-Bob": BY_ACCOUNT}, ("p", "2"): {"id-Fay": BY_SAVED}}


def test_accounts_of_two_people_are_a_question():
    chats = [chat(1, Ann=2, Bob=1), chat(2, Eve=1, Fay=1), chat(3, "q", Cem=1)]
    sentence = r"several people's accounts: say so with --me NAME .*others' exports out.*Ann \(2\)"
    with pytest.raises(OwnerUnknown, match=sentence):
        owners(chats, ACCOUNTS)
    told = {("q", "3"): {"id-Cem": "by its name"}}
    find_owners(chats, ACCOUNTS | told, [], wanted=lambda place: place == ("q", "3"))


def test_accounts_of_two_people_are_no_question_once_the_person_answers():
    chats = [chat(1, Ann=1, Bob=1), chat(2, Eve=1, Fay=1)]
    assert owners(chats, ACCOUNTS, ["Bob", "Fay"]) == [{"id-Bob"}, {"id-Fay"}]
    assert owners(chats, ACCOUNTS, ["Bob"]) == [{"id-Bob"}, {"id-Bob"}]


def test_accounts_under_one_name_are_one_persons():
    chats = [chat(1, Ann=1, Bob=1), chat(2, Eve=1, Fay=1)]
    chats[1].names["id-Fay"] = "bob"
    assert owners(chats, ACCOUNTS) == [{"id-Bob", "id-Fay"}] * 2


def test_my_other_account_is_mine_in_a_group_that_only_one_of_them_exported():
    group = chat(3, Ann=1, Bob=1, Fay=1)
    group.names["id-Fay"] = "Bob"
    fays = {("p", "3"): {"id-Fay": BY_ACCOUNT}}
    exported, grown = chat(1, Bob=1), chat(1, told={"id-Bob"}, Bob=1)
    bobs = {("p", "1"): {"id-Bob": BY_ACCOUNT}}
    assert owners([exported, group], bobs | fays) == [{"id-Bob", "id-Fay"}] * 2
    assert owners([grown, group], fays) == [{"id-Bob", "id-Fay"}] * 2


def test_an_account_is_mine_if_messages_of_its_owner_are_marked_as_mine():
    chats = [chat(1, told={"id-Bob", "id-Fay"}, Bob=1, Fay=1), chat(2, Eve=1, Fay=1)]
    assert owners(chats, ACCOUNTS) == [{"id-Bob", "id-Fay"}] * 2
    chats[0].told = {"id-Bob"}
    with pytest.raises(OwnerUnknown, match="several people's accounts"):
        owners(chats, ACCOUNTS)


def test_a_chat_of_many_may_be_left_out_instead_of_answering():
    with pytest.raises(OwnerUnknown, match="leave such a chat out with --not-chat CHAT"):
        owners([chat(1, Ann=1, Bob=1), chat(2, Cem=1, Eve=1)])


def test_a_later_export_without_marks_is_known_by_the_marks_of_an_earlier_one():
    assert owners([chat(1, told={"id-Ann"}, Ann=3), chat(2, Ann=1, Bob=1)]) == [{"id-Ann"}] * 2


def test_where_nothing_was_marked_as_mine_what_i_say_later_is_mine():
    chats = [chat(1, told={"id-Ann"}, Ann=3), chat(2, told=set(), Ann=1, Bob=1)]
    found = find_owners(chats, {}, [])["p", "2"]
    said = [("id-Bob", False), ("id-Ann", None), ("id-Ann", False)]
    assert [found.owns(*one) for one in said] == [False, True, False]
    assert found.evidence == "as in my other chats on p"
    assert owners([chat(1, told=set(), Ann=1)]) == [set()]


def test_a_new_name_of_mine_takes_the_place_of_the_marks_and_that_is_said():
    chats = [chat(1, told={"id-Juno"}, Ann=2, Juno=1, **{"Juno Vale": 1})]
    (owner,) = find_owners(chats, {}, ["Juno Vale"]).values()
    assert owner.ids == {"id-Juno Vale"}
    assert owner.evidence == ("you said so; the export marks Juno as me, which one more --me keeps")
    (owner,) = find_owners(chats, {}, ["Juno Vale", "Juno"]).values()
    assert (owner.ids, owner.evidence) == ({"id-Juno", "id-Juno Vale"}, "you said so")


def test_what_the_export_marks_is_left_as_it_is():
    (owner,) = find_owners([chat(1, told={"id-Ann"}, Ann=1, Bob=1)], {}, []).values()
    assert [owner.owns("id-Ann", said) for said in (True, False)] == [True, False]


def test_the_only_one_in_all_chats_is_me():
    chats = [chat(1, Ann=1, Bob=1), chat(2, Bob=1, Cem=1), chat(3, Bob=1, Ann=1, Cem=1)]
    assert owners(chats) == [{"id-Bob"}] * 3


def test_a_chat_whose_messages_all_moved_to_another_is_none_that_i_missed():
    chats = [chat(1, Ann=1, Bob=1), chat(2, Bob=1, Cem=1), chat(3)]
    assert owners(chats[:2]) == [{"id-Bob"}] * 2
    assert {owner.ids for owner in find_owners(chats, {}, []).values()} == {frozenset({"id-Bob"})}
    chats[1].platform = "q"
    assert {owner.ids for owner in find_owners(chats, {}, []).values()} == {frozenset({"id-Bob"})}


def test_a_name_that_two_of_my_ids_bear_is_told_once():
    one = chat(1, Bob=1, Fay=1)
    one.names["id-Fay"] = "Bob"
    assert one.names_of({"id-Bob", "id-Fay"}) == ("Bob",)


def test_a_program_that_writes_in_all_chats_is_not_me():
    chats = [chat(1, Ann=1, Bob=1, Greeter=5), chat(2, Ann=1, Cem=1, Greeter=5)]
    assert owners([*chats[:1], chat(2, Cem=1, Greeter=5)]) == [{"id-Greeter"}] * 2
    for one in chats:
        one.bots.add("id-Greeter")
    assert owners(chats) == [{"id-Ann"}] * 2
    other = chat(3, platform="q", Ann=1, Greeter=5)
    other.bots.add("id-Greeter")
    assert owners([*chats[:1], other]) == [{"id-Ann"}] * 2


def test_the_id_of_all_deleted_accounts_is_not_me():
    chats = [chat(1, Ann=1, Bob=1), chat(2, Ann=1, Cem=1)]
    for one in chats:
        one.speakers["456226577798135808"] = 9
        one.names["456226577798135808"] = "Deleted User"
    assert owners(chats) == [{"id-Ann"}] * 2
    del chats[0].names["id-Ann"], chats[0].speakers["id-Ann"]
    with pytest.raises(OwnerUnknown):
        owners(chats)


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
