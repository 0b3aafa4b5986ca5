"""What Messenger's and Instagram's JSON does not mark: the app's own sentences, and damage."""

import json
from datetime import UTC
from zipfile import ZipFile

import pytest

from exporters.messenger import MESSENGER
from exporters.sources import Reading, sources_in
from likeness.errors import DamagedSource, SourceError
from likeness.messages import Message, Notice, Rejected

ANN, OLE = "Ann Lund", "Ole"


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a chat, and the way it was read."""

    def read(*entries, **other):
        people = [{"name": ANN}, {"name": OLE}]
        end = {"title": OLE, "thread_path": "inbox/ole_7", **other}
        path = tmp_path / "message_1.json"
        path.write_text(json.dumps({"participants": people, "messages": entries, **end}), "utf-8")
        (source,) = sources_in(path, path.name)
        assert MESSENGER.recognises(source)
        reading = Reading(UTC)
        return list(MESSENGER.read(source, reading)), reading

    return read


def entry(content=None, sender=ANN, moment=1_700_000_000_000, **other):
    words = {} if content is None else {"content": content}
    return {"sender_name": sender, "timestamp_ms": moment, **words, **other}


def as_downloaded(text):
    return text.encode().decode("latin-1")


def texts(records):
    return [record.text if isinstance(record, Message) else record for record in records]


@pytest.mark.parametrize("text", ["Zoë 🌊", "naïve", "Ã", "plain", "привіт"])
def test_words_are_repaired_where_they_are_damaged_and_left_where_not(read, text):
    records, reading = read(entry(as_downloaded(text)), entry(text))
    assert texts(records) == [text, text]
    assert len(reading.remarks) == (not text.isascii())


def test_names_and_the_title_are_repaired_as_well(read):
    zoe = as_downloaded("Zoë")
    people = [{"name": zoe}, {"name": ANN}]
    (message,), reading = read(entry("hi", zoe), title=zoe, participants=people)
    assert (message.speaker, message.chat) == ("Zoë", "Zoë")
    assert reading.owner["ole_7"][0] == ANN


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Liked a message", "reaction"),
        ("Reacted ❤️ to your message ", "reaction"),
        ("Ann called you.", "call"),
        ("You missed a video chat from Ole.", "call"),
        ("Ann Lund started a video chat.", "call"),
        ("The video chat ended.", "call"),
        ("Ann named the group Quay crew.", "group or chat event"),
        ("You set the nickname for Ole to Captain.", "group or chat event"),
        ("Ann Lund a créé un sondage.", "group or chat event"),
        ("You are now connected on Messenger.", "group or chat event"),
        ("You started an audio call", "call"),
        ("Ann Lund missed a video chat", "call"),
        ("Audio call ended", "call"),
        ("You changed the theme to Harbour Lights", "group or chat event"),
        ("Ann sent 1 attachment.", "group or chat event"),
        ("Ann waved at Ole.", "group or chat event"),
        ("You turned on vanish mode.", "group or chat event"),
        ("Ann left the group.", "group or chat event"),
    ],
)
def test_a_sentence_of_the_app_is_a_notice(read, sentence, reason):
    assert read(entry(sentence))[0] == [Notice(reason)]


@pytest.mark.parametrize(
    "text",
    [
        "You called me yesterday.",
        "Ole called the doctor.",
        "Ann here.",
        "The call ended badly",
        "I started an audio call",
        "ok.",
        "You shared a great recipe.",
        "You turned off the heating, right.",
        "You waved at me from the bus.",
        "You left the group far too early.",
    ],
)
def test_what_a_person_says_in_such_words_is_theirs(read, text):
    assert texts(read(entry(text))[0]) == [text]


@pytest.mark.parametrize("text", ["You left the group.", "You shared a link."])
def test_of_whose_download_it_is_not_the_app_never_says_you(read, text):
    assert texts(read(entry(text, OLE))[0]) == [text]
    assert read(entry(text, ANN))[0] == [Notice("group or chat event")]

    photo = {"photos": [{"uri": "a.jpg"}]}
    assert texts(read(entry("You look great.", OLE, **photo))[0]) == ["You look great."]


@pytest.mark.parametrize(
    "sentence", ["Ann sent an attachment.", "You sent a photo.", "sent 1 attachment."]
)
def test_by_an_attachment_the_sentence_of_the_app_is_no_caption(read, sentence):
    for what in ({"photos": [{"uri": "a.jpg"}]}, {"share": {"link": "https://example.org"}}):
        (message,), _ = read(entry(sentence, **what))
        assert (message.text, message.kind) == ("", "media")


def test_an_unknown_sentence_is_known_by_standing_under_several_attachments(read):
    sentence, photo = "Du hast ein Foto gesendet.", {"photos": [{"uri": "a.jpg"}]}
    assert texts(read(*[entry(sentence, **photo)] * 2)[0]) == [sentence] * 2
    assert texts(read(*[entry(sentence, **photo)] * 3)[0]) == [""] * 3


def test_a_caption_and_a_link_are_words(read):
    photo, share = {"photos": [{"uri": "a.jpg"}]}, {"share": {"link": "https://example.org/x"}}
    records, _ = read(entry("the quay!", **photo), entry("see https://example.org/x", **share))
    assert [(record.text, record.kind) for record in records] == [
        ("the quay!", "media"),
        ("see https://example.org/x", "text"),
    ]


@pytest.mark.parametrize("how", [{"type": "Call"}, {"call_duration": 0, "missed": True}])
def test_a_call_is_a_notice(read, how):
    assert read(entry("Ann a tenté de vous joindre.", **how))[0] == [Notice("call")]


def test_what_was_taken_back_is_gone(read):
    ((message,), _) = read(entry("secret", is_unsent=True))
    assert (message.text, message.kind) == ("", "deleted")


def test_an_edited_message_has_its_last_words(read):
    assert texts(read(entry("nine (edited)"))[0]) == ["nine"]


def test_equal_messages_of_one_moment_are_two(read):
    records, _ = read(entry("ok"), entry("ok"))
    assert len({record.id for record in records}) == 2


@pytest.mark.parametrize("place", ["inbox", "archived_threads", "e2ee_cutover"])
def test_a_chat_keeps_its_id_wherever_it_was_put(read, place):
    (message,), _ = read(entry("hi"), thread_path=f"{place}/ole_7")
    assert message.chat_id == "ole_7"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"content": 7}, 'its "content" is not a string'),
        ({"timestamp_ms": None}, 'its "timestamp_ms" is not a number'),
        ({"timestamp_ms": 10**18}, "it has no date that can be read"),
    ],
)
def test_an_entry_of_a_wrong_shape_is_rejected_and_the_next_is_read(read, change, reason):
    first, second = read({**entry("a"), **change}, entry("b"))[0]
    assert first == Rejected("messages[0]", reason)
    assert second.text == "b"


def test_a_part_that_breaks_off_belongs_to_its_folder(tmp_path):
    path = tmp_path / "ole_7" / "message_2.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"participants": [], "messages": [entry("a"), entry("b")]})[:-20])
    (source,) = sources_in(path, path.name)
    message, rest = MESSENGER.read(source, Reading(UTC))
    assert (message.chat_id, message.text) == ("ole_7", "a")
    assert isinstance(rest, Rejected)


def test_a_file_without_a_whole_message_is_damaged(tmp_path):
    path = tmp_path / "message_1.json"
    path.write_text(
        '{"participants": [], "messages": [{"sender_name": "A", "timestamp_ms": 1, "con'
    )
    (source,) = sources_in(path, path.name)
    assert MESSENGER.recognises(source)
    with pytest.raises(DamagedSource):
        list(MESSENGER.read(source, Reading(UTC)))


def test_the_folders_around_a_chat_tell_instagram(tmp_path):
    name = "your_instagram_activity/messages/inbox/ole_7/message_1.json"
    with ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(name, json.dumps({"participants": [], "messages": [entry("a")]}))
    (source,) = sources_in(tmp_path / "all.zip", "all.zip")
    (message,) = MESSENGER.read(source, Reading(UTC))
    assert message.platform == "instagram"


def test_an_html_download_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "message_1.html"
    style = "<style>.uiBoxWhite{background:#fff}</style>"
    path.write_text(f"<html><head>{style}</head><body>a private word</body></html>")
    (source,) = sources_in(path, path.name)
    assert MESSENGER.recognises(source)
    with pytest.raises(SourceError, match=r"choose JSON") as refused:
        list(MESSENGER.read(source, Reading(UTC)))
    assert "private" not in str(refused.value)
