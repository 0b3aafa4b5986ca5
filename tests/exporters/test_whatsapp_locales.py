"""WhatsApp's heads as phones of many languages write them, none of which the reader lists."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from exporters.whatsapp import WHATSAPP
from likeness.messages import Message
from tests.exporters.whatsapp_texts import held, read, told

DEVANAGARI = str.maketrans("0123456789", "०१२३४५६७८९")
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
BEGINNING = datetime(2023, 11, 27, 0, 5, tzinfo=UTC)
STEPS = [0, 9 * 60, 180, 25, 5 * 60, 360, 24 * 60, 15 * 60, 3 * 24 * 60, 40, 9 * 24 * 60, 200]
HIJRI = {"2023-11": (1445, 5, -14), "2023-12": (1445, 5, 16)}


def half(t: datetime, morning: str, afternoon: str) -> str:
    return f"{afternoon if t.hour >= 12 else morning}"


def twelve(t: datetime) -> str:
    return f"{t.hour % 12 or 12}:{t:%M}"


def dmy(t: datetime, separator: str = "/") -> str:
    return f"{t.day}{separator}{t.month}{separator}{t.year}"


def day_of(t: datetime, names: str) -> str:
    return names.split()[t.weekday()]


def chinese(t: datetime) -> str:
    hours = {0: "凌晨", 5: "清晨", 8: "上午", 12: "中午", 13: "下午", 19: "晚上"}
    return hours[max(hour for hour in hours if hour <= t.hour)]


def hijri(t: datetime) -> str:
    year, month, days = HIJRI[f"{t:%Y-%m}"]
    return f"{t.day + days}\u200f/{month}\u200f/{year}"


GERMAN, RUSSIAN = "Mo Di Mi Do Fr Sa So", "пн вт ср чт пт сб вс"
KOREAN = "월 화 수 목 금 토 일"
HEADS: dict[str, Callable[[datetime], str]] = {
    "Afrikaans": lambda t: f"{t:%Y-%m-%d} {twelve(t)} {half(t, 'vm.', 'nm.')} - ",
    "Albanian, old": lambda t: f"{t:%d.%m.%y}, {twelve(t)}:00 {half(t, 'p.d.', 'm.d.')}: ",
    "Amharic": lambda t: f"{t:%d/%m/%Y} {twelve(t)} {half(t, 'ጥዋት', 'ከሰዓት')} - ",
    "Arabic, moon": lambda t: f"[{hijri(t)} هـ، {twelve(t)}:00 {half(t, 'ص', 'م')}] ",
    "Arabic, old": lambda t: f"{dmy(t)}، {twelve(t)}:00 {half(t, 'ص', 'م')}: ",
    "Armenian": lambda t: f"{t:%d.%m.%Y}, {day_of(t, 'երկ երք չրք հնգ ուր շբթ կիր')}, {t:%H:%M} - ",
    "Assamese, time first": lambda t: f"{half(t, 'পূৰ্বাহ্ন', 'অপৰাহ্ন')} {twelve(t)}, {t:%d-%m-%Y} - ",
    "Basque": lambda t: f"{t:%y/%m/%d} ({t:%H:%M}) - ",
    "Bosnian": lambda t: f"{t:%d. %m. %Y.} u {t:%H:%M} - ",
    "Bulgarian": lambda t: f"{t:%d.%m.%y} г., {t.hour}:{t:%M} ч. - ",
    "Bulgarian, half": lambda t: f"{t:%d.%m.%y} г., {twelve(t)} ч. {half(t, 'am', 'pm')} - ",
    "Burmese": lambda t: f"{dmy(t)} {half(t, 'နံနက်', 'ညနေ')} {twelve(t)} - ",
    "Chinese": lambda t: f"{t:%Y/%m/%d}\u2009{chinese(t)}{twelve(t)} - ",
    "Chinese, day": lambda t: (
        f"{t.year}年{t.month}月{t.day}日，{day_of(t, '周一 周二 周三 周四 周五 周六 周日')} "
        f"{half(t, '上午', '下午')}{twelve(t)} - "
    ),
    "Chinese, units": lambda t: f"{t.year}年{t.month}月{t.day}日 {t:%H}时{t:%M}分 - ",
    "Czech": lambda t: f"{dmy(t, '. ')} {twelve(t)} {half(t, 'dop.', 'odp.')} - ",
    "English, moon": lambda t: f"{hijri(t)} AH, {twelve(t)} {half(t, 'AM', 'PM')} - ",
    "English, time first": lambda t: f"{twelve(t)} {half(t, 'AM', 'PM')}, {t:%a, %m/%d/%Y} - ",
    "Estonian": lambda t: f"{day_of(t, 'E T K N R L P')}, {dmy(t, '.')} {t:%H:%M} - ",
    "Finnish, half": lambda t: f"{dmy(t, '.')} klo {t.hour % 12}.{t:%M} {half(t, 'ap.', 'ip.')} - ",
    "French, Canada": lambda t: f"{t:%Y-%m-%d} {t:%H} h {t:%M} - ",
    "French, Canada, iOS": lambda t: f"[{t:%Y-%m-%d} {t:%H} h {t:%M} min 00 s] ",
    "French, short": lambda t: f"{t:%d/%m/%Y} {t:%H}h{t:%M} - ",
    "German, day": lambda t: f"{day_of(t, GERMAN)}., {t:%d.%m.%Y}, {t:%H:%M} - ",
    "Hungarian": lambda t: f"{t:%Y. %m. %d.} {half(t, 'de.', 'du.')} {twelve(t)} - ",
    "Japanese, day": lambda t: f"{t:%Y/%m/%d}({day_of(t, '月 火 水 木 金 土 日')}) {t:%H:%M} - ",
    "Japanese, era behind": lambda t: f"{t.month}/{t.day}/{t.year - 2018} R, {t:%H:%M} - ",
    "Japanese, from naught": lambda t: (
        f"{t.year}/{t.month}/{t.day} {half(t, '午前', '午後')}{t.hour % 12}:{t:%M} - "
    ),
    "Korean, day": lambda t: (
        f"{t:%Y. %m. %d.} ({day_of(t, KOREAN)}) {half(t, '오전', '오후')} {twelve(t)} - "
    ),
    "Nepali": lambda t: f"{t:%y/%m/%d}, {t:%H:%M} - ".translate(DEVANAGARI),
    "Pashto": lambda t: f"AP {t.year - 621}/9/{t.day - 21} {t:%H:%M} - ".translate(PERSIAN),
    "Persian, day": lambda t: f"سه\u200cشنبه {t:%Y/%m/%d}، {t:%H:%M} - ".translate(PERSIAN),
    "Russian, day": lambda t: f"{day_of(t, RUSSIAN)}, {t:%d.%m.%Y}, {t:%H:%M} - ",
    "Taiwan": lambda t: f"民國{t.year - 1911}/{t.month}/{t.day} {t:%H:%M} - ",
    "Thai": lambda t: f"{t.day}/{t.month}/{t.year + 543 - 2500} {t:%H:%M} น. - ",
    "Wolof": lambda t: f"{t:%d-%m-%Y} - {t:%H:%M} - ",
    "Yoruba": lambda t: f"{t:%d/%m/%Y}, {t.hour}:{t.minute} - ",
    "a comma ends it": lambda t: f"{t:%d/%m/%Y} {t:%H:%M}, ",
    "a comma in brackets": lambda t: f"[{t:%d/%m/%Y, %H:%M:%S},] ",
    "a blank ends it": lambda t: f"{t:%d/%m/%Y %H:%M} ",
}


@pytest.mark.parametrize("name", HEADS)
def test_reads_the_heads_of_a_phone(name: str) -> None:
    head, at, expected = HEADS[name], BEGINNING, []
    for number, minutes in enumerate(STEPS):
        at += timedelta(minutes=minutes)
        if name == "Pashto":  # its month ends with the sample's first days
            at = min(at, BEGINNING.replace(month=11, day=30, hour=23))
        expected.append(
            (("Ann", "Bo 🤓")[number % 2], ("hi", "two\nlines: ok?")[number // 2 % 2], at)
        )
    source = held("".join(f"{head(when)}{who}: {words}\n" for who, words, when in expected))

    assert WHATSAPP.recognises(source)
    records, _ = read(source)
    assert [
        (record.speaker, record.text, record.sent_at)
        for record in records
        if isinstance(record, Message)
    ] == expected
    assert len(records) == len(expected)


@pytest.mark.parametrize(
    "written",
    [
        "INFO 2024-05-01 12:30:00 - net: up\nWARN 2024-05-01 12:30:01 - net: down\n",
        "01.05.2024 12:30:00 ERROR: net: up\n01.05.2024 12:30:01 DEBUG: net: down\n",
        "lunch 3/4/24, 12:00 - Bob: cake\nmeeting 3/4/24, 13:00 - Bob: more\n",
        "2024/05/01 12:30:00 net: up\n2024/05/01 12:30:01 net: down\n",
    ],
)
def test_words_before_a_date_that_are_no_days_of_the_week_are_no_chat(written: str) -> None:
    assert not WHATSAPP.recognises(held(written))


CHAT = "18/03/2022, 14:56 - Ann: café\n18/03/2022, 14:57 - Боб: привет\nдва\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_reads_every_way_of_writing_a_text(encoding: str, end: str) -> None:
    source = held(CHAT.replace("\n", end).encode(encoding))

    assert WHATSAPP.recognises(source)
    assert told(read(source)[0]) == [("Ann", "text", "café"), ("Боб", "text", "привет\nдва")]


def test_reads_a_text_of_the_old_windows() -> None:
    source = held("18/03/2022, 14:56 - José: “Übung”\n".encode("cp1252"))

    assert told(read(source)[0]) == [("José", "text", "“Übung”")]


GONE = {
    "Danish": ("Denne besked blev slettet", "Du slettede denne besked"),
    "Finnish": ("Tämä viesti poistettiin", "Poistit tämän viestin"),
    "Greek": ("Αυτό το μήνυμα διαγράφηκε", "Διαγράψατε αυτό το μήνυμα"),
    "Hebrew": ("הודעה זו נמחקה", "מחקת הודעה זו"),
    "Hindi": ("यह मैसेज मिटाया गया", "आपने यह मैसेज मिटाया"),
    "Hungarian": ("Ez az üzenet törlésre került", "Törölted ezt az üzenetet"),
    "Korean": ("삭제된 메시지입니다.", "이 메시지를 삭제했습니다."),
    "Thai": ("ข้อความนี้ถูกลบ", "คุณลบข้อความนี้"),
    "Ukrainian": ("Це повідомлення видалено", "Ви видалили це повідомлення"),
    "Vietnamese": ("Tin nhắn này đã bị xóa", "Bạn đã xóa tin nhắn này"),
}


@pytest.mark.parametrize("language", GONE)
def test_a_sentence_that_recurs_and_tells_of_deletion_is_no_words(language: str) -> None:
    theirs, mine = GONE[language]
    entries = [("Ann", theirs), ("Bo", mine), ("Ann", "hi")] * 3
    entries += [("Ann", f"{theirs}?"), ("Bo", f"{mine} :)")]
    written = "".join(f"18/03/2022, 14:56 - {who}: {words}\n" for who, words in entries)
    records, reading = read(held(written))

    assert told(records) == [
        ("Ann", "deleted", ""),
        ("Bo", "deleted", ""),
        ("Ann", "text", "hi"),
    ] * 3 + [("Ann", "text", f"{theirs}?"), ("Bo", "text", f"{mine} :)")]
    assert "Known as deleted by a sentence that recurs: 6." in reading.remarks


def test_a_sentence_of_deletion_that_comes_once_or_twice_is_words() -> None:
    words = ["Denne besked blev slettet", "Jeg slettede din besked"]
    records, _ = read(
        held("".join(f"18/03/2022, 14:56 - Ann: {text}\n" for text in words * 2 + ["hej"] * 3))
    )

    assert [text for _, _, text in told(records)] == [*words, *words, *["hej"] * 3]
