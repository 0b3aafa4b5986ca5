"""Conversations written as the apps export them are read back message for message."""

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from exporters.options import ExportOptions
from exporters.run import export
from likeness.files import read_messages

TURNS = 700
CORPORA = [
    "crd3", "dailydialog", "group-chat-with-times", "self-dialogue", "sgd", "taskmaster",
    "topical-chat", "ubuntu-irc",
]  # fmt: skip
BEGINNING = datetime(2023, 11, 14, 22, 14, 20, tzinfo=UTC)
# So WhatsApp writes a file that was left out, in whatever language: nothing tells it from words.
OMITTED = re.compile(r"<[^<>\n/]+ [^<>\n/]+>")
EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def half(moment, words=("AM", "PM")):
    return f"{(moment.hour + 11) % 12 + 1}:{moment:%M} {words[moment.hour >= 12]}"


HEADS = {
    "day/month/year, 24 h": lambda m: f"{m:%d/%m/%Y, %H:%M} - ",
    "month/day/yy, 12 h": lambda m: f"{m.month}/{m.day}/{m:%y}, {half(m)} - ",
    "month/day/yy, 12 h, narrow blank": lambda m: f"{m.month}/{m.day}/{m:%y}, {half(m)} - ".replace(
        " AM", "\u202fAM"
    ).replace(" PM", "\u202fPM"),
    "day/month/year, small am and pm": lambda m: f"{m:%d/%m/%Y}, {half(m, ('am', 'pm'))} - ",
    "day.month.yy": lambda m: f"{m:%d.%m.%y, %H:%M} - ",
    "day-month-year without comma": lambda m: f"{m:%d-%m-%Y %H:%M} - ",
    "year-month-day": lambda m: f"{m:%Y-%m-%d, %H:%M} - ",
    "year/month/day": lambda m: f"{m:%Y/%m/%d %H:%M} - ",
    "unpadded day/month/yy": lambda m: f"{m.day}/{m.month}/{m:%y} {m.hour}:{m:%M} - ",
    "the Buddhist year": lambda m: f"{m.day}/{m.month}/{m.year + 543} {m:%H:%M} - ",
    "the time first": lambda m: f"{m:%H:%M, %d/%m/%Y} - ",
    "Arabic digits": lambda m: f"{m:%d/%m/%Y، %H:%M} - ".translate(EASTERN),
    "year, month and day in Chinese": lambda m: f"{m.year}年{m.month}月{m.day}日 {m:%H:%M} - ",
    "iOS, day/month/year": lambda m: f"[{m:%d/%m/%Y, %H:%M:%S}] ",
    "iOS, day.month.yy": lambda m: f"[{m:%d.%m.%y, %H:%M:%S}] ",
    "iOS, month/day/yy": lambda m: (
        f"[{m.month}/{m.day}/{m:%y}, {(m.hour + 11) % 12 + 1}:{m:%M:%S %p}] "
    ),
    "iOS, year-month-day": lambda m: f"[{m:%Y-%m-%d, %H:%M:%S}] ",
}


def turns(shared, name):
    """Return who said what and when; where a corpus tells no time, at an invented one."""
    path = shared / "data" / "corpora" / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{name} is not beside this checkout")
    found, moment = [], BEGINNING
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, turn in enumerate(map(json.loads, islice(lines, TURNS))):
            text = re.sub(r"\r\n?", "\n", turn["text"]).strip()
            if text:
                moment += timedelta(seconds=7 + number * 7919 % 4000)
                found.append((turn["speaker"], text, moment))
    return found


def read_back(path, tmp_path, me):
    out = tmp_path / "messages.jsonl"
    export([path], out, ExportOptions(UTC, "UTC", (me,)))
    return [(message.speaker, message.text, message.sent_at) for message in read_messages(out)]


def as_telegram(said):
    ids = {name: f"user{number}" for number, name in enumerate({name: 0 for name, *_ in said}, 1)}
    messages = [
        {
            "id": number,
            "type": "message",
            "date": f"{moment:%Y-%m-%dT%H:%M:%S}",
            "date_unixtime": str(int(moment.timestamp())),
            "from": name,
            "from_id": ids[name],
            "text": text,
            "text_entities": [{"type": "plain", "text": text}],
        }
        for number, (name, text, moment) in enumerate(said, 1)
    ]
    chat = {"name": "Harbour", "type": "private_group", "id": 4711, "messages": messages}
    return json.dumps(chat, ensure_ascii=False, indent=1)


def as_discord(said):
    ids = {name: str(10**17 + number) for number, name in enumerate({name for name, *_ in said})}
    messages = [
        {
            "id": str(10**18 + number),
            "type": "Default",
            "timestamp": moment.isoformat(),
            "timestampEdited": None,
            "callEndedTimestamp": None,
            "isPinned": False,
            "content": text,
            "author": {
                "id": ids[name],
                "name": name.lower(),
                "discriminator": "0000",
                "nickname": name,
                "isBot": False,
            },
            "attachments": [],
            "embeds": [],
            "stickers": [],
            "reactions": [],
            "mentions": [],
        }
        for number, (name, text, moment) in enumerate(said)
    ]
    export_ = {
        "guild": {"id": "900", "name": "Harbour", "iconUrl": ""},
        "channel": {"id": "901", "type": "GuildTextChat", "name": "pier", "topic": None},
        "dateRange": {"after": None, "before": None},
        "messages": messages,
        "messageCount": len(messages),
    }
    return json.dumps(export_, ensure_ascii=False, indent=2)


@pytest.mark.slow
@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("render", [as_telegram, as_discord])
def test_a_corpus_in_json_is_read_back(corpus, render, shared, tmp_path):
    said = turns(shared, corpus)
    path = tmp_path / "export.json"
    path.write_text(render(said), encoding="utf-8")
    assert read_back(path, tmp_path, said[0][0]) == said


@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS)
def test_corpora_in_whatsapp_text_are_read_back(head, shared, tmp_path):
    ios = head.startswith("iOS")
    for corpus in CORPORA:
        said = [turn for turn in turns(shared, corpus) if not OMITTED.fullmatch(turn[1])]
        lines = [f"{HEADS[head](moment)}{name}: {text}\n" for name, text, moment in said]
        path = tmp_path / "WhatsApp Chat with Harbour.txt"
        path.write_text("".join(lines), encoding="utf-8", newline="")
        whole = [
            (name, text, moment if ios else moment.replace(second=0)) for name, text, moment in said
        ]
        assert read_back(path, tmp_path, said[0][0]) == whole, corpus
