"""Many messages become one order, each once, in little memory."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters import flat
from exporters.ids import MadeIds
from exporters.merge import Merge
from exporters.spool import mended
from likeness.errors import LikenessError
from likeness.messages import Message
from tests.conftest import BEGINNING


def message(chat=0, seconds=0, id="1", text="t", platform="p"):  # noqa: A002
    moment = BEGINNING + timedelta(seconds=seconds)
    return Message(platform, str(chat), f"c{chat}", id, "a", "Ann", None, moment, text)


# An id tells the second, as in any export: copies differ in their words alone.
messages = st.builds(
    lambda number, **other: message(id=str(number), seconds=number % 7 - 3, **other),
    number=st.integers(0, 12),
    chat=st.integers(0, 3),
    text=st.text(),
    platform=st.sampled_from("pq"),
)


def merged(found, run_messages=3):
    with Merge(run_messages) as merge:
        for number, one in enumerate(found):
            merge.add(one, number % 2)
        remain = merge.settle()
        result = list(merge.messages())
        assert remain == Counter((one.platform, one.chat_id) for one in result)
        return result, merge.doubles


@given(st.lists(messages, max_size=60), st.integers(1, 40))
def test_the_order_is_by_chat_then_time_and_each_message_stands_once(found, run_messages):
    places = [(one.platform, one.chat_id) for one in found]
    chats = list(dict.fromkeys(places))
    last = {(*place, one.id): one for place, one in zip(places, found, strict=True)}
    result, doubles = merged(found, run_messages)
    order = [(chats.index((one.platform, one.chat_id)), one.sent_at) for one in result]
    assert order == sorted(order)
    assert {(one.platform, one.chat_id, one.id): one for one in result} == last
    assert len(result) == len(last) == len(found) - doubles.total()


def test_what_an_earlier_copy_marks_as_mine_stays_mine():
    said = [replace(message(id=id_, seconds=int(id_)), outgoing=True) for id_ in "12"]
    later = [replace(message(id="1", seconds=1, text="edited"), speaker_id="b"), message(id="2")]
    result, _ = merged([said[0], later[0], said[1], replace(later[1], outgoing=False)])
    assert {one.text: one.outgoing for one in result} == {"edited": True, "t": False}


@given(st.lists(messages, max_size=60), st.integers(1, 40))
def test_messages_of_one_source_and_time_stay_in_its_order(found, run_messages):
    once = {(one.platform, one.chat_id, one.id): one for one in found}.values()
    with Merge(run_messages) as merge:
        for one in once:
            merge.add(one, 0)
        merge.settle()
        result = list(merge.messages())
    chats = list(dict.fromkeys((one.platform, one.chat_id) for one in once))
    key = lambda one: (chats.index((one.platform, one.chat_id)), one.sent_at)  # noqa: E731
    assert result == sorted(once, key=key)


def minute(said):
    """Return messages of one minute with the ids that exports make: words and count."""
    ids = MadeIds()
    return [message(id=ids.of(word), text=word) for word in said]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("missing", range(7))
@pytest.mark.parametrize("said", ["abaacba", "aaaaaaa", "abababa", "abcdefg"])
def test_exports_that_begin_or_end_within_a_minute_make_it_whole(said, missing, newest_first):
    for part in (said[missing:], said[: len(said) - missing]):
        sources = [minute(said), minute(part)]
        with Merge() as merge:
            for number, source in enumerate(sources[::-1] if newest_first else sources):
                for one in source:
                    merge.add(one, number)
            merge.settle()
            assert "".join(one.text for one in merge.messages()) == said
            assert merge.doubles.total() == len(part)


def test_two_parts_of_a_minute_make_it_whole():
    with Merge() as merge:
        for number, part in enumerate(("abc", "cdb")):
            for one in minute(part):
                merge.add(one, number)
        merge.settle()
        assert [one.text for one in merge.messages()] in (list("abcd"), list("acdb"))


def test_many_runs_are_merged_with_few_files(monkeypatch):
    monkeypatch.setattr(flat, "_MOST_RUNS", 3)
    found = [message(seconds=-number, id=str(number)) for number in range(100)]
    assert merged(found, run_messages=2)[0] == found[::-1]


def test_of_a_message_that_came_again_the_later_stays_and_its_source_is_not_charged():
    result, doubles = merged([message(text="first"), message(text="edited", seconds=9)])
    assert [one.text for one in result] == ["edited"]
    assert doubles == {0: 1}


def test_a_full_temporary_folder_is_told(monkeypatch):
    def no_room(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(flat.tempfile, "TemporaryFile", no_room)
    with pytest.raises(LikenessError, match="No space left on device"):
        merged([message(id=str(number)) for number in range(9)])


@given(st.text(st.characters(), max_size=20))
def test_whatever_a_text_holds_can_be_written(text):
    whole = mended(message(text=text)).text
    whole.encode()
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert whole == text


def test_two_halves_become_one_character():
    assert mended(message(text="\ud83e\udd8a \ud83e!")).text == "🦊 \ufffd!"
