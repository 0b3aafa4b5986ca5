"""Many messages become one order, each once, in little memory."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters import merge as module
from exporters.merge import Merge, mended
from likeness.errors import LikenessError
from likeness.messages import Message
from tests.conftest import BEGINNING


def message(chat=0, seconds=0, id="1", text="t", platform="p"):  # noqa: A002
    moment = BEGINNING + timedelta(seconds=seconds)
    return Message(platform, str(chat), f"c{chat}", id, "a", "Ann", None, moment, text)


messages = st.builds(
    message,
    chat=st.integers(0, 3),
    seconds=st.integers(-3, 3),
    id=st.integers(0, 12).map(str),
    text=st.text(),
    platform=st.sampled_from("pq"),
)


def merged(found, run_messages=3):
    with Merge(run_messages) as merge:
        for number, one in enumerate(found):
            merge.add(one, number % 2)
        return list(merge.messages()), merge.doubles


@given(st.lists(messages, max_size=60), st.integers(1, 40))
def test_the_order_is_by_chat_then_time_then_file_and_each_message_stands_once(found, run_messages):
    places = [(one.platform, one.chat_id) for one in found]
    chats = list(dict.fromkeys(places))
    last = {
        (*place, one.id): number
        for number, (place, one) in enumerate(zip(places, found, strict=True))
    }
    kept = sorted(
        last.values(),
        key=lambda number: (chats.index(places[number]), found[number].sent_at, number),
    )
    result, doubles = merged(found, run_messages)
    assert result == [found[number] for number in kept]
    assert doubles.total() == len(found) - len(kept)


def test_many_runs_are_merged_with_few_files(monkeypatch):
    monkeypatch.setattr(module, "_MOST_RUNS", 3)
    found = [message(seconds=-number, id=str(number)) for number in range(100)]
    assert merged(found, run_messages=2)[0] == found[::-1]


def test_of_a_message_that_came_again_the_later_stays_and_its_source_is_not_charged():
    result, doubles = merged([message(text="first"), message(text="edited", seconds=9)])
    assert [one.text for one in result] == ["edited"]
    assert doubles == {0: 1}


def test_a_full_temporary_folder_is_told(monkeypatch):
    def no_room(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.tempfile, "TemporaryFile", no_room)
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
