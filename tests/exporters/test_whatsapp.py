"""The WhatsApp exporter, on invented exports."""

import pytest

from exporters.whatsapp import WHATSAPP
from likeness.errors import DamagedSource
from likeness.messages import Message, Notice, Rejected
from tests.exporters.whatsapp_texts import held, read, sample, times, told

PRIVACY = "For added privacy, you can only open it on your phone."


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


def test_a_poll_is_a_notice_and_a_file_keeps_its_caption_though_the_mark_announces_both() -> None:
    text = (
        "\u200e[13/02/24, 10:00:00] Ann: \u200ePOLL:\r\nlake?\r\n"
        "\u200eOPTION: yes (2 votes)\r\n\u200eOPTION: no (0 votes)\r\n"
        "\u200e[13/02/24, 10:01:00] Ann: there\nhttps://maps.google.com/?q=1,2 "
        "\u200e<attached: 1-PHOTO.jpg>\r\n"
        "[13/02/24, 10:02:00] Bob: ho\r\n"
    )
    records, _ = read(held(text))

    assert told(records) == [
        ("Notice", "poll"),
        ("Ann", "media", "there\nhttps://maps.google.com/?q=1,2"),
        ("Bob", "text", "ho"),
    ]


def test_a_list_above_a_file_is_its_caption_and_the_number_of_its_pages_is_not() -> None:
    text = (
        "\u200e[13/02/24, 10:00:00] Ann: \u2022 milk\n\u2022 eggs \u200e<attached: 1-PHOTO.jpg>\r\n"
        "\u200e[13/02/24, 10:01:00] Bob: a.pdf \u2022 \u200e2 pages \u200edocument omitted\r\n"
    )

    assert told(read(held(text))[0]) == [
        ("Ann", "media", "\u2022 milk\n\u2022 eggs"),
        ("Bob", "media", ""),
    ]


@pytest.mark.parametrize(
    ("head", "option"),
    [
        ("\u200ePOLL:", "\u200eOPTION: yes (\u200e2 votes)"),
        ("SONDAGE :", "OPTION : yes (2 votes)"),
        ("मतदान:", "विकल्प: yes (2 वोट)"),
        ("投票：", "选项：yes（2 票）"),
    ],
)
def test_a_poll_is_a_notice_in_any_language(head: str, option: str) -> None:
    lines = f"{head}\nlake?\n{option}\n{option.replace('yes', 'no')}\n"
    records, _ = read(held(f"13/02/24, 10:00 - Ann: {lines}13/02/24, 10:01 - Bob: ho\n"))

    assert told(records)[0] == ("Notice", "poll")


def test_a_list_with_numbers_in_parentheses_is_words() -> None:
    words = "Shopping:\nMilk: fresh (2 bottles)\nBread: brown (1 loaf)"
    records, _ = read(held(f"13/02/24, 10:00 - Ann: {words}\n13/02/24, 10:01 - Bob: ho\n"))

    assert told(records)[0] == ("Ann", "text", words)


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
    ("wording", "expected"),
    [
        ("‎<附件：00000012-PHOTO-2024.jpg>", ("media", "")),
        ("00000012-PHOTO-2024.jpg eklendi", ("text", "00000012-PHOTO-2024.jpg eklendi")),
        ("<00000012-PHOTO-2024.jpg eklendi>", ("media", "")),
        ("< pièce jointe : a.opus >", ("media", "")),
        ("2013-08-06-PHOTO-00000006.jpg <‎attached>", ("media", "")),
        ("AUD-20190101-WA0000. (file attached)", ("media", "")),
        ("my holiday.pdf (soubor byl přiložen)\nmy holiday.pdf", ("media", "")),
        ("<Без медиафайлов>", ("media", "")),
        ("I am <3 you", ("text", "I am <3 you")),
        ("<grin>", ("text", "<grin>")),
        ("see you (maybe)", ("text", "see you (maybe)")),
        ("Park (City): https://foursquare.com/v/1a", ("media", "")),
        ("Park\nCity\nhttps://foursquare.com/v/1a", ("media", "")),
        ("localisation : https://maps.google.com/?q=1,2", ("media", "")),
        ("my notes.pdf (Datei angehängt)", ("media", "")),
        ("our route.gpx (file attached)\nlovely", ("media", "lovely")),
        ("notes.md (fichier joint)", ("media", "")),
        ("This message was deleted by admin Ann Rose", ("deleted", "")),
        (f"You received a view once message. {PRIVACY}", ("media", "")),
        ("\u200emy notes.pdf (kunye nefayela)", ("media", "")),
        ("", ("media", "")),
    ],
)
def test_knows_what_the_app_put_for_files_places_and_deleted_messages(
    wording: str, expected: tuple[str, str]
) -> None:
    records, _ = read(held(f"13/02/24, 10:00 - Ann: {wording}\n13/02/24, 10:01 - Bob: ho\n"))

    assert told(records)[0] == ("Ann", *expected)


@pytest.mark.parametrize(
    "words",
    [
        "at mine tonight\nbring drinks\nhttps://maps.google.com/?q=52.1,4.3",
        "here: https://maps.google.com/?q=52.1,4.3",
        "my file is cv.pdf (see it)",
    ],
)
def test_words_beside_a_link_or_the_name_of_a_file_are_words(words: str) -> None:
    records, _ = read(held(f"13/02/24, 10:00 - Ann: {words}\n13/02/24, 10:01 - Bob: ho\n"))

    assert told(records)[0] == ("Ann", "text", words)


def test_of_what_the_app_says_in_a_persons_name_only_a_deletion_is_a_message() -> None:
    said = ["Ann changed the group description.", "Diese Nachricht wurde von Ann gelöscht."]
    text = "".join(f"[13/02/24, 10:00:00] Ann: \u200e{one}\r\n" for one in said)

    assert told(read(held(text))[0]) == [("Notice", "made by the app"), ("Ann", "deleted", "")]


def test_strips_an_unknown_tag_of_edited_messages_where_it_recurs() -> None:
    text = "".join(f"13/02/24, 10:0{n} - Ann: words {n} <viesti muokattu>\n" for n in range(3))

    assert [line[2] for line in told(read(held(text))[0])] == ["words 0", "words 1", "words 2"]


def test_what_somebody_puts_into_angle_brackets_again_and_again_is_words() -> None:
    text = "".join(f"13/02/24, 10:0{n} - Ann: well <evil laugh>\n" for n in range(5))

    assert [line[2] for line in told(read(held(text))[0])] == ["well <evil laugh>"] * 5


@pytest.mark.parametrize(
    "tag", ["<Diese Nachricht wurde bearbeitet.>", "<Se editó este mensaje>", "<Mensagem editada>"]
)
def test_strips_the_tag_of_an_edited_message_with_and_without_a_full_stop(tag: str) -> None:
    records, _ = read(held(f"13/02/24, 10:00 - Ann: words {tag}\n13/02/24, 10:01 - Bob: ho\n"))

    assert told(records)[0] == ("Ann", "text", "words")


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
