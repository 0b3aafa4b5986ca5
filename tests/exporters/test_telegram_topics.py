"""The topics of a forum are told from the answers alone."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.telegram_topics import Topics
from likeness.messages import Message
from tests.examples import examples


def forum():
    return Topics()


def created(number, title="T"):
    return {"id": number, "type": "service", "action": "topic_created", "title": title}


def answer(number, to=None):
    return {"id": number, "type": "message", "reply_to_message_id": to}


def placed(topics, number, reply_to=None):
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    reply = None if reply_to is None else str(reply_to)
    told = ("telegram", "channel5", "Boat", str(number), "u", "U", None, moment, "t", reply)
    return topics.placed(Message(*told))


def read(topics, *entries):
    for entry in entries:
        topics.note(entry)
        yield placed(topics, entry["id"], entry.get("reply_to_message_id"))


def test_an_answer_to_an_answer_stands_in_its_topic():
    first, second = list(read(forum(), created(1, "Sails"), answer(2, 1), answer(3, 2)))[1:]
    assert (first.chat_id, first.chat) == (second.chat_id, second.chat)
    assert (first.chat_id, first.chat) == ("channel5/1", "Boat / Sails")


def test_standing_in_a_topic_is_no_answer():
    first, second = list(read(forum(), created(1), answer(2, 1), answer(3, 2)))[1:]
    assert (first.reply_to, second.reply_to) == (None, "2")


def test_what_answers_no_topic_stays_in_the_group():
    records = list(read(forum(), answer(1), created(2), answer(3), answer(4, 1), answer(5, 99)))
    assert {record.chat_id for record in records if record.id != "2"} == {"channel5"}


def test_an_answer_to_another_chat_says_nothing_of_a_topic():
    topics = forum()
    list(read(topics, created(1), {**answer(2, 1), "reply_to_peer_id": "channel9"}))
    assert placed(topics, 2).chat_id == "channel5"


def test_a_topic_without_a_title_is_called_by_its_number():
    assert list(read(forum(), created(7, None), answer(8, 7)))[1].chat == "Boat / 7"


def test_what_is_no_entry_of_the_app_is_passed_over():
    topics = forum()
    for entry in (7, None, {"id": "x"}, {"id": 10**30, "action": "topic_created"}, created(None)):
        topics.note(entry)
    assert placed(topics, 1).chat_id == "channel5"


@settings(max_examples=examples(60))
@given(st.permutations(range(2, 12)), st.data())
def test_order_of_ids_makes_no_difference(order, data):
    topics = forum()
    expected = {1: 1}
    topics.note(created(1))
    for number in order:
        to = data.draw(st.sampled_from([None, *expected]))
        topics.note(answer(number, to))
        if to is not None:
            expected[number] = 1
    for number in order:
        where = "channel5/1" if number in expected else "channel5"
        assert placed(topics, number).chat_id == where
