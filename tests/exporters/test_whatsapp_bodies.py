"""What an entry of WhatsApp holds: words, a file, a deletion, or what the app wrote."""

import pytest

from tests.exporters.whatsapp_texts import held, read, told

PRIVACY = "For added privacy, you can only open it on your phone."


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
