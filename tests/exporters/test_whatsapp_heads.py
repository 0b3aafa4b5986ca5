"""WhatsApp's heads: their shape is learned, their dates decided, and pasted ones left alone."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from exporters.whatsapp import WHATSAPP
from likeness.messages import Message
from tests.exporters.whatsapp_texts import held, read, times, told


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
        (["३/४/२४"], "2024-04-03", "by its look: digits of their own"),
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


@pytest.mark.parametrize(
    ("day_first", "dates"),
    [(False, ["18/3/24", "3/4/24", "19/4/24"]), (True, ["3/18/24", "3/4/24", "4/19/24"])],
)
def test_an_order_that_dates_contradict_swallows_nothing(day_first: bool, dates: list[str]) -> None:
    text = "".join(f"{date}, 10:15 - Ann: hi\n" for date in dates)
    records, reading = read(held(text), day_first=day_first)

    assert told(records) == [("Ann", "text", "hi")] * 3
    assert any("is above 12 2 times, though you said otherwise" in one for one in reading.remarks)


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


@pytest.mark.parametrize(
    "head",
    ["[08:12, 2/13/2024] ", "[13/02, 08:12] ", "[13/02/24, 08:12:45] ", "2/13/24, 8:12 AM - "],
)
@pytest.mark.parametrize("times", [1, 5])
def test_who_speaks_in_pasted_text_is_nobody_of_the_chat(head: str, times: int) -> None:
    lines = [f"13/02/24, 10:{n:02} - {('Ann', 'Jon')[n % 2]}: so {n}\n" for n in range(20)]
    lines[:0] = [lines[0], f"{head}Bob: hi\n" * times]
    records, reading = read(held("".join(lines), "WhatsApp Chat with Ann.txt"))

    assert {record.speaker for record in records if isinstance(record, Message)} == {"Ann", "Jon"}
    assert [me for me, _ in reading.owner.values()] == ["Jon"]


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


def test_dates_without_a_year_go_on_into_the_next() -> None:
    heads = ["30/11, 14:56", "31/12, 14:56", "01/01, 00:10", "31/12, 23:59", "02/01, 09:00"]
    records, reading = read(held("".join(f"{head} - Ann: hi\n" for head in heads)))

    (last,) = [int(word) for word in reading.remarks[1].strip(".").split() if word.isdecimal()]
    years = [record.sent_at.year for record in records if isinstance(record, Message)]
    assert years == [last - 1, last - 1, last, last - 1, last]
