"""Several exports of one Telegram chat, or of chats that only seem to be one."""

import json
from datetime import UTC

import pytest

from exporters.account import DOUBLE
from exporters.options import ExportOptions
from exporters.run import export
from likeness.errors import OwnerUnknown
from likeness.files import read_messages
from tests.exporters.telegram_pages import message, page, words

NAMES = {1: "Jo", 2: "Jo at work", 7: "Ann", 8: "Bo"}
MOVED = 1_000_000_000


def entry(number, who, second, text="", **other):
    moment = {"date": "2024-01-01T00:00:00", "date_unixtime": str(1_700_000_000 + second)}
    told = {"id": number, "type": "message", "from": NAMES[who], "from_id": f"user{who}"}
    return {**told, **moment, "text": text, **other}


def chat(*entries, type="personal_chat", id=7, name="Ann"):  # noqa: A002
    return {"name": name, "type": type, "id": id, "messages": list(entries)}


def group(*entries):
    return chat(*entries, type="private_group", id=55, name="Fam")


def supergroup(*entries, id=99):  # noqa: A002
    return chat(*entries, type="private_supergroup", id=id, name="Fam")


def account(who, *chats):
    return {"personal_information": {"user_id": who}, "chats": {"list": list(chats)}}


@pytest.fixture
def exported(tmp_path):
    """Return a function that exports what JSON holds, and returns what came of it."""

    def run(*exports, me=(), grow=False, spaces=1):
        out, paths = tmp_path / "messages.jsonl", []
        for number, told in enumerate(exports):
            paths.append(tmp_path / f"{number}.json")
            paths[-1].write_text(json.dumps(told, indent=spaces), "utf-8")
        made = export([*[out] * grow, *paths], out, ExportOptions(UTC, "UTC", me))
        assert made.balanced
        return list(read_messages(out)), made

    return run


def told(messages):
    return [(one.id, one.speaker, one.outgoing) for one in messages]


FIRST = account(1, chat(entry(1, 1, 0, "hi"), entry(2, 7, 60, "ho"), entry(3, 1, 90, "x")))
SECOND = account(2, chat(entry(2, 2, 7000, "a"), entry(3, 7, 7060, "b", reply_to_message_id=2)))
BOTH = [
    ("1", "Jo", True), ("2", "Ann", False), ("3", "Jo", True),
    ("2-2", "Jo at work", True), ("3-2", "Ann", False),
]  # fmt: skip


@pytest.mark.parametrize("spaces", [1, None])
def test_one_number_in_the_chats_of_two_accounts_is_of_two_messages(exported, spaces):
    messages, made = exported(FIRST, SECOND, me=("Jo", "Jo at work"), spaces=spaces)
    assert told(messages) == BOTH
    assert messages[-1].reply_to == "2-2"
    first, second = made.sources
    assert first.remarks == []
    assert second.remarks[0].startswith("2 of its messages have numbers that other messages")


def test_they_stay_two_however_often_either_is_exported(exported):
    me = ("Jo", "Jo at work")
    exported(FIRST, SECOND, me=me)
    assert told(exported(SECOND, me=me, grow=True)[0]) == BOTH
    messages, made = exported(SECOND, FIRST, me=me, grow=True)
    assert (told(messages), messages[-1].reply_to) == (BOTH, "2-2")
    assert sum(source.rejected[DOUBLE] for source in made.sources) == 5


def test_an_edited_message_and_one_of_another_clock_are_the_same_message(exported):
    edited = chat(entry(1, 1, 0, "hi!"), entry(2, 7, 60 + 3600, "ho"))
    messages, made = exported(FIRST, account(1, edited))
    assert [one.text for one in messages] == ["hi!", "x", "ho"]
    assert made.sources[1].remarks == []


def test_a_friends_account_is_not_taken_for_mine_without_a_question(exported):
    theirs = account(8, chat(entry(5, 8, 0, "yo"), entry(6, 7, 5, "y")))
    with pytest.raises(OwnerUnknown, match="several people's accounts"):
        exported(FIRST, theirs)
    messages, _ = exported(FIRST, theirs, me=("Jo",))
    assert {one.speaker for one in messages if one.outgoing} == {"Jo"}


