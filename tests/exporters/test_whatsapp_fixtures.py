"""WhatsApp exports that others wrote come out as their origins say.

Where the origins and the exporter count differently, or contradict each other:

- An origin's "messages" are entries, notices among them: here both are counted apart.
- The notice about encryption is a notice even behind a person's name: in `chatpack__whatsapp_us`
  Charlie, who said nothing else, is therefore no speaker; the origin filters it too.
- `Chatistics___chat_3` is month first for its origin. Its dates run backwards once in either
  order, so that they prove nothing, and the look of the head decides: month first.
- `ShortChat` is called day first with dates out of order. Read month first nothing is out of
  order, which is the stronger evidence; its origin asserts counts only.
- Trailing blank lines: one origin keeps them, another strips them. The app trims what is sent, so
  they are no part of a message and are stripped.
- A lone `3/4/24, 10:15 AM` is day first for one origin and month first for another: the look of
  the head says month first.
- `pustur-multiline-system` holds one notice and nothing that anybody wrote. Read as WhatsApp it
  gives that notice, but it is not claimed: a log with times looks the same.
"""

import json
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from exporters.sources import Reading, Source, sources_in
from exporters.whatsapp import WHATSAPP
from likeness.messages import Message, Notice, Record, Rejected

# file: text, media, deleted, notices, speakers, first message, last message
IOS = (4, 16, 2, 1, 2, "2022-03-27 21:41", "2022-03-27 21:56")
IOS_CODES = (4, 16, 2, 3, 2, "2022-03-27 21:41", "2022-03-27 21:56")
ANDROID = (15, 34, 8, 3, 2, "2022-03-18 14:56", "2022-03-27 21:56")
WHATSR = (37, 5, 0, 8, 5, "2018-01-29 12:24", "2018-01-30 00:23")
MINER = (7, 0, 0, 2, 5, "2019-01-01 11:25", "2021-12-30 22:01")
FORMAT = (4, 2, 0, 0, 3, "2024-12-10 14:30", "2024-12-10 14:36")
ASIDE = (3, 2, 0, 0, 2, "2024-12-10 14:30", "2024-12-10 14:36")
FILES = {
    "Chatistics___chat.txt": (20, 0, 0, 1, 2, "2018-01-04 11:53", "2019-04-19 16:18"),
    "Chatistics___chat_3.txt": (9, 0, 0, 2, 5, "2019-02-11 14:18", "2019-02-11 14:51"),
    "TLImporter__WhatsApp_Chat_Diego_short.txt": (
        (4, 0, 0, 0, 2, "2018-02-15 16:52", "2018-02-15 16:52")
    ),
    "WhatsR__englishandroid24h.txt": WHATSR,
    "WhatsR__englishandroidampm.txt": WHATSR,
    "WhatsR__englishiosampm.txt": WHATSR,
    "WhatsR__germanandroidampm.txt": WHATSR,
    "WhatsR__germanios24h.txt": (*WHATSR[:6], "2018-01-30 00:13"),
    "ai-clone-whatsapp__example_chat.txt": (
        (4, 0, 0, 1, 2, "2023-07-23 10:17", "2023-07-23 10:31")
    ),
    "chat-analytics__2A_5M.txt": (4, 1, 0, 0, 2, "2021-01-01 12:00", "2021-01-01 12:02"),
    "chat-export__android_LunchClub.txt": (5, 5, 0, 1, 3, "2024-02-05 09:01", "2024-02-08 12:01"),
    "chat-export__ios_TariqHaddad_chat.txt": (
        (3, 2, 0, 1, 2, "2024-02-05 09:01", "2024-02-06 20:16")
    ),
    "chat-miner__test_ddmmyy_24hrs.txt": MINER,
    "chat-miner__test_mmddyy_24hrs.txt": MINER,
    "chat-miner__test_mmddyyyy_12hrs.txt": MINER,
    "chatpack-cli__whatsapp_export.txt": (7, 0, 0, 0, 2, "2024-01-15 10:30", "2024-03-10 09:15"),
    "chatpack__whatsapp_us.txt": (6, 1, 0, 1, 2, "2024-01-15 10:30", "2024-01-15 10:36"),
    "langchain-community__chat_loader_whatsapp_chat.txt": (
        (8, 3, 0, 1, 2, "2023-08-15 09:12", "2023-08-15 21:25")
    ),
    "rwhatsapp__sample.txt": (6, 1, 0, 2, 2, "2017-07-12 22:35", "2018-09-28 13:30"),
    "rwhatsapp__sample.zip": (6, 1, 0, 2, 2, "2017-07-12 22:35", "2018-09-28 13:30"),
    "whats-reader__android-private.txt": (39, 4, 0, 2, 2, "2024-12-01 10:05", "2024-12-04 16:45"),
    "whats-reader__asian-format-test.txt": ASIDE,
    "whats-reader__dash-format-test.txt": ASIDE,
    "whats-reader__european-ampm-format-test.txt": (
        (4, 0, 0, 0, 2, "2018-06-23 13:55", "2018-06-23 01:58")
    ),
    "whats-reader__french-format-test.txt": FORMAT,
    "whats-reader__german-format-test.txt": FORMAT,
    "whats-reader__spanish-format-test.txt": FORMAT,
    "whats-reader__ios-format-test.txt": (3, 1, 0, 1, 1, "2025-11-13 12:25", "2025-12-19 08:50"),
    "whats-reader__ios-group_chat.txt": (31, 2, 0, 6, 4, "2024-12-05 08:10", "2024-12-09 08:00"),
    "whats-reader__ios-private_chat.txt": (39, 4, 0, 2, 2, "2024-12-01 10:05", "2024-12-04 16:45"),
    "whats_json__arabic2_ios.txt": IOS,
    "whats_json__calendar_Buddhist_iOS.txt": (
        (4, 18, 3, 3, 2, "2022-03-27 21:41", "2023-01-12 15:35")
    ),
    "whats_json__calendar_Gregorian_iOS.txt": IOS_CODES,
    "whats_json__czech_android.txt": ANDROID,
    "whats_json__deutch_ios.txt": IOS,
    "whats_json__english_android.txt": ANDROID,
    "whats_json__english_android_media.txt": ANDROID,
    "whats_json__english_ios.txt": IOS,
    "whats_json__english_ios_media.txt": IOS_CODES,
    "whats_json__french_ios.txt": IOS,
    "whats_json__indonesian_ios.txt": IOS,
    "whats_json__ios_RU.zip": IOS_CODES,
    "whats_json__italian_ios.txt": IOS,
    "whats_json__japanese_ios.txt": IOS,
    "whats_json__russian_ios.txt": IOS,
    "whats_json__spanish_ios.txt": IOS,
    "whatsapp-chat-parser__ShortChat.txt": (3, 0, 0, 2, 3, "2017-06-03 00:45", "2017-09-04 01:50"),
    "whatstk__lorem-2000.txt": (2000, 0, 0, 0, 4, "2019-04-16 02:09", "2020-06-13 00:00"),
    "whatstk__lorem.txt": (500, 0, 0, 0, 4, "2020-01-15 02:22", "2020-05-11 22:32"),
    "whatstk__pokemon.txt": (18, 0, 0, 2, 8, "2016-08-06 13:23", "2016-10-31 12:23"),
}
CASE_FILES = {
    "chat-export__inline-cases.shared.jsonl": 19,
    "rwhatsapp__inline-headers.shared.jsonl": 40,
    "whats-reader__inline-gh78.shared.jsonl": 13,
    "whatsapp-chat-parser__inline-cases.shared.jsonl": 14,
}
NOT_CLAIMED = {"pustur-multiline-system"}


