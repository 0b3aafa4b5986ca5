"""Telegram pages that others wrote give what is known of them."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from exporters import find_exporter
from exporters.sources import Reading, sources_in
from likeness.messages import Message, Notice

ZONE = "America/Los_Angeles"
CASES = "basic", "service", "forwarded", "photo", "voice"


def read(path):
    (source,) = sources_in(path, path.name)
    exporter = find_exporter(source)
    assert exporter is not None
    reading = Reading(ZoneInfo(ZONE))
    return exporter, list(exporter.read(source, reading)), reading


def messages(records):
    return [record for record in records if isinstance(record, Message)]


def test_the_page_and_the_json_of_one_chat_tell_the_same(shared):
    found = {}
    for form in ("html_messages.html", "json_result.json"):
        path = shared / f"fixtures/telegram/langchain-community__telegram_chat_{form}"
        exporter, records, reading = read(path)
        said = [(m.id, m.speaker, m.text, m.sent_at) for m in messages(records)]
        ((owner, why),) = reading.owner.values()
        names = {m.speaker_id: m.speaker for m in messages(records)}
        found[exporter.name] = said, names[owner], why
    html, result = found.values()
    assert len(found) == 2
    assert html == result


def test_two_pages_are_one_chat(shared):
    folder = shared / "fixtures" / "telegram" / "tg2notebooklm__two_pages"
    said = [
        m for name in ("messages.html", "messages2.html") for m in messages(read(folder / name)[1])
    ]
    assert [m.id for m in said] == ["10", "11", "12", "13"]
    assert [m.speaker for m in said] == ["Alice", "Alice", "Bob", "Bob"]
    assert [m.reply_to for m in said] == [None, "10", None, None]
    assert [m.kind for m in said] == ["text", "text", "forwarded", "media"]
    assert {m.chat for m in said} == {"Research chat"}
    assert len({m.chat_id for m in said}) == 1


@pytest.mark.parametrize("name", CASES)
def test_a_page_of_another_tools_tests_gives_what_those_expect(shared, tmp_path, name):
    path = shared / "fixtures" / "telegram" / "Telegram-Archive__inline-html.shared.jsonl"
    cases = {case["id"]: case for case in map(json.loads, path.read_text("utf-8").splitlines())}
    case = cases[f"ta-{name}"]
    page = tmp_path / case["filename"]
    page.write_text(case["text"], "utf-8")
    _, records, _ = read(page)
    said, expect = messages(records), case["expect"]
    assert len(records) == expect["messages"]
    if expect.get("types") == ["service"]:
        assert records == [Notice("service message")]
    told = {
        "ids": [int(m.id) for m in said],
        "authors": [m.speaker for m in said],
        "texts": [m.text for m in said],
        "chat": said[0].chat if said else None,
        "times_local": [f"{_local(m, case['text']):%Y-%m-%dT%H:%M:%S}" for m in said],
    }
    assert {key: told[key] for key in told if key in expect} == {
        key: expect[key] for key in told if key in expect
    }
    if "forwarded_from" in expect:
        assert [m.kind for m in said] == ["forwarded"]
    if {"photo", "media"} & expect.keys():
        assert [m.kind for m in said] == ["media"]


def _local(message: Message, page: str) -> datetime:
    """Return the clock time of a message in the zone that its page tells."""
    zone = ZoneInfo("Etc/GMT-2") if "UTC+02:00" in page else ZoneInfo(ZONE)
    return message.sent_at.astimezone(UTC).astimezone(zone)
