"""Damage to the exports of any app gives records or one sentence, never a fault, never a hang."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters import Exporter
from exporters.imessage import IMESSAGE
from exporters.imessage_text import IMESSAGE_TEXT
from exporters.messenger import MESSENGER
from exporters.signal import SIGNAL
from exporters.slack import SLACK
from exporters.sources import Reading, sources_in
from exporters.spool import mended
from likeness.errors import SourceError
from likeness.messages import Message, Notice, Record, Rejected
from tests.examples import examples

SAMPLES = Path(__file__).parent / "samples"
EXPORTS = {
    "messenger/download/messages/inbox/noor_77/message_1.json": MESSENGER,
    "messenger/encrypted/Bea_12.json": MESSENGER,
    "signal/folders/Noor/chat.md": SIGNAL,
    "signal/folders/Quay crew/data.json": SIGNAL,
    "imessage/backup.sqlite": IMESSAGE,
    "imessage/+4915550001.txt": IMESSAGE_TEXT,
    "slack/workspace/pier/2024-05-01.json": SLACK,
    "slack/dump.json": SLACK,
}

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5),
    st.sampled_from([[], {}, [None], [[]], {"a": []}, "1e999", 10**30, "\ud800", " ", "\0"]),
)  # fmt: skip
"""What the app never writes in that place."""


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Draw an export that is cut, or parts of which are swapped, lost or overwritten."""
    at, end = sorted(draw(st.lists(st.integers(0, len(whole)), min_size=2, max_size=2)))
    how = draw(st.sampled_from(["cut", "lost", "swapped", "overwritten"]))
    if how == "cut":
        return whole[:end]
    if how == "lost":
        return whole[:at] + whole[end:]
    if how == "swapped":
        return whole[:at] + whole[end:] + whole[at:end]
    noise = draw(st.binary(min_size=1, max_size=40))
    return whole[:at] + noise + whole[at + len(noise) :]


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTS)
@given(data=st.data())
@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_damage_gives_records_or_one_sentence(tmp_path, name, data):
    path = tmp_path / Path(name).name
    path.write_bytes(data.draw(damaged((SAMPLES / name).read_bytes())))
    read(path, EXPORTS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EXPORTS if name.endswith(".json")])
@given(data=st.data())
@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_value_of_a_wrong_kind_is_rejected_at_most(tmp_path, name, data):
    lines = (SAMPLES / name).read_text("utf-8-sig").splitlines()
    texts = lines[:-1] if name.endswith("data.json") else ["".join(lines)]
    wholes = [json.loads(text) for text in texts]
    for _ in range(3):
        holder, key = data.draw(st.sampled_from(list(places(wholes))))
        holder[key] = deepcopy(data.draw(ODD))
    path = tmp_path / Path(name).name
    path.write_text("\n".join(map(json.dumps, wholes)))
    read(path, EXPORTS[name])


@pytest.mark.slow
@given(data=st.data())
@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_odd_lists_around_a_day_do_not_matter(tmp_path, data):
    for file in ("users.json", "dms.json", "channels.json"):
        whole = json.loads((SAMPLES / "slack/workspace" / file).read_text("utf-8"))
        holder, key = data.draw(st.sampled_from(list(places(whole))))
        holder[key] = deepcopy(data.draw(ODD))
        (tmp_path / file).write_text(json.dumps(whole))
    day = (SAMPLES / "slack/workspace/pier/2024-05-01.json").read_bytes()
    (tmp_path / "pier").mkdir(exist_ok=True)
    (tmp_path / "pier/day.json").write_bytes(day)
    assert read(tmp_path / "pier/day.json", SLACK) == 12


def places(whole: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a value in a JSON document, as what holds it and its key there."""
    keys = whole if isinstance(whole, dict) else range(len(whole))
    for key in keys:
        yield whole, key
        if isinstance(whole[key], dict | list):
            yield from places(whole[key])


def read(path: Path, exporter: Exporter) -> int:
    """Read a file if it is recognised, check all that comes of it, and return how many."""
    count, sentence = 0, ""
    for source in sources_in(path, path.name):
        if exporter.recognises(source):
            try:
                for record in exporter.read(source, Reading(UTC)):
                    count += 1
                    check(record)
            except SourceError as error:
                sentence = str(error)
    assert not sentence or (sentence.startswith(path.name) and "\n" not in sentence)
    return count


def check(record: Record) -> None:
    assert isinstance(record, Message | Notice | Rejected)
    if isinstance(record, Message):
        Message.from_json(mended(record).to_json().encode())
        assert record.id
        assert record.chat_id
        assert record.speaker_id


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTS)
@given(data=st.binary(max_size=300).filter(lambda data: not data.startswith(b"PK")))
@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_random_bytes_are_of_no_app(tmp_path, name, data):
    path = tmp_path / Path(name).name
    path.write_bytes(data)
    for source in sources_in(path, path.name):
        assert not EXPORTS[name].recognises(source)
