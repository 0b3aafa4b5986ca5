import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import BadLine, UnknownVersion
from likeness.messages import KINDS, Message

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
MESSAGES = st.builds(
    Message,
    platform=TEXTS,
    chat_id=TEXTS,
    chat=TEXTS,
    id=TEXTS,
    speaker_id=TEXTS,
    speaker=TEXTS,
    outgoing=st.none() | st.booleans(),
    sent_at=st.datetimes(
        timezones=st.integers(-720, 720).map(lambda m: timezone(timedelta(minutes=m))),
        min_value=datetime(1990, 1, 1),  # noqa: DTZ001
    ),
    text=TEXTS,
    reply_to=st.none() | TEXTS,
    kind=st.sampled_from(sorted(KINDS)),
)

LINE = {
    "v": 1,
    "platform": "telegram",
    "chat_id": "4711",
    "chat": "Ann",
    "id": "12",
    "speaker_id": "user42",
    "speaker": "Ann",
    "outgoing": False,
    "sent_at": "2023-11-14T22:14:20+00:00",
    "text": "hi",
    "reply_to": "11",
    "kind": "text",
}


@given(MESSAGES)
def test_a_message_survives_its_line(message: Message):
    line = message.to_json()
    assert "\n" not in line
    assert Message.from_json(line) == message


def test_a_line_is_what_the_contract_says():
    message = Message.from_json(json.dumps(LINE))
    assert message.sent_at == datetime(2023, 11, 14, 22, 14, 20, tzinfo=UTC)
    assert json.loads(message.to_json()) == LINE


def test_an_optional_key_that_is_new_is_passed_over():
    assert Message.from_json(json.dumps(LINE | {"mood": "good"})).text == "hi"


def test_a_newer_version_is_refused():
    with pytest.raises(UnknownVersion, match=r"version 2.*update"):
        Message.from_json(json.dumps(LINE | {"v": 2}))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"v": None}, "export"),
        ({"text": 7}, '"text"'),
        ({"outgoing": "yes"}, '"outgoing"'),
        ({"sent_at": "yesterday"}, '"sent_at"'),
        ({"sent_at": "2023-11-14T22:14:20"}, "offset"),
        ({"sent_at": "0001-01-01T00:00:00+05:00"}, '"sent_at"'),
        ({"kind": "poem"}, '"kind"'),
        ({"kind": []}, '"kind"'),
        ({"reply_to": 11}, '"reply_to"'),
    ],
)
def test_a_wrong_value_is_named(change: dict[str, object], complaint: str):
    with pytest.raises(BadLine, match=complaint):
        Message.from_json(json.dumps(LINE | change))


@pytest.mark.parametrize("line", ["", "{", "[]", "7", "null", "[" * 100_000])
def test_what_is_no_object_is_refused(line: str):
    with pytest.raises(BadLine):
        Message.from_json(line)


def test_half_a_character_is_not_passed_on():
    message = Message.from_json(json.dumps(LINE | {"text": "hi \ud83d!", "chat_id": "\udc00"}))
    assert (message.text, message.chat_id) == ("hi \ufffd!", "\ufffd")


def test_a_time_without_a_zone_cannot_be_made():
    message = Message.from_json(json.dumps(LINE))
    with pytest.raises(ValueError, match="aware"):
        replace(message, sent_at=message.sent_at.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("kind", "text", "teaches", "shown"),
    [
        ("text", "hi", True, True),
        ("text", " ", False, False),
        ("media", "look!", True, True),
        ("media", "", False, False),
        ("forwarded", "hi", False, True),
        ("automated", "hi", False, False),
        ("deleted", "", False, False),
    ],
)
def test_only_my_own_words_teach(say, kind, text, teaches, shown):
    message = say("me", text, kind=kind)
    assert (message.teaches, message.shown) == (teaches, shown)
