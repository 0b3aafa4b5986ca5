"""The workshop's rows, both ways, as its scripts see them."""

import io
import json
from dataclasses import replace
from datetime import UTC

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.rows import ROWS, write_rows
from exporters.sources import Reading, sources_in


def read(path):
    (source,) = sources_in(path, path.name)
    assert ROWS.recognises(source)
    return list(ROWS.read(source, Reading(UTC)))


def written(messages):
    file = io.StringIO()
    write_rows(messages, file)
    return file.getvalue()


def as_the_workshop_reads(text):
    """Group and sort the way of its `read_conversation_data`."""
    frame = pd.read_json(io.StringIO(text))
    return {
        name: list(
            zip(
                chat.sort_values("timestamp").senderName,
                chat.sort_values("timestamp").text,
                strict=True,
            )
        )
        for name, chat in frame.groupby("conversationWithName")
    }


@pytest.mark.parametrize("name", ["barack_obama", "vladimir_putin"])
def test_the_workshop_groups_and_orders_what_we_write_like_the_original_file(shared, name):
    path = shared / "data" / "workshop-interviews" / f"{name}_interviews.json"
    groups = {}
    for row in json.loads(path.read_text("utf-8")):
        said = row["senderName"], row["text"]
        groups.setdefault(row["conversationWithName"], []).append(said)
    assert as_the_workshop_reads(written(read(path))) == groups


def test_equal_times_keep_their_order_however_many(say):
    said = [say("Ann", f"t{number:03}", after=0) for number in range(500)]
    (chat,) = as_the_workshop_reads(written(said)).values()
    assert [text for _, text in chat] == [message.text for message in said]


def test_no_message_is_an_empty_array():
    assert json.loads(written([])) == []


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@given(st.lists(st.tuples(texts, st.booleans(), st.integers(0, 2))))
def test_rows_written_and_read_again_are_the_same_words(tmp_path_factory, said):
    from tests.conftest import BEGINNING, Message  # the fixture would outlive an example

    messages = [
        Message("test", "1", "Ann", str(number), str(mine), str(mine), mine, BEGINNING, text)
        for number, (text, mine, _) in enumerate(said)
    ]
    path = tmp_path_factory.mktemp("rows") / "rows.json"
    path.write_text(written(messages), "utf-8")
    if not messages:
        return
    again = read(path)
    plain = [replace(message, id="", sent_at=BEGINNING) for message in again]
    assert plain == [replace(message, id="") for message in messages]
    assert len({message.id for message in again}) == len(messages)


def test_reading_the_same_rows_again_gives_the_same_ids(say, tmp_path):
    said = [say("Ann", "ok", after=0), say("Ann", "ok", after=0), say("me", "ok", after=0)]
    (tmp_path / "a.json").write_text(written(said), "utf-8")
    first = read(tmp_path / "a.json")
    (tmp_path / "b.json").write_text(written(said[:2]), "utf-8")
    assert read(tmp_path / "b.json") == first[:2]
