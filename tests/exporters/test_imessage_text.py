"""What of imessage-exporter's text a person wrote."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from exporters.imessage_text import IMESSAGE_TEXT
from exporters.sources import Reading, sources_in
from exporters.whatsapp import WHATSAPP
from likeness.messages import Notice, Rejected

TIME = "May 17, 2022  5:29:42 PM"


@pytest.fixture
def source(tmp_path):
    """Return a function that writes a file named after a chat."""

    def source(text):
        path = tmp_path / "Ole.txt"
        path.write_text(text, "utf-8")
        (found,) = sources_in(path, path.name)
        return found

    return source


def read(source, zone=UTC):
    assert IMESSAGE_TEXT.recognises(source)
    return list(IMESSAGE_TEXT.read(source, Reading(zone)))


@pytest.mark.parametrize(
    ("lines", "text", "kind"),
    [
        ("nine", "nine", "text"),
        ("a\n\nb", "a\n\nb", "text"),
        ("nine\nReactions:\nLoved by Me\n", "nine", "text"),
        ("nine\nTapbacks:\nLoved by Me\n", "nine", "text"),
        (f"nine\n    {TIME}\n    Me\n    ten\n", "nine", "text"),
        ("ten\nThis message responded to an earlier message.", "ten", "text"),
        ("attachments/1/a.heic\nthe quay", "the quay", "media"),
        ("Attachment missing!", "", "media"),
        (f"{TIME} nien\nEdited 5 seconds later: nein\nEdited 1 minute later: nine", "nine", "text"),
        ("Edited 5 seconds later: nine", "Edited 5 seconds later: nine", "text"),
        ("You deleted a message.", "", "deleted"),
        ("This message was deleted from the conversation!\nnine", "", "deleted"),
    ],
)
def test_of_an_entry_the_words_stay(source, lines, text, kind):
    first, second = read(source(f"{TIME}\nMe\n{lines}\n\n{TIME}\nOle\nlast\n\n"))
    assert (first.text, first.kind, first.outgoing) == (text, kind, True)
    assert (second.text, second.speaker_id, second.outgoing) == ("last", "Ole", False)


@pytest.mark.parametrize("read_by", ["", " (Read by them after 1 hour, 49 seconds)"])
def test_times_are_of_the_given_zone(source, read_by):
    (message,) = read(source(f"{TIME}{read_by}\nMe\nhi\n\n"), ZoneInfo("Europe/Berlin"))
    assert message.sent_at == datetime(2022, 5, 17, 15, 29, 42, tzinfo=UTC)


def test_an_announcement_is_a_notice(source):
    renamed = f"{TIME} You renamed the conversation to Quay\n\n"
    records = read(source(f"{renamed}{TIME}\nMe\nhi\n\n{renamed}"))
    assert records[0] == records[2] == Notice("group or chat event")
    assert records[1].text == "hi"


def test_a_day_that_is_none_is_rejected(source):
    first, second = read(source(f"Feb 31, 2022  5:29:42 PM\nMe\nhi\n\n{TIME}\nMe\nhi\n"))
    assert first == Rejected("line 1", "it has no date that can be read")
    assert second.text == "hi"


@pytest.mark.parametrize(
    "text", ["", TIME, f"{TIME}\n\nx", f"x\n{TIME}\nMe\nhi\n", "17.05.22, 17:29 - A: b"]
)
def test_what_only_resembles_it_is_left_alone(source, text):
    assert not IMESSAGE_TEXT.recognises(source(text))


def test_it_is_not_of_whatsapp(source):
    assert not WHATSAPP.recognises(source(f"{TIME}\nMe\nhi: you\n\n" * 3))
