"""Names that are one person's."""

import pytest

from exporters.account import ChatAccount
from exporters.names import Aliases
from likeness.messages import Message
from tests.conftest import BEGINNING


def message(speaker_id, speaker, platform="p"):
    return Message(platform, "1", "c", "1", speaker_id, speaker, None, BEGINNING, "t")


def test_all_names_of_one_person_become_one_name_and_id():
    aliases = Aliases(["Bob=Bob K., bobby,user7"])
    said = [message("3", "BOB"), message("4", "bob k."), message("user7", "B"), message("5", "Al")]
    for one in said:
        aliases.meet(one)
    assert [aliases.speaker(one) for one in said] == [*[("Bob", "Bob")] * 3, ("5", "Al")]
    assert aliases.unseen == ["bobby"]


def test_who_changed_their_name_is_one_before_and_after():
    aliases = Aliases(["Bob=Bobby"])
    said = [message("3", "Robert"), message("3", "Bobby"), message("3", "Robert", "q")]
    for one in said:
        aliases.meet(one)
    assert [aliases.speaker(one)[0] for one in said] == ["Bob", "Bob", "3"]


def test_the_account_of_a_chat_counts_one_person():
    aliases = Aliases(["Bob=Bobby,Robert"])
    chat = ChatAccount("p", "1", "c", told={"3"})
    for one in (message("3", "Robert"), message("4", "Bobby"), message("5", "Al")):
        aliases.meet(one)
        chat.count(one)
    chat.bots.add("3")
    aliases.join(chat)
    assert not chat.bots
    assert chat.speakers == {"Bob": 2, "5": 1}
    assert chat.names == {"Bob": "Bob", "5": "Al"}
    assert chat.told == {"Bob"}
    assert aliases.target(" bobby") == "Bob"


@pytest.mark.parametrize(
    "groups",
    [["Bob"], ["=Bob"], ["Bob="], ["Bob=x,,y"], ["Bob=x", "Al=X"], ["Bob=x", "Al=bob"],
     ["Al=bob", "Bob=x"]],
)  # fmt: skip
def test_a_group_without_its_form_or_a_name_of_two_people_is_refused(groups):
    with pytest.raises(ValueError, match=r"does not look like|cannot be both"):
        Aliases(groups)


def test_a_group_may_be_given_in_parts():
    assert Aliases(["Bob=x", "Bob=y,X"]).target("Y") == "Bob"
