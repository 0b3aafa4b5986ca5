"""What of Signal's exports a person wrote, and what the tools put around it."""

import json
from datetime import UTC, datetime
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest

from exporters.signal import SIGNAL
from exporters.sources import Reading, sources_in
from exporters.whatsapp import WHATSAPP
from likeness.messages import Notice, Rejected

HEAD = "[2024-05-01 10:00:00] Me: "


@pytest.fixture
def source(tmp_path):
    """Return a function that writes a file into the folder of a chat."""

    def source(text, name="chat.md"):
        path = tmp_path / "Noor" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        (found,) = sources_in(path, path.name)
        return found

    return source


def read(source, zone=UTC):
    reading = Reading(zone)
    return list(SIGNAL.read(source, reading)), reading


def row(**other):
    told = {"date": "2024-05-01T10:00:00", "sender": "Me", "body": "hi  ", "quote": ""}
    return {**told, "sticker": None, "reactions": [], "attachments": [], **other}


@pytest.mark.parametrize(
    ("body", "text", "kind"),
    [
        ("nine, surely  ", "nine, surely", "text"),
        ("a\nb  ", "a\nb", "text"),
        ("\n\n> said before\n> by another\n\nnine  ", "nine", "text"),
        ("\n>\n> said before\n>\nnine  ", "nine", "text"),
        ("> typed by me  ", "> typed by me", "text"),
        ("nine  \n(- Noor: ❤, Me: 👍 -)", "nine", "text"),
        ("one (- two -)  ", "one (- two -)", "text"),
        ("the quay  ![a (1).jpg](./media/a%20(1).jpg)  ", "the quay", "media"),
        ("  [a.pdf](./media/a.pdf)  ![b[2].jpg](./media/b[2].jpg)  ", "", "media"),
        ("nine  \n(- Noor: ❤ -)![a.jpg](./media/a.jpg)  ", "nine", "media"),
        ("see [here](https://example.org)  ", "see [here](https://example.org)", "text"),
        ("  (media not exported)  ", "", "media"),
        ("look  (attachment not exported)  ", "look", "media"),
        ("  \n(( 🦀 ))", "🦀", "media"),
        ("  [🌊](../exported_stickers/ab/3.webp)  ", "🌊", "media"),
        ("(This message was deleted)", "", "deleted"),
    ],
)
def test_of_a_markdown_entry_the_words_stay(source, body, text, kind):
    (message,), _ = read(source(f"{HEAD}{body}\n\n"))
    assert (message.text, message.kind, message.outgoing) == (text, kind, True)


@pytest.mark.parametrize(
    "call",
    ["Incoming call", "Missed video call", "Outgoing voice call (unanswered)",
     "Incoming voice call (accepted, 3m 2s)"],
)  # fmt: skip
def test_a_call_is_a_notice(source, call):
    assert read(source(f"{HEAD}{call}  \n"))[0] == [Notice("call")]
    assert read(source(json.dumps(row(body=call, call=True)), "data.json"))[0] == [Notice("call")]


def test_a_person_may_write_of_calls(source):
    ((message,), _) = read(source(json.dumps(row(body="Missed call", call=False)), "data.json"))
    assert message.text == "Missed call"


@pytest.mark.parametrize(
    ("change", "text", "kind"),
    [
        ({}, "hi", "text"),
        (
            {"quote": "\n\n> said before\n\n", "reactions": [{"name": "A", "emoji": "❤"}]},
            "hi",
            "text",
        ),
        ({"body": "  ", "attachments": [{"name": "a.jpg", "path": "media/a.jpg"}]}, "", "media"),
        ({"body": "  ", "sticker": {"emoji": "🦀", "packId": "p"}}, "🦀", "media"),
        ({"deleted": True}, "", "deleted"),
    ],
)
def test_of_a_json_line_the_words_stay(source, change, text, kind):
    ((message,), _) = read(source(json.dumps(row(**change)), "data.json"))
    assert (message.text, message.kind) == (text, kind)


