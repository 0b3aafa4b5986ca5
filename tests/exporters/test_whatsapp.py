"""The WhatsApp exporter, on invented exports."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pytest

from exporters.sources import HEAD_BYTES, Reading, Source
from exporters.whatsapp import WHATSAPP
from likeness.errors import DamagedSource
from likeness.messages import Message, Notice, Record, Rejected

SAMPLES = Path(__file__).parent / "samples" / "whatsapp"


@dataclass(frozen=True, slots=True)
class Held(Source):
    """A source that lies in memory, and breaks after so many bytes if told to."""

    data: bytes
    breaks_at: int | None = None

    @contextmanager
    def open(self, on_bytes: Callable[[int], None] | None = None) -> Iterator[BinaryIO]:
        yield Breaking(self.data, self.breaks_at, on_bytes)


class Breaking(io.BytesIO):
    def __init__(
        self, data: bytes, breaks_at: int | None, on_bytes: Callable[[int], None] | None
    ) -> None:
        super().__init__(data if breaks_at is None else data[:breaks_at])
        self._breaks = breaks_at is not None
        self._on_bytes = on_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if not found and self._breaks:
            raise DamagedSource("it is a broken zip")
        if self._on_bytes:
            self._on_bytes(len(found))
        return found


def held(text: str | bytes, name: str = "_chat.txt", breaks_at: int | None = None) -> Held:
    data = text.encode() if isinstance(text, str) else text
    path = Path("exports") / name
    return Held(name, path, None, data[:HEAD_BYTES], len(data), data, breaks_at)


def sample(name: str) -> Held:
    return held((SAMPLES / name).read_bytes(), name)


def read(source: Source, **told: object) -> tuple[list[Record], Reading]:
    reading = Reading(ZoneInfo("UTC"))
    for key, value in told.items():
        setattr(reading, key, value)
    return list(WHATSAPP.read(source, reading)), reading


def told(records: list[Record]) -> list[tuple[str, ...]]:
    """Say the records shortly: sender, kind and words, or the reason."""
    return [
        (record.speaker, record.kind, record.text)
        if isinstance(record, Message)
        else (type(record).__name__, record.reason)
        for record in records
    ]


def times(records: list[Record]) -> list[str]:
    return [
        f"{record.sent_at:%Y-%m-%d %H:%M:%S}" for record in records if isinstance(record, Message)
    ]


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


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("[3/18/2565 BE, 14:56:01] ", "2022-03-18 14:56:01"),
        ("[3/18/R4, 14:56:01] ", "2022-03-18 14:56:01"),
        ("[18\u200f/3\u200f/2022، 14:56:01] ", "2022-03-18 14:56:01"),
        ("٢٤\u200f/٤\u200f/٢٠٢٢، ٢:٠٧ م - ", "2022-04-24 14:07:00"),
        ("۱۸/۰۳/۲۰۲۲، ۱۴:۵۶ - ", "2022-03-18 14:56:00"),
        ("[14:56:01, 3/18/22] ", "2022-03-18 14:56:01"),
        ("2022/3/18 下午2:56 - ", "2022-03-18 14:56:00"),
        ("[2022/3/18 午後2:56:01] ", "2022-03-18 14:56:01"),
        ("2022년3월18일", None),
        ("2022年3月18日 14:56 - ", "2022-03-18 14:56:00"),
        ("2022년 3월 18일 오후 2:56 - ", "2022-03-18 14:56:00"),
        ("18.03.22 г., 14:56 ч. - ", "2022-03-18 14:56:00"),
        ("၁၈/၃/၂၀၂၂၊ ၁၄:၅၆ - ", "2022-03-18 14:56:00"),
        ("۱۴۰۰/۱۲/۲۷، ۱۴:۵۶ - ", "2022-03-18 14:56:00"),
        ("[1400/12/29, 14:56:01] ", "2022-03-20 14:56:01"),
        ("[1400/12/30, 14:56:01] ", None),
        ("18/3/22, 2:56 अपराह्न - ", "2022-03-18 14:56:00"),
        ("18/03/2022, 2:56 PTG - ", "2022-03-18 14:56:00"),
        ("18/03/2022, 2:56 p. m. - ", "2022-03-18 14:56:00"),
        ("3/18/22, 2:56_PM - ", "2022-03-18 14:56:00"),
        ("3/18/22, 2:56:01 PM – ", "2022-03-18 14:56:01"),
        ("18.3.2022 klo 14.56.01 - ", "2022-03-18 14:56:01"),
        ("18/03/2022 à 14:56 - ", "2022-03-18 14:56:00"),
        ("18/03/2022 14:56:01: ", "2022-03-18 14:56:01"),
        ("18. 3. 2022. 14:56:01 ", "2022-03-18 14:56:01"),
        ("18-03-2022 14:56 - ", "2022-03-18 14:56:00"),
        ("30/03/22 14.56 - ", "2022-03-30 14:56:00"),
        ("\ufeff18.03.22, 14:56 - ", "2022-03-18 14:56:00"),
    ],
)
def test_learns_the_shape_of_the_head(head: str, expected: str | None) -> None:
    source = held(f"{head}Ann: hi\n{head}Bob: hello\nthere\n")

    assert WHATSAPP.recognises(source) == (expected is not None)
    if expected:
        records, _ = read(source)
        assert told(records) == [("Ann", "text", "hi"), ("Bob", "text", "hello\nthere")]
        assert times(records) == [expected] * 2


@pytest.mark.parametrize(
    ("dates", "expected", "why"),
    [
        (["3/4/24", "25/4/24"], "2024-04-03", "the first number is above 12 once"),
        (["3/4/24", "3/25/24"], "2024-03-04", "the second number is above 12 once"),
        (["11/02/24", "02/03/24"], "2024-02-11", "steps back in time: 0 this way, 1 the other way"),
        (["3/4/24", "4/4/24", "5/4/24"], "2024-04-03", "the first number changes more often"),
        (["3/4/24", "3/5/24", "3/6/24"], "2024-03-04", "the second number changes more often"),
        (["3.4.24"], "2024-04-03", "by its look: not parted by slashes"),
        (["03/04/24"], "2024-04-03", "by its look: numbers filled up with zeros"),
        (["3/4/24"], "2024-03-04", "by its look: slashes and numbers without zeros"),
        (["2024-03-04"], "2024-03-04", "the year stands first"),
    ],
)
def test_decides_the_order_of_day_and_month_and_says_why(
    dates: list[str], expected: str, why: str
) -> None:
    records, reading = read(held("".join(f"{date}, 10:15 - Ann: hi\n" for date in dates)))

    assert times(records)[0] == f"{expected} 10:15:00"
    assert any(why in remark for remark in reading.remarks)


def test_small_letters_beside_the_time_speak_for_the_day_first() -> None:
    assert times(read(held("3/4/24, 1:15 pm - Ann: hi\n"))[0]) == ["2024-04-03 13:15:00"]
    assert times(read(held("3/4/24, 1:15 PM - Ann: hi\n"))[0]) == ["2024-03-04 13:15:00"]


@pytest.mark.parametrize(
    ("day_first", "expected"), [(True, "2024-04-03 10:15:00"), (False, "2024-03-04 10:15:00")]
)
def test_the_order_can_be_forced(day_first: bool, expected: str) -> None:
    records, reading = read(held("3/4/24, 10:15 - Ann: hi\n"), day_first=day_first)

    assert times(records) == [expected]
    assert any("as you said" in remark for remark in reading.remarks)


def test_learns_unknown_words_for_the_halves_of_the_day() -> None:
    text = "".join(
        f"18/3/22, {time} - Ann: hi\n"
        for time in ("9:05 zug", "11:59 zug", "12:10 zog", "1:00 zog", "8:00 zog")
    )

    assert [time[11:16] for time in times(read(held(text))[0])] == [
        "09:05",
        "11:59",
        "12:10",
        "13:00",
        "20:00",
    ]


def test_a_date_that_does_not_exist_begins_no_message() -> None:
    text = "28/02/2023, 10:00 - Ann: hi\n29/02/2023, 10:00 - Bob: no such day\n"

    assert told(read(held(text))[0]) == [
        ("Ann", "text", "hi\n29/02/2023, 10:00 - Bob: no such day")
    ]
    assert not WHATSAPP.recognises(held("29/02/2023, 10:00 - Bob: no such day\n"))


def test_pasted_heads_stay_text() -> None:
    pasted = "13.01.24, 08:00 - Ann: old words\n13.01.24, 08:01 - Cem: older\nmore"
    other = "[13.01.2024, 08:00:00] Ann: of another shape"
    text = (
        "20.05.24, 10:00 - Ann: hi\n"
        f"20.05.24, 10:01 - Bob: look:\n{pasted}\n"
        f"20.05.24, 10:02 - Ann: ah\n{other}\n"
    )
    records, reading = read(held(text))

    assert told(records) == [
        ("Ann", "text", "hi"),
        ("Bob", "text", f"look:\n{pasted}"),
        ("Ann", "text", f"ah\n{other}"),
    ]
    assert any("look like heads: 3" in remark for remark in reading.remarks)


def test_a_younger_first_notice_swallows_nothing() -> None:
    text = (
        "23/03/2022, 13:31 - Messages and calls are end-to-end encrypted.\n"
        "18/03/2022, 14:56 - Ann: before\n"
        "23/03/2022, 13:32 - Bob: after\n"
    )

    assert [line[0] for line in told(read(held(text))[0])] == ["Notice", "Ann", "Bob"]


def test_a_shape_that_takes_over_for_good_counts() -> None:
    old = "".join(f"01/02/17, 10:{minute:02} - Ann: {minute}\n" for minute in range(40))
    new = "".join(f"13/02/2018, 10:{minute:02} - Ann: {minute}\n" for minute in range(30))
    records, reading = read(held(old + new))

    assert len(records) == 70
    assert any("2 shapes" in remark for remark in reading.remarks)


def test_the_repeated_hour_of_summer_time_goes_on_in_the_order_of_the_file() -> None:
    text = "".join(
        f"29/10/2023, {time} - Ann: hi\n" for time in ("01:30", "02:50", "02:10", "02:40", "03:10")
    )
    records, _ = read(held(text), local_zone=ZoneInfo("Europe/Berlin"))
    moments = [record.sent_at for record in records if isinstance(record, Message)]

    assert [f"{moment.astimezone(UTC):%H:%M}" for moment in moments] == [
        "23:30",
        "00:50",
        "01:10",
        "01:40",
        "02:10",
    ]


@pytest.mark.parametrize(
    ("file", "chat"),
    [
        ("WhatsApp Chat with Ann.txt", "Ann"),
        ("WhatsApp Chat - Ann.zip", "Ann"),
        ("WhatsApp Chat with Ann (1).txt", "Ann"),
        ("WhatsApp-Chat mit Ann.txt", "Ann"),
        ("Chat de WhatsApp con Ann.txt", "Ann"),
        ("Annin kanssa käyty WhatsApp-keskustelu.txt", "Ann"),
        ("_chat.txt", "Ann, Bob"),
    ],
)
def test_names_the_chat_after_the_file_or_its_people(file: str, chat: str) -> None:
    records, _ = read(held("13/02/24, 10:00 - Ann: hi\n13/02/24, 10:01 - Bob: ho\n", file))

    assert {record.chat for record in records if isinstance(record, Message)} == {chat}


def test_who_the_file_is_not_named_after_is_me() -> None:
    text = "13/02/24, 10:00 - Ann: hi\n13/02/24, 10:01 - Bob: ho\n"
    _, named = read(held(text, "WhatsApp Chat with Ann.txt"))
    _, nameless = read(held(text, "_chat.txt"))

    assert [speaker for speaker, _ in named.owner.values()] == ["Bob"]
    assert nameless.owner == {}


def test_ids_stay_the_same_in_a_longer_export_and_equals_differ() -> None:
    short = "13/02/24, 10:00 - Ann: ok\n13/02/24, 10:00 - Ann: ok\n13/02/24, 10:01 - Bob: ho\n"
    name = "WhatsApp Chat with Ann.txt"
    first, _ = read(held(short, name))
    second, _ = read(held("12/02/24, 09:00 - Bob: ok\n" + short, name))

    ids = [(record.chat_id, record.id) for record in first if isinstance(record, Message)]
    assert len(set(ids)) == 3
    assert [(r.chat_id, r.id) for r in second if isinstance(r, Message)][1:] == ids


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
        ("", ("media", "")),
    ],
)
def test_knows_files_and_places_by_their_shape(wording: str, expected: tuple[str, str]) -> None:
    records, _ = read(held(f"13/02/24, 10:00 - Ann: {wording}\n13/02/24, 10:01 - Bob: ho\n"))

    assert told(records)[0] == ("Ann", *expected)


def test_strips_an_unknown_tag_of_edited_messages_where_it_recurs() -> None:
    text = "".join(f"13/02/24, 10:0{n} - Ann: words {n} <viesti muokattu>\n" for n in range(3))

    assert [line[2] for line in told(read(held(text))[0])] == ["words 0", "words 1", "words 2"]


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


def test_dates_without_a_year_go_on_into_the_next() -> None:
    heads = ["30/11, 14:56", "31/12, 14:56", "01/01, 00:10", "31/12, 23:59", "02/01, 09:00"]
    records, reading = read(held("".join(f"{head} - Ann: hi\n" for head in heads)))

    (last,) = [int(word) for word in reading.remarks[1].strip(".").split() if word.isdecimal()]
    years = [record.sent_at.year for record in records if isinstance(record, Message)]
    assert years == [last - 1, last - 1, last, last - 1, last]
