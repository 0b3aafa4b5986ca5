"""What a page of Telegram's HTML tells, and what only its neighbours do."""

from functools import partial

import pytest

from exporters.sources import sources_in
from exporters.telegram_html import TELEGRAM_HTML
from likeness.messages import Message, Notice, Rejected
from tests.exporters.telegram_pages import kinds, message, page, read_pages, said, service, words


def media(kind, title="", status="", inner=""):
    return (
        f'<div class="media_wrap clearfix"><div class="media clearfix {kind}"><div class="body">'
        f'<div class="title bold">{title}</div><div class="status details">{status}</div>'
        f"{inner}</div></div></div>"
    )


@pytest.fixture
def read(tmp_path):
    """Return a function that writes files and reads all pages among them."""
    return partial(read_pages, tmp_path / "export")


def test_joined_messages_are_of_whom_the_first_is(read):
    records, _ = read(page(message(1), message(2, name=""), message(3, name="Jon")))
    assert said(records) == [("Mira", "t1"), ("Mira", "t2"), ("Jon", "t3")]


@pytest.mark.parametrize("between", [service(-1), service(7, "Jon left")])
def test_nothing_is_joined_across_a_line_of_the_app(read, between):
    records, _ = read(page(message(1), between, message(2, name="")))
    assert records[2:] == [Rejected("message 2", "it does not say who sent it")]


def test_nothing_is_joined_across_pages(read):
    pages = {"messages.html": page(message(1)), "messages2.html": page(message(2, name=""))}
    assert [type(record) for record in read(pages)[0]] == [Message, Rejected]


def test_who_forwards_speaks_and_not_who_is_forwarded(read):
    inner = '<div class="from_name">News <span class="date details" title="1">x</span></div>'
    forward = f'<div class="forwarded body">{inner}{words("read this")}</div>'
    records, _ = read(page(message(1, forward), message(2, forward + words("wow"), name="")))
    assert said(records) == [("Mira", "read this"), ("Mira", "wow")]
    assert kinds(records) == ["forwarded", "forwarded"]


@pytest.mark.parametrize(
    ("reply", "answered"),
    [
        ('In reply to <a href="#go_to_message5" onclick="return GoToMessage(5)">this</a>', "5"),
        ('In reply to <a href="messages2.html#go_to_message5">this message</a>', "5"),
        ('In reply to <a href="#go_to_message-999999990">this message</a>', "-999999990"),
        ("In reply to a message in another chat", None),
    ],
)
def test_an_answer_names_what_it_answers_on_any_page(read, reply, answered):
    inner = f'<div class="reply_to details">{reply}</div>{words("yes")}'
    assert read(page(message(9, inner)))[0][0].reply_to == answered
    assert (
        read(page(message(9, f'<div class="forwarded body">{inner}</div>')))[0][0].reply_to is None
    )


def test_words_are_what_was_written(read):
    text = (
        'a<br>b &amp; <strong>c</strong> <a href="https://x.org/?a=1&amp;b">x.org</a> &lt;3 &apos;'
        '<span class="spoiler hidden" onclick="S(this)"><span aria-hidden="true">d</span></span>'
        "<pre>e<br>  f</pre>"
    )
    (record,) = read(page(message(1, words(text))))[0]
    assert record.text == "a\nb & c x.org <3 'de\n  f"


@pytest.mark.parametrize(
    ("inner", "kind", "text"),
    [
        (media("media_photo", "Photo", "1x1, 2 KB") + words("look"), "media", "look"),
        (media("media_voice_message", "Voice message", "00:07"), "media", ""),
        (media("media_photo", "Sticker", "🦊, 31.4 KB"), "media", "🦊"),
        (media("media_photo", "Sticker", "1️⃣, 31.4 KB"), "media", "1️⃣"),
        (media("media_photo", "Sticker", "🦊"), "media", "🦊"),
        (media("media_photo", "Sticker", "31.4 KB"), "media", ""),
        (media("media_contact", "Sal Doe", "+1 555 0100"), "media", ""),
        (media("media_venue", "Pier 3"), "media", ""),
        (media("media_game", "Corsairs"), "media", ""),
        (media("media_invoice", "Rope") + words("pay"), "automated", "pay"),
        ('<a class="photo_wrap clearfix pull_left" href="p.jpg"></a>', "media", ""),
        ('<div class="media_wrap"><a class="sticker_wrap" href="s.webp"></a></div>', "media", ""),
    ],
)
def test_what_hangs_on_a_message_is_media_with_its_caption(read, inner, kind, text):
    (record,) = read(page(message(1, inner)))[0]
    assert (record.kind, record.text) == (kind, text)


def poll(details):
    parts = f'<div class="question bold">lake?</div><div class="details">{details}</div>'
    return f'<div class="media_wrap clearfix"><div class="media_poll">{parts}</div></div>'