@pytest.mark.parametrize("sender", ["Noor", "No-Sender"])
def test_an_entry_without_words_is_a_notice(source, sender):
    line = json.dumps(row(sender=sender, body="  "))
    assert read(source(line, "data.json"))[0] == [Notice("event without words")]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"date": 7}',
        json.dumps(row(date="noon")),
        json.dumps(row(sender="")),
        "[" * 9999,
    ],
)
def test_a_line_of_a_wrong_shape_is_rejected_and_the_next_is_read(source, line):
    good = json.dumps(row())
    records, _ = read(source(f"{good}\n{line}\n\n{good}\n", "data.json"))
    assert [type(record) is Rejected for record in records] == [False, True, False]
    assert records[1].where == "line 2"


def test_markdown_gives_way_to_the_json_beside_it(source, tmp_path):
    markdown = source(f"{HEAD}hi  \n")
    assert SIGNAL.recognises(markdown)
    assert SIGNAL.recognises(source(json.dumps(row()), "data.json"))
    assert not SIGNAL.recognises(markdown)
    with ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("x/Noor/chat.md", f"{HEAD}hi  \n")
        archive.writestr("x/Noor/data.json", json.dumps(row()))
    inside = sources_in(tmp_path / "all.zip", "all.zip")
    assert [SIGNAL.recognises(one) for one in inside] == [False, True]


def test_both_forms_of_a_chat_give_the_same_ids(source):
    ((first,), _) = read(source("[2024-05-01 10:00:00] Me: hi  \n"))
    ((second,), _) = read(source(json.dumps(row(date="2024-05-01T10:00:00.250000")), "data.json"))
    assert (first.id, first.chat_id, first.chat) == (second.id, second.chat_id, "Noor")


@pytest.mark.parametrize(
    "head",
    ["[2019-05-29, 15:04] Aya:", "[2019-05-29, 15:04] Me:", "[2019-05-29 15:04] Me:",
     "[2019-05-29, 15:04:05] Me:", "[2019-05-29 15:04:05] Me:"],
)  # fmt: skip
def test_the_heads_of_all_versions_are_known_and_not_of_whatsapp(source, head):
    text = source(f"{head} hi\n{head} there\n", "export.txt")
    assert SIGNAL.recognises(text)
    assert not WHATSAPP.recognises(text)
    records, _ = read(text)
    assert [record.text for record in records] == ["hi", "there"]


@pytest.mark.parametrize(
    "text",
    [
        "[2024-05-01 10:00:00] INFO: started\n[2024-05-01 10:00:00] ERROR: stopped\n",
        "[2024-05-01, 10:00] INFO: started\n",
        "[2024-05-01 10:00:00] Aya: hi\n",
        "Some words.\n[2024-05-01, 10:00] Me: hi\n",
        "[01.05.24, 10:00:00] Me: hi\n",
        '{"date": "2024-05-01", "sender": "Me", "body": "hi"}\n',
    ],
)
def test_what_only_resembles_it_is_left_alone(source, text):
    assert not SIGNAL.recognises(source(text, "notes.txt"))


def test_without_a_mark_in_every_entry_me_is_evidence(source):
    records, reading = read(
        source("[2019-05-29, 15:04] Me: hi\n[2019-05-29, 15:04] Aya: hi\n", "x.txt")
    )
    assert [record.outgoing for record in records] == [None, None]
    assert reading.owner["x"][0] == "Me"


def test_times_are_of_the_given_zone(source):
    ((message,), _) = read(source(f"{HEAD}hi  \n"), ZoneInfo("Europe/Berlin"))
    assert message.sent_at == datetime(2024, 5, 1, 8, tzinfo=UTC)


def test_a_date_that_is_none_is_rejected(source):
    records, _ = read(source(f"[2024-13-01 10:00:00] Me: hi\n{HEAD}there\n"))
    assert records[0] == Rejected("line 1", "it has no date that can be read")
    assert records[1].text == "there"