def only_source(path: Path) -> Source:
    (source,) = sources_in(path, path.name)
    return source


def read(source: Source, day_first: bool | None = None) -> list[Record]:
    return list(WHATSAPP.read(source, Reading(ZoneInfo("UTC"), day_first=day_first)))


def minutes(records: list[Record]) -> list[str]:
    return [f"{record.sent_at:%Y-%m-%d %H:%M}" for record in records if isinstance(record, Message)]


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_others_comes_out_as_stated(shared: Path, name: str) -> None:
    source = only_source(shared / "fixtures" / "whatsapp" / name)
    records = read(source)
    kinds = Counter(
        record.kind if isinstance(record, Message) else type(record) for record in records
    )
    speakers = {record.speaker_id for record in records if isinstance(record, Message)}
    at = minutes(records)

    assert WHATSAPP.recognises(source)
    assert (
        kinds["text"],
        kinds["media"],
        kinds["deleted"],
        kinds[Notice],
        len(speakers),
        at[0],
        at[-1],
    ) == FILES[name]
    assert not kinds[Rejected]


def test_every_text_and_zip_of_the_folder_is_in_the_table(shared: Path) -> None:
    folder = shared / "fixtures" / "whatsapp"

    assert {path.name for path in folder.iterdir() if path.suffix in (".txt", ".zip")} == set(FILES)