def test_polls_and_calls_and_lines_of_the_app_are_notices(read):
    entries = (
        service(-1),
        message(1, poll("Anonymous poll")),
        message(2, media("media_call success", "Mira", "Outgoing (42 seconds)")),
        service(3, "Mira pinned this message"),
        service(-999_999_990, "Mira created group"),
        service(4, "This message is not supported by this version of Telegram Desktop."),
    )
    reasons = "day line", "a poll", "phone call", "service message", "service message"
    assert read(page(*entries))[0] == [
        *map(Notice, reasons),
        Notice("unsupported by the exporting app"),
    ]
    assert kinds(read(page(message(1, poll("To-do List"))))[0]) == ["media"]


def test_what_a_bot_wrote_for_someone_is_not_theirs(read):
    records, _ = read(page(message(1, name="Mira via @pic_bot"), message(2, name="")))
    assert said(records) == [("Mira", "t1"), ("Mira", "t2")]
    assert kinds(records) == ["automated", "automated"]


@pytest.mark.parametrize(
    ("zone", "told", "moment"),
    [
        ("Europe/Berlin", "14.07.2024 10:00:00 UTC+01:00", "08:00"),  # summer, which it hides
        ("Europe/Berlin", "14.01.2024 10:00:00 UTC+01:00", "09:00"),
        ("Europe/Berlin", "14.07.2024 10:00:00", "08:00"),
        ("America/Los_Angeles", "14.07.2024 10:00:00 UTC-08:00", "17:00"),
        ("Australia/Sydney", "14.01.2024 10:00:00 UTC+10:00", "23:00"),
        ("Asia/Kolkata", "14.01.2024 10:00:00 UTC+05:30", "04:30"),
        ("UTC", "14.07.2024 10:00:00 UTC", "10:00"),
    ],
)
def test_the_clock_is_right_and_its_zone_is_the_one_that_has_the_offset(read, zone, told, moment):
    records, (reading,) = read(page(message(1, date=told)), zone)
    assert f"{records[0].sent_at:%H:%M}" == moment
    assert reading.local_times
    assert len(reading.remarks) == ("UTC" not in told)


def test_an_offset_of_another_zone_is_believed_and_its_summer_named_as_unknown(read):
    records, (reading,) = read(page(message(1, date="14.07.2024 10:00:00 UTC-08:00")))
    assert records[0].sent_at.hour == 18
    assert "UTC-08:00" in reading.remarks[0]
    assert not reading.local_times


def test_the_repeated_hour_runs_on(read):
    times = (f"27.10.2024 {time}:00 UTC+01:00" for time in ("01:50", "02:30", "02:10"))
    records, _ = read(page(*(message(n, date=time) for n, time in enumerate(times))))
    assert [f"{record.sent_at:%H:%M}" for record in records] == ["23:50", "00:30", "01:10"]


@pytest.mark.parametrize("told", ["", "yesterday", "31.02.2024 10:00:00", "01.01.0001 00:00:00"])
def test_a_message_without_a_date_is_rejected_and_the_next_is_read(read, told):
    records, _ = read(page(message(1, date=told), message(2, name="")))
    assert records[0] == Rejected("message 1", "it has no date that can be read")
    assert said(records) == [("Mira", "t2")]


def test_in_a_chat_of_two_who_does_not_bear_its_name_is_me(read):
    records, (reading,) = read(page(message(1), message(2, name="Jon")))
    assert reading.owner == {records[0].chat_id: ("Jon", "the other one bears the chat's name")}


@pytest.mark.parametrize("names", [["Mira"], ["Jon"], ["Jon", "Sal"], ["Mira", "Jon", "Sal"]])
def test_in_any_other_chat_a_page_does_not_tell(read, names):
    entries = (message(n, name=name) for n, name in enumerate(names))
    assert read(page(*entries))[1][0].owner == {}


def test_all_pages_are_one_chat_even_one_without_a_title(read):
    pages = {
        "messages.html": page(message(1)),
        "messages2.html": page(message(2)),
        "messages10.html": page(message(3), title=""),
    }
    records, _ = read(pages)
    assert len({(record.chat_id, record.chat) for record in records}) == 1
    assert [record.id for record in records] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "text",
    [
        "<html><body><p>messages</p></body></html>",
        '<div class="history"><div class="message default" id="message1"></div></div>',
        '<html><div class="history"></div></html>',
        '<html><div class="chatlog"><div class="message default" id="message1"></div></div></html>',
        'print("""<html>""")',
        "",
    ],
)
def test_any_other_html_is_not_recognised(tmp_path, text):
    path = tmp_path / "messages.html"
    path.write_text(text)
    (source,) = sources_in(path, path.name)
    assert not TELEGRAM_HTML.recognises(source)
