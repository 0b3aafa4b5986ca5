"""The topics of a forum exported as HTML, whose pages tell of them together."""

import json
from dataclasses import replace
from datetime import UTC
from zipfile import ZipFile

from exporters import telegram_forum
from exporters.options import ExportOptions
from exporters.run import export
from exporters.sources import Source, sources_in
from likeness.errors import DamagedSource
from likeness.files import read_messages
from likeness.messages import Message, Notice
from tests.exporters.telegram_pages import message, page, read_pages, service, words


def topic(number, title):
    return service(number, f"Mira created topic &laquo;{title}&raquo;")


def answer(number, to, name="Mira", said="yes"):
    link = f'<a href="#go_to_message{to}" onclick="return GoToMessage({to})">this message</a>'
    return message(
        number, f'<div class="reply_to details">In reply to {link}</div>{words(said)}', name
    )


PAGES = {
    "messages.html": page(
        message(1, words("in general")),
        topic(2, "Knots &amp; ropes"),
        answer(3, 2, said="a bowline"),
        title="Boat",
    ),
    "messages2.html": page(
        answer(4, 3, name="Jon", said="a hitch"), topic(5, "Food"), answer(6, 5), title="Boat"
    ),
    "messages10.html": page(answer(7, 6, name="Jon", said="soup"), message(8), title="Boat"),
}


def told(records):
    return [
        (record.id, record.chat, record.reply_to)
        for record in records
        if isinstance(record, Message)
    ]


def test_a_message_stands_in_the_topic_that_it_answers_on_whatever_page(tmp_path):
    records, _ = read_pages(tmp_path, PAGES)
    assert sorted(told(records)) == [
        ("1", "Boat", None),
        ("3", "Boat / Knots & ropes", None),
        ("4", "Boat / Knots & ropes", "3"),
        ("6", "Boat / Food", None),
        ("7", "Boat / Food", "6"),
        ("8", "Boat", None),
    ]
    assert sum(isinstance(record, Notice) for record in records) == 2
    ids = {record.chat: record.chat_id for record in records if isinstance(record, Message)}
    assert ids["Boat / Food"] == f"{ids['Boat']}/5"


def test_pages_in_a_zip_tell_the_same(tmp_path):
    records, _ = read_pages(tmp_path / "plain", PAGES)
    zipped = tmp_path / "export.zip"
    with ZipFile(zipped, "w") as file:
        for name, content in PAGES.items():
            file.writestr(f"ChatExport/{name}", content)
    out = tmp_path / "messages.jsonl"
    export([zipped], out, ExportOptions(UTC, "UTC", ("Jon",)))
    assert {(m.id, m.chat) for m in read_messages(out)} == {
        (number, chat) for number, chat, _ in told(records)
    }


def test_each_of_two_exports_in_one_zip_tells_its_own_topics(tmp_path):
    grown = {"messages2.html": PAGES["messages2.html"]}
    with ZipFile(tmp_path / "both.zip", "w") as both:
        for name, more in (("a.zip", {}), ("b.zip", grown)):
            with ZipFile(tmp_path / name, "w") as file:
                for page_name, content in {"messages.html": PAGES["messages.html"], **more}.items():
                    file.writestr(page_name, content)
            both.write(tmp_path / name, name)
    out = tmp_path / "messages.jsonl"
    export([tmp_path / "both.zip"], out, ExportOptions(UTC, "UTC", ("Jon",)))
    assert {m.id: m.chat for m in read_messages(out)}["6"] == "Boat / Food"


def test_a_chat_without_topics_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(telegram_forum, "Page", None)  # with which all would be read once more
    records, _ = read_pages(tmp_path, {"messages.html": page(message(1), answer(2, 1))})
    assert told(records) == [("1", "Mira", None), ("2", "Mira", "1")]


def test_the_mark_is_found_between_two_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(telegram_forum, "_BLOCK_BYTES", 7)
    assert ("7", "Boat / Food", "6") in told(read_pages(tmp_path, PAGES)[0])


def test_a_page_that_cannot_be_read_costs_only_what_it_tells(tmp_path, monkeypatch):
    def broken(page):
        if "messages2" in page.name:
            raise DamagedSource("the disk does not give it")
        return opened(page)

    opened = Source.open
    records = read_pages(tmp_path / "whole", PAGES)[0]
    monkeypatch.setattr(Source, "open", broken)
    topics = telegram_forum.Forums().topics(page_of(tmp_path / "whole" / "messages.html"))
    monkeypatch.undo()
    placed = {
        record.id: topics.placed(replace(record, chat="Boat", chat_id="boat")).chat
        for record in records
        if isinstance(record, Message)
    }
    assert placed["3"] == "Boat / Knots & ropes"
    assert placed["7"] == "Boat"  # what it answers stood on the page that is lost


def page_of(path):
    (source,) = sources_in(path, path.name)
    return source


def test_what_the_json_lacks_goes_to_the_topic_where_it_belongs(tmp_path):
    def entry(number, said, to=None):
        when = {"date": "2024-07-14T09:00:00", "date_unixtime": "1720944000"}
        whole = {"id": number, "type": "message", "from": "Mira", "from_id": "user1", "text": said}
        return whole | when | ({"reply_to_message_id": to} if to else {})

    created = {
        "id": 5, "type": "service", "action": "topic_created", "title": "Food", "actor": "Mira",
        "date": "2024-07-14T09:00:00", "date_unixtime": "1720944000",
    }  # fmt: skip
    forum = {"name": "Boat", "type": "private_supergroup", "id": 77}
    told = {**forum, "messages": [entry(1, "in general"), created, entry(6, "yes", 5)]}
    read_pages(tmp_path / "pages", PAGES)
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "result.json").write_text(json.dumps(told), "utf-8")
    out = tmp_path / "messages.jsonl"
    export([tmp_path / "pages", tmp_path / "json"], out, ExportOptions(UTC, "UTC", ("Jon",)))
    assert sorted((one.id, one.chat_id) for one in read_messages(out)) == [
        ("1", "channel77"),
        ("3", "channel77/2"),
        ("4", "channel77/2"),
        ("6", "channel77/5"),
        ("7", "channel77/5"),
        ("8", "channel77"),
    ]