def test_pasted_heads_and_joined_emoji_of_others_survive(shared: Path) -> None:
    folder = shared / "fixtures" / "whatsapp"
    chat = [
        r for r in read(only_source(folder / "Chatistics___chat.txt")) if isinstance(r, Message)
    ]
    sample = read(only_source(folder / "rwhatsapp__sample.txt"))

    assert chat[16].text.count("\n[1.2.2019, 00:00:00] John Doe: this line is not") == 1
    assert chat[18].text.count("\n2/11/19, 14:48 Alice Placeholder: this is a message from") == 1
    assert sum(r.text.count("\u200d") for r in sample if isinstance(r, Message)) == 151


@pytest.mark.parametrize("name", CASE_FILES)
def test_the_cases_of_others_come_out_as_stated(shared: Path, tmp_path: Path, name: str) -> None:
    lines = (shared / "fixtures" / "whatsapp" / name).read_text("utf-8").splitlines()
    assert len(lines) == CASE_FILES[name]
    wrong = {
        case["id"]: difference
        for case in map(json.loads, lines)
        if (difference := _difference(case, tmp_path / "_chat.txt"))
    }
    assert wrong == {}


def _difference(case: dict, path: Path) -> dict:
    """Return what comes out otherwise than a case expects."""
    path.write_bytes(case["text"].encode())
    source, expected = only_source(path), case["expect"]
    claimed = WHATSAPP.recognises(source) or case["id"] in NOT_CLAIMED
    entries = []
    if claimed:
        entries = [record for record in read(source) if not isinstance(record, Rejected)]
    found = {
        "messages": len(entries),
        "authors": [getattr(entry, "speaker", None) for entry in entries],
        "texts": [getattr(entry, "text", None) for entry in entries],
        "system": [isinstance(entry, Notice) for entry in entries],
        "message_0_text": getattr(entries[0], "text", None) if entries else None,
        "times": _times(entries, expected.get("times")),
        "times_any_of": _times(entries, expected.get("times_any_of", [])[1:]),
        "attachment": [getattr(entry, "kind", None) for entry in entries],
    }
    for key, day_first in (("times_dayfirst", True), ("times_monthfirst", False)):
        if key in expected:
            found[key] = _times(read(source, day_first), expected[key])
    wanted = dict(expected, attachment=["media"]) if "attachment" in expected else dict(expected)
    if "times_any_of" in wanted:
        wanted["times_any_of"] = wanted["times_any_of"][1:]
    return {
        key: (found[key], value)
        for key, value in wanted.items()
        if key in found and value is not None and found[key] != value
    }


def _times(records: list[Record], expected: list[str] | None) -> list[str]:
    """Return the times of all entries, written as fully as expected; None's place is kept."""
    found = [
        record.sent_at.replace(tzinfo=None).isoformat() if isinstance(record, Message) else None
        for record in records
    ]
    return [
        wanted if at is None else at[: len(wanted)]
        for at, wanted in zip(found, expected or [], strict=False)
    ]