@pytest.mark.parametrize("shift", [1, 5000])
def test_a_group_exported_from_two_accounts_stands_once(exported, shift):
    said = [(1, 1, "a"), (2, 7, "b"), (2, 7, "b"), (3, 2, "c"), (4, 8, "")]
    one = [entry(n, who, second, text) for n, (second, who, text) in enumerate(said)]
    other = [
        entry(n + shift, who, second, text, reply_to_message_id=shift)
        for n, (second, who, text) in enumerate(said[:4])
    ]
    messages, made = exported(
        account(1, group(*one)), account(2, group(*other)), me=("Jo", "Jo at work")
    )
    assert [one.text for one in messages] == ["a", "b", "b", "c", ""]
    assert sorted(one.id for one in messages) == ["0", "1", "2", "3", "4"]
    assert {one.reply_to for one in messages[:4]} == {"0"}
    assert [source.rejected[DOUBLE] for source in made.sources] == [4, 0]


def test_photos_of_one_second_are_all_kept(exported):
    album = [entry(n, 1, 0, "", photo="p.jpg") for n in range(4)]
    messages, _ = exported(account(1, group(*album)), account(1, group(*album[2:], entry(9, 7, 9))))
    assert len(messages) == 5


def test_words_said_twice_in_a_second_of_a_supergroup_stay_twice(exported):
    one, other = supergroup(entry(1, 1, 0, "ok")), supergroup(entry(2, 1, 0, "ok"))
    assert len(exported(account(1, one), account(1, other))[0]) == 2


def test_a_chat_in_which_only_the_other_one_wrote_stops_nothing(exported):
    silent = chat(entry(1, 8, 0, "hey"), id=8, name="Bo")
    spoken = chat(entry(2, 1, 9, "yo"), entry(3, 7, 10, "y"))
    assert [one.outgoing for one in exported(silent)[0]] == [None]
    assert [one.outgoing for one in exported(silent, spoken)[0]] == [False, True, False]
    later = chat(entry(4, 1, 20, "hi"), entry(5, 8, 21, "ho"), id=8, name="Bo")
    assert [one.outgoing for one in exported(silent, later)[0]] == [False, True, False]


def test_my_words_from_two_accounts_in_one_supergroup_are_all_mine(exported):
    said = [entry(n, who, n, f"t{n}") for n, who in enumerate([1, 2, 7, 1, 2])]
    messages, _ = exported(
        account(1, supergroup(*said[:4])),
        account(2, supergroup(*said[2:])),
        me=("Jo", "Jo at work"),
    )
    assert [one.outgoing for one in messages] == [True, True, False, True, True]


@pytest.mark.parametrize("group_first", [True, False])
def test_a_group_that_became_a_supergroup_is_one_chat(exported, group_first):
    old = [
        entry(n, who, n, f"t{n}", **reply)
        for n, who, reply in [
            (1, 1, {}),
            (2, 7, {"reply_to_message_id": 1}),
            (3, 1, {}),
        ]
    ]
    shifted = [{**one, "id": one["id"] - MOVED, "text": one["text"] + "!"} for one in old[1:]]
    exports = account(1, group(*old)), account(1, supergroup(*shifted, entry(1, 7, 50, "new")))
    messages, made = exported(*(exports if group_first else exports[::-1]))
    assert [one.text for one in messages][1:] == (
        ["t2!", "t3!", "new"] if group_first else ["t2", "t3", "new"]
    )
    assert {one.chat_id for one in messages} == {"channel99"}
    assert [one.id for one in messages] == ["-999999999", "-999999998", "-999999997", "1"]
    assert sum(one.outgoing for one in messages) == 2
    assert [chat.messages for chat in made.chats] == [4]


def test_groups_of_two_accounts_that_became_one_supergroup_are_one_chat(exported):
    old = [entry(n, who, n, f"t{n}") for n, who in [(1, 1), (2, 7), (3, 2)]]
    other = [{**one, "id": one["id"] + 1} for one in old]
    moved = [[{**one, "id": one["id"] - MOVED} for one in said] for said in (old, other)]
    me = ("Jo", "Jo at work")
    exports = [account(1, group(*old)), account(1, supergroup(*moved[0]))]
    exports += [account(2, group(*other)), account(2, supergroup(*moved[1]))]
    for grow in (False, True):
        messages, _ = exported(*exports, me=me, grow=grow)
        assert [one.text for one in messages] == ["t1", "t2", "t3"]
        assert {one.chat_id for one in messages} == {"channel99"}


