"""The WhatsApp exporter, on invented exports."""

import pytest

from exporters.whatsapp import WHATSAPP
from likeness.errors import DamagedSource
from likeness.messages import Message, Notice, Rejected
from tests.exporters.whatsapp_texts import held, read, sample, times, told


def test_reads_an_android_export_with_every_kind_of_entry() -> None:
    records, reading = read(sample("android_en_24h.txt"))

    assert told(records) == [
        ("Notice", "group or chat event"),
        ("Nora Feld", "text", "Morning!"),
        ("Nora Feld", "text", "Morning!"),
        ("Omar", "media", "the new desk\n\nwith a plant"),
        ("Nora Feld", "media", ""),
        ("Omar", "deleted", ""),
        ("Nora Feld", "media", ""),
        ("Omar", "text", "see you at 5"),
        ("Nora Feld", "text", "note: bring keys"),
        ("Notice", "call"),
        ("Omar", "media", ""),
        ("Notice", "poll"),
    ]
    assert reading.flavour == "day/month/year, hour:minute - name: text"
    assert "Dates are read as day, month, year: the first number is above 12 once." in (
        reading.remarks
    )


def test_reads_a_clock_of_twelve_hours_with_narrow_blanks() -> None:
    records, _ = read(sample("android_de_12h.txt"))

    assert times(records) == [
        "2023-11-03 11:59:00",
        "2023-11-03 12:01:00",
        "2023-11-03 12:02:00",
        "2023-11-03 13:15:00",
        "2023-11-03 23:59:00",
        "2023-11-04 00:00:00",
    ]
    assert [kind for _, kind, *_ in told(records)[1:]] == [
        "text",
        "media",
        "media",
        "deleted",
        "text",
        "text",
    ]


def test_the_mark_of_ios_tells_what_the_app_wrote() -> None:
    records, _ = read(sample("ios_en_crlf.txt"))

    assert told(records) == [
        ("Notice", "encryption"),
        ("Notice", "made by the app"),
        ("Pia", "text", "who is in?\nsaturday"),
        ("Rolf", "text", "me 👨‍👩‍👧"),
        ("+49 170 1", "media", ""),
        ("Pia", "media", "the map"),
        ("Rolf", "deleted", ""),
        ("Notice", "made by the app"),
        ("Pia", "text", "done"),
        ("Pia", "media", ""),
    ]
    assert [record.speaker_id for record in records if isinstance(record, Message)][1] == "~ Rolf"


def test_tells_names_with_colons_from_notices_with_colons() -> None:
    records, _ = read(sample("group_notices.txt"))

    assert told(records) == [
        ("Notice", "group or chat event"),
        ("Notice", "group or chat event"),
        ("Notice", "group or chat event"),
        ("Ida", "text", "welcome"),
        ("Work: Bo", "text", "hello"),
        ("Work: Bo", "text", "is it tonight?"),
        ("Work: Bo", "text", "ah no"),
        ("Ida", "text", "tomorrow:\n19:30"),
        ("Ida", "text", "no blank here"),
        ("Notice", "group or chat event"),
    ]


def test_ids_stay_the_same_in_a_longer_export_and_equals_differ() -> None:
    short = "13/02/24, 10:00 - Ann: ok\n13/02/24, 10:00 - Ann: ok\n13/02/24, 10:01 - Bob: ho\n"
    name = "WhatsApp Chat with Ann.txt"
    first, _ = read(held(short, name))
    second, _ = read(held("12/02/24, 09:00 - Bob: ok\n" + short, name))

    ids = [(record.chat_id, record.id) for record in first if isinstance(record, Message)]
    assert len(set(ids)) == 3
    assert [(r.chat_id, r.id) for r in second if isinstance(r, Message)][1:] == ids


@pytest.mark.slow
def test_says_that_an_export_of_exactly_the_limit_was_cut() -> None:
    line = "13/02/24, 10:00 - Ann: {}\n"
    _, cut = read(held("".join(line.format(number) for number in range(9_999))))
    _, whole = read(held("".join(line.format(number) for number in range(9_000))))

    assert any("10,000" in remark for remark in cut.remarks)
    assert not any("10,000" in remark for remark in whole.remarks)


def test_text_before_the_first_message_is_rejected_not_lost() -> None:
    records, _ = read(held("stray\n\n05.02.24, 09:04 - Mira: real\n"))

    assert records[0] == Rejected("line 1", "text before the first message")
    assert told(records)[1:] == [("Mira", "text", "real")]


def test_reads_what_is_whole_before_the_damage() -> None:
    text = "13/02/24, 10:00 - Ann: hi\n13/02/24, 10:01 - Bob: ho\n" * 3
    records, _ = read(held(text, breaks_at=80))

    assert isinstance(records[-1], Rejected)
    assert [line[2] for line in told(records[:-1])] == ["hi", "ho", "hi"]


def test_reads_utf_16_and_tells_of_bytes() -> None:
    counted: list[int] = []
    data = "13/02/24, 10:00 - Zoë: grüß\n".encode("utf-16")
    records, _ = read(held(data), on_bytes=counted.append)

    assert told(records) == [("Zoë", "text", "grüß")]
    assert sum(counted) == len(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just some notes\nand nothing else\n",
        '{"name": "Ann", "messages": [{"date": "2024-02-13T10:00:00", "text": "hi"}]}\n',
        "date,sender,text\n2024-02-13 10:00:00,Ann,hi\n2024-02-13 10:01:00,Bob,ho\n",
        "<html><body>[13/02/24, 10:00] Ann: hi</body></html>\n",
        "%PDF-1.7\n\0\1\2",
        "2024-02-13 10:00:00,123 - root - INFO - started: ok\n" * 3,
        "[2024-02-13 10:00:00] production.ERROR: no\n[2024-02-13 10:00:01] production.INFO: x\n",
        "2024-02-13 10:00:00 INFO: started\n" * 3,
        "[13/02/2024 10:00] Ann\nhello\n\n[13/02/2024 10:01] Bob\nhi: there\n",
        "=" * 62 + "\nGuild: G\n\n[13/02/2024 10:00] Ann: B\nhello\n",
        "[2019-12-24, 12:23] Jane: Hello\n[2020-01-17, 21:49] John: Hello\n",
        "[2019-12-24 12:23:01] Me: Hello\n[2020-01-17 21:49:02] John: Hello\n",
        "def f(x):\n    return {1: 2}\n# 13/02/24, 10:00 - Ann: quoted\n",
    ],
)
def test_claims_nothing_that_is_not_of_whatsapp(text: str) -> None:
    assert not WHATSAPP.recognises(held(text))


def test_a_file_without_a_head_is_one_clear_error() -> None:
    with pytest.raises(DamagedSource, match="holds no line"):
        read(held("nothing here\n"))


def test_notices_hold_no_words_of_anybody() -> None:
    records, reading = read(sample("group_notices.txt"))
    spoken = " ".join([*reading.remarks, *(r.reason for r in records if isinstance(r, Notice))])

    assert not {"Ida", "Bo", "Jo", "Choir"} & set(spoken.split())


def test_a_message_that_has_not_arrived_is_no_words_of_its_sender() -> None:
    waiting = "Waiting for this message. This may take a while."
    text = f"13/02/24, 10:00 - Ann: {waiting}\n13/02/24, 10:01 - Ann: {waiting} ok\n"

    assert told(read(held(text))[0]) == [
        ("Notice", "made by the app"),
        ("Ann", "text", f"{waiting} ok"),
    ]
