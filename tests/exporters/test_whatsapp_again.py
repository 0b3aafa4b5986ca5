"""Exports of one chat of WhatsApp tell of the same messages, from whatever phone they come."""

import json
from datetime import UTC

import pytest

from exporters.options import ExportOptions
from exporters.run import export

SAID = [
    ("14:56:05", "Ann", "ok"),
    ("14:56:21", "Juno", "ok"),
    ("14:56:40", "Ann", "ok"),
    ("14:57:00", "Ann", "so?"),
    ("14:57:30", "Juno", "later"),
    ("14:58:12", "Ann", "ok"),
]


def android(said=SAID, me="Juno"):
    names = {"Ann": "Ann", "Juno": me}
    return "".join(f"13/03/2022, {at[:5]} - {names[who]}: {text}\n" for at, who, text in said)


def iphone(said=SAID):
    return "".join(f"[13/03/2022, {at}] {who}: {text}\r\n" for at, who, text in said)


def exported(folder, *texts, me=("Juno",)):
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / str(number) / "WhatsApp Chat with Ann.txt")
        paths[-1].parent.mkdir()
        paths[-1].write_text(text, "utf-8", newline="")
    account = export(paths, folder / "out", ExportOptions(UTC, "UTC", me))
    lines = (folder / "out").read_text("utf-8").splitlines()
    return account, [json.loads(line) for line in lines]


def told(messages):
    return [(line["sent_at"][11:19], line["speaker"], line["text"]) for line in messages]


@pytest.mark.parametrize("order", [1, -1])
def test_a_phone_that_writes_no_seconds_tells_of_the_same_messages(tmp_path, order):
    account, found = exported(tmp_path, *[android(), iphone()][::order])
    assert told(found) == SAID
    assert not any("name" in remark for source in account.sources for remark in source.remarks)


@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_an_export_without_seconds_that_begins_within_a_minute_keeps_its_order(tmp_path, first):
    _, found = exported(tmp_path, iphone(SAID[:4]), android(SAID[first:]))
    assert [text for *_, text in told(found)] == [text for *_, text in SAID]


def test_who_was_renamed_is_not_another_one(tmp_path):
    texts = android(), android([*SAID, SAID[-1]], me="Juno Vale")
    _, found = exported(tmp_path, *texts, me=("Juno", "Juno Vale"))
    assert len(found) == len(SAID) + 1
    assert {(line["speaker"], line["outgoing"]) for line in found} == {
        ("Ann", False),
        ("Juno Vale", True),
    }


def test_equal_words_of_a_minute_keep_their_speakers_where_an_export_begins_within_it(tmp_path):
    said = [("14:55:00", "Ann", "hi"), ("14:56:00", "Ann", "ok"), ("14:56:00", "Juno", "ok")]
    newer = [said[-1], ("14:57:00", "Juno", "later")]
    _, found = exported(tmp_path, android(said), android(newer))
    assert told(found) == [*said, newer[-1]]
    assert [line["outgoing"] for line in found] == [False, False, True, True]