def test_a_group_of_another_account_did_not_become_the_supergroup(exported):
    old = group(entry(1, 1, 1, "a"), entry(2, 7, 2, "b"))
    other = supergroup(entry(1 - MOVED, 8, 1, "c"), entry(2 - MOVED, 7, 700, "b"))
    messages, _ = exported(account(1, old, other))
    assert {one.chat_id for one in messages} == {"chat55", "channel99"}


CREATED = {
    "id": 5, "type": "service", "action": "topic_created", "title": "Cats", "actor": "Jo",
    "date": "2024-01-01T00:00:00", "date_unixtime": "1700000000",
}  # fmt: skip
WHOLE = [
    entry(1, 7, 1, "hi"),
    CREATED,
    entry(6, 7, 6, "meow", reply_to_message_id=5),
    entry(7, 1, 7, "purr", reply_to_message_id=6),
]
LATER = [
    entry(7, 1, 7, "purr!", reply_to_message_id=6),
    entry(8, 8, 8, "miaow", reply_to_message_id=7),
    entry(9, 1, 9, "in general", reply_to_message_id=1),
    entry(10, 1, 10, "hiss", reply_to_message_id=5),
]
IN_TOPICS = [
    ("1", "Fam", None), ("9", "Fam", "1"),
    ("6", "Fam / Cats", None), ("7", "Fam / Cats", "6"), ("8", "Fam / Cats", "7"),
    ("10", "Fam / Cats", None),
]  # fmt: skip


def in_topics(messages):
    return [(one.id, one.chat, one.reply_to) for one in messages]


@pytest.mark.parametrize("spaces", [1, None])
@pytest.mark.parametrize("later_first", [False, True])
def test_an_export_without_a_forums_topics_goes_to_those_that_another_tells(
    exported, later_first, spaces
):
    exports = [account(1, supergroup(*WHOLE)), account(1, supergroup(*LATER))]
    messages, made = exported(*(exports[::-1] if later_first else exports), spaces=spaces)
    assert sorted(in_topics(messages)) == sorted(IN_TOPICS)
    assert [one.text for one in messages if one.id == "7"] == ["purr" if later_first else "purr!"]
    assert {one.id for one in messages if one.outgoing} == {"7", "9", "10"}
    cats = next(chat for chat in made.chats if chat.chat == "Fam / Cats")
    assert (cats.messages, cats.outgoing, set(cats.names.values())) == (4, 2, {"Ann", "Jo", "Bo"})


def test_exports_of_a_forum_given_newest_first_are_followed_through_all_answers(exported):
    newest = supergroup(entry(9, 7, 9, "so", reply_to_message_id=8))
    older = supergroup(entry(8, 7, 8, "and", reply_to_message_id=7))
    messages, _ = exported(*(account(1, one) for one in (newest, older, supergroup(*WHOLE))))
    assert [one.id for one in messages if one.chat == "Fam / Cats"] == ["6", "7", "8", "9"]


def test_a_forum_grows_by_an_export_that_begins_later(exported):
    exported(account(1, supergroup(*WHOLE)))
    messages, _ = exported(account(1, supergroup(*LATER)), grow=True)
    assert in_topics(messages) == IN_TOPICS
    assert {one.id for one in messages if one.outgoing} == {"7", "9", "10"}


def test_whom_a_later_export_of_a_forum_names_as_me_is_me_in_its_topics(exported):
    messages, _ = exported(supergroup(*WHOLE), account(1, supergroup(*LATER)))
    assert {one.id for one in messages if one.outgoing} == {"7", "9", "10"}


def test_two_groups_of_one_title_as_html_lose_nothing_and_are_told(tmp_path):
    for folder, second in (("a", 0), ("b", 30)):
        (tmp_path / folder).mkdir()
        said = [
            message(n, words(folder), name, f"14.07.2024 10:{n:02}:{second + n:02} UTC+01:00")
            for n, name in enumerate(("Jo", "Ann", "Bo"), 1)
        ]
        (tmp_path / folder / "messages.html").write_text(page(*said, title="Family"), "utf-8")
    out = tmp_path / "messages.jsonl"
    made = export([tmp_path / "a", tmp_path / "b"], out, ExportOptions(UTC, "UTC", ("Jo",)))
    assert [one.text for one in read_messages(out)] == ["a", "b"] * 3
    assert any("another chat of that name" in remark for remark in made.sources[1].remarks)
