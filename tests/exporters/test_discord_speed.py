"""Discord's messages read many at once are those that are read one by one."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters import find_exporter
from exporters.discord import DISCORD, _Channel
from exporters.selection import Selection
from exporters.sources import sources_in
from tests.examples import examples
from tests.exporters.test_blocks import told, written

pytestmark = pytest.mark.slow

SAMPLES = sorted((Path(__file__).parent / "samples" / "discord").glob("*.json"))
ANN = {"id": "5", "name": "ann", "nickname": "Ann", "isBot": False, "roles": []}
BO = {"id": "6", "name": "bo", "nickname": "", "roles": [{"id": "9", "name": "Crew"}]}
TIMES = ["2024-01-02T03:04:05.6+01:00", "2024-01-02T03:04:05+00:00", "2024-01-02T03:04", "soon"]
MORE_TIMES = [
    "2024-01-02T03:04:05.1234567+05:30", "2024-12-31T23:59:59.999-07:00", "2024-02-30T03:04:05Z",
    "2024-W01-1T03:04:05+00:00", "0001-01-01T00:00:00+14:00", "2024-01-02T24:00:00+00:00", "",
    "2024-01-02T03:04:05,5+00:00", "2024-01-02T03:04:60+00:00", "2024-01-02T03:04:05+00:00:01",
]  # fmt: skip

words = st.sampled_from(["", "hello", "<@5> and <@&9>", "\ud83e", "🦊", 'a "b"\n', "<t:0>"])
entries = st.fixed_dictionaries(
    {
        "id": st.integers(1, 6).map(str) | st.just(""),
        "type": st.sampled_from(["Default"] * 6 + ["Reply", "Call", "20", "?"]),
        "timestamp": st.sampled_from(TIMES[:2] * 8 + TIMES + MORE_TIMES),
        "content": words,
        "author": st.sampled_from([ANN, BO, ANN | {"isBot": True}, {"id": "7"}]),
    },
    optional={
        "timestampEdited": st.sampled_from([None, *TIMES]),
        "attachments": st.sampled_from([[], [{}]]),
        "mentions": st.sampled_from([[], [BO], 3]),
        "forwardedMessage": st.just({"content": "of another"}),
        "reference": st.sampled_from([{"messageId": "1"}, {"messageId": "1", "channelId": "2"}]),
    },
)


def laid_out(messages):
    place = {"guild": {"id": "0"}, "channel": {"id": "1", "type": "DirectTextChat", "name": "Bo"}}
    return json.dumps(place | {"messages": messages}, indent=2)


def agree(path):
    found, count = told(path, blocks=True, exporter=DISCORD)
    assert found == told(path, blocks=False, exporter=DISCORD)[0]
    return count


@given(st.lists(entries, max_size=12), st.data())
@settings(max_examples=examples(80), deadline=None)
def test_any_channel_is_read_as_one_by_one(tmp_path_factory, messages, data):
    whole = laid_out(messages)
    path = tmp_path_factory.mktemp("channel") / "channel.json"
    end = data.draw(st.just(len(whole)) | st.integers(1, len(whole)))
    path.write_text(whole[:end], encoding="utf-8")
    agree(path)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_read_as_one_by_one(path):
    agree(path)


def test_exports_of_others_are_read_as_one_by_one(shared):
    read = 0
    for path in sorted((shared / "fixtures" / "discord").glob("*.json")):
        (source,) = sources_in(path, path.name)
        if find_exporter(source) is DISCORD:
            agree(path)
            read += 1
    assert read > 2


def test_a_long_channel_comes_in_blocks(tmp_path):
    entry = {"type": "Default", "timestamp": TIMES[1], "content": "words " * 50, "author": ANN}
    path = tmp_path / "channel.json"
    path.write_text(laid_out([entry | {"id": str(number)} for number in range(1, 2000)]), "utf-8")
    assert agree(path) > 5


@given(st.lists(entries, max_size=12), st.sampled_from(["Ann", "bo", "5"]))
@settings(max_examples=examples(40), deadline=None)
def test_the_whole_export_is_the_same_one_by_one(tmp_path_factory, messages, me):
    folder = tmp_path_factory.mktemp("whole")
    (folder / "in").mkdir()
    (folder / "in" / "channel.json").write_text(laid_out(messages), encoding="utf-8")
    ever = Selection(since=datetime(1, 1, 1, tzinfo=UTC))
    assert written(folder, (me,)) == written(folder, (me,), selection=ever)


def test_nearly_all_of_a_channel_is_read_without_a_look_at_each(tmp_path, monkeypatch):
    slow = []
    record = _Channel.record
    monkeypatch.setattr(_Channel, "record", lambda *told: slow.append(1) or record(*told))
    entry = {"type": "Default", "timestamp": TIMES[0], "content": "words", "author": ANN}
    more = {"mentions": [BO], "reference": {"messageId": "1"}, "attachments": [{"id": "1"}]}
    path = tmp_path / "channel.json"
    messages = [entry | {"id": f"1{number}"} | more for number in range(300)]
    path.write_text(laid_out(messages), encoding="utf-8")
    told(path, blocks=True, exporter=DISCORD)
    assert not slow
