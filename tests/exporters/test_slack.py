"""What a Slack export tells in several files, and what its text means."""

import json
from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZipFile

import pytest

from exporters.options import ExportOptions
from exporters.run import export
from exporters.slack import SLACK
from exporters.slack_text import decoded
from exporters.sources import Reading, sources_in
from likeness.messages import Message, Notice, Rejected

USERS = [
    {"id": "U1", "name": "ann", "profile": {"display_name": "", "real_name": "Ann Lund"}},
    {"id": "U2", "name": "ole", "profile": {"display_name": "Ole"}},
    {"id": "U3", "name": "sal"},
    {"id": "U9", "name": "tides", "is_bot": True},
]
LISTS = {
    "users.json": USERS,
    "channels.json": [{"id": "C1", "name": "pier", "members": ["U1", "U2"]}],
    "groups.json": [{"id": "G1", "name": "crew"}],
    "mpims.json": [{"id": "G2", "name": "mpdm-ann--ole--sal-1", "members": ["U1", "U2", "U3"]}],
    "dms.json": [{"id": "D1", "members": ["U1", "U2"]}, {"id": "D2", "members": ["U3", "U1"]}],
}


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a day of a chat, and the way it was read."""

    def read(*entries, folder="pier", lists=LISTS):
        for name, content in lists.items():
            (tmp_path / name).write_text(json.dumps(content), "utf-8")
        path = tmp_path / folder / "2024-05-01.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(entries), "utf-8")
        (source,) = sources_in(path, path.name)
        assert SLACK.recognises(source)
        reading = Reading(UTC)
        return list(SLACK.read(source, reading)), reading

    return read


def entry(text="hi", user="U1", ts="1714557600.000100", **other):
    return {"type": "message", "user": user, "text": text, "ts": ts, **other}


@pytest.mark.parametrize(
    ("folder", "id_", "name"),
    [
        ("pier", "C1", "pier"),
        ("crew", "G1", "crew"),
        ("mpdm-ann--ole--sal-1", "G2", "Ole, sal"),
        ("D1", "D1", "Ole"),
        ("D2", "D2", "sal"),
        ("unlisted", "unlisted", "unlisted"),
    ],
)
def test_a_folder_is_a_chat_by_name_or_id(read, folder, id_, name):
    ((message,), _) = read(entry(), folder=folder)
    assert (message.chat_id, message.chat) == (id_, name)


def test_who_is_in_every_direct_chat_is_me(read):
    _, reading = read(entry())
    assert reading.owner["C1"] == ("U1", "the only one in all 2 direct chats of the export")
    _, reading = read(entry(), lists={"dms.json": LISTS["dms.json"][:1]})
    assert reading.owner == {}


@pytest.mark.parametrize(
    ("user", "name"), [("U1", "Ann Lund"), ("U2", "Ole"), ("U3", "sal"), ("U7", "U7")]
)
def test_people_have_the_names_that_others_see(read, user, name):
    ((message,), _) = read(entry(user=user))
    assert (message.speaker_id, message.speaker) == (user, name)


def test_a_message_may_bring_the_name_of_its_sender(read):
    ((message,), _) = read(entry(user="U7", user_profile={"display_name": "", "real_name": "Bea"}))
    assert message.speaker == "Bea"


def test_a_day_without_any_list_is_read(read):
    ((message,), _) = read(entry("<@U1> hi"), lists={})
    assert (message.chat, message.text, message.speaker) == ("pier", "@U1 hi", "U1")


def test_a_damaged_list_is_used_as_far_as_it_goes(read, tmp_path):
    read(entry())
    (tmp_path / "users.json").write_text(json.dumps(USERS)[:-60])
    ((message,), _) = read(entry(), folder="crew", lists={})
    assert message.speaker == "Ann Lund"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("<@U2> &amp; <@U2|ole>", "@Ole & @ole"),
        ("<#C1|pier> <#C1> <#C8>", "#pier #pier #C8"),
        ("<https://example.org/a|the table>", "the table"),
        ("<https://example.org/a?b=1&amp;c=2>", "https://example.org/a?b=1&c=2"),
        ("<mailto:a@example.org|a@example.org>", "a@example.org"),
        ("<!here> <!channel> <!subteam^S1|@crew>", "@here @channel @crew"),
        ("<!date^1714557600^{date}|1 May>", "1 May"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;lt;", "1 < 2 && 3 > 2 &lt;"),
        ("a\nb  *c*", "a\nb  *c*"),
        ("<" * 50_000, "<" * 50_000),
    ],
)
def test_a_text_is_as_people_saw_it(text, seen):
    assert decoded(text, {"U2": "Ole", "C1": "pier"}.get) == seen


def test_emoji_are_characters_where_the_message_tells_them():
    emoji = {"type": "emoji", "name": "wave", "unicode": "1f44b-1f3fb"}
    blocks = [
        {"type": "rich_text", "elements": [{"elements": [emoji, {"name": "x", "unicode": "z"}]}]}
    ]
    assert decoded(":wave::skin-tone-2: :x: 10:30:45", {}.get, blocks) == "👋🏻 :x: 10:30:45"
    assert decoded(":wave:", {}.get, [[[[7]]]]) == ":wave:"


@pytest.mark.parametrize("subtype", ["channel_join", "channel_topic", "tombstone", "file_comment"])
def test_what_the_app_wrote_is_a_notice(read, subtype):
    assert read(entry(subtype=subtype))[0] == [Notice(subtype.replace("_", " "))]


@pytest.mark.parametrize("subtype", ["thread_broadcast", "me_message", "file_share"])
def test_what_a_person_wrote_is_a_message(read, subtype):
    assert [record.text for record in read(entry(subtype=subtype))[0]] == ["hi"]


@pytest.mark.parametrize(
    "by_bot",
    [
        {"bot_id": "B1"},
        {"user": "U9"},
        {"user": "USLACKBOT"},
        {"subtype": "bot_message", "user": ""},
    ],
)
def test_what_a_bot_wrote_is_automated(read, by_bot):
    ((message,), _) = read(entry(**{"username": "tides", **by_bot}))
    assert (message.kind, message.text) == ("automated", "hi")


@pytest.mark.parametrize(("text", "kind"), [("the quay", "media"), ("", "media")])
def test_the_words_by_a_file_are_its_caption(read, text, kind):
    ((message,), _) = read(entry(text, files=[{"id": "F1"}]))
    assert (message.text, message.kind) == (text, kind)


def test_the_words_of_another_are_forwarded(read):
    ((message,), _) = read(entry("", attachments=[{"is_share": True, "text": "of <@U2>"}]))
    assert (message.text, message.kind) == ("of @Ole", "forwarded")


def test_a_thread_is_a_chat_of_its_own_with_what_opened_it(read):
    opening, other, answer = "1714557600.000100", "1714557601.000100", "1714557602.000100"
    records, reading = read(
        entry("opens", ts=opening, thread_ts=opening, reply_count=1),
        entry("between", ts=other),
        entry("answers", ts=answer, thread_ts=opening),
    )
    told = [(one.chat_id, one.chat, one.reply_to) for one in records]
    thread = (f"C1:{opening}", "pier / thread")
    assert told == [(*thread, None), ("C1", "pier", None), (*thread, opening)]
    assert set(reading.owner) == {"C1", thread[0]}


def test_the_moment_is_exact(read):
    ((message,), _) = read(entry())
    assert message.sent_at == datetime(2024, 5, 1, 10, 0, 0, 100, UTC)
    assert message.id == "1714557600.000100"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ts": "noon"}, "it has no date that can be read"),
        ({"ts": ""}, 'it has no "ts"'),
        ({"user": ""}, "it does not say who sent it"),
        ({"type": "a private word"}, "its type is none that the app writes"),
        ({"subtype": "a private word"}, "its subtype is none that the app writes"),
        ({"text": 7}, 'its "text" is not a string'),
    ],
)
def test_an_entry_of_a_wrong_shape_is_rejected_and_the_next_is_read(read, change, reason):
    _, first, second = read(entry(), {**entry(), **change}, entry("b"))[0]
    assert first == Rejected("[1]", reason)
    assert isinstance(second, Message)


def test_a_zip_is_read_as_its_folder_is(read, tmp_path):
    records, reading = read(entry("<@U2> hi", user="U2"))
    with ZipFile(tmp_path / "export.zip", "w") as archive:
        for name, content in LISTS.items():
            archive.writestr(f"Harbour/{name}", json.dumps(content))
        archive.writestr("Harbour/pier/2024-05-01.json", json.dumps([entry("<@U2> hi", user="U2")]))
    inside = [one for one in sources_in(tmp_path / "export.zip", "zip") if SLACK.recognises(one)]
    again = Reading(UTC)
    assert [list(SLACK.read(one, again)) for one in inside] == [records]
    assert (again.owner, again.flavour) == (reading.owner, reading.flavour)


def zipped(lists, *entries):
    """Return a whole export as a zip's bytes."""
    data = BytesIO()
    with ZipFile(data, "w") as archive:
        for name, content in lists.items():
            archive.writestr(name, json.dumps(content))
        archive.writestr("pier/2024-05-01.json", json.dumps(entries))
    return data.getvalue()


def test_each_of_two_exports_in_one_zip_has_people_of_its_own(tmp_path):
    other = {"users.json": [{"id": "U7", "name": "bea"}]}
    with ZipFile(tmp_path / "both.zip", "w") as archive:
        archive.writestr("a.zip", zipped(LISTS, entry(user="U2")))
        archive.writestr("b.zip", zipped(other, entry(user="U7")))
    days = filter(SLACK.recognises, sources_in(tmp_path / "both.zip", "both.zip"))
    said = [next(SLACK.read(day, Reading(UTC))) for day in days]
    assert [message.speaker for message in said] == ["Ole", "bea"]


@pytest.mark.parametrize("names", [("old.zip", "new.zip"), ("new.zip", "old.zip")])
def test_what_was_answered_after_an_export_counts_once_in_its_thread(tmp_path, names):
    opening, answer = "1714557600.000100", "1714557900.000100"
    other = entry("moin", ts="1714557601.000100")
    opened = entry(thread_ts=opening, reply_count=1)
    answered = entry("aye", user="U2", ts=answer, thread_ts=opening)
    (tmp_path / "old.zip").write_bytes(zipped(LISTS, entry(), other))
    (tmp_path / "new.zip").write_bytes(zipped(LISTS, opened, other, answered))
    options = ExportOptions(UTC, "UTC", me=("Ole",))
    account = export([tmp_path / name for name in names], tmp_path / "out.jsonl", options)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    told = {(line["chat_id"], line["chat"], line["id"]) for line in lines}
    thread = f"C1:{opening}", "pier / thread"
    assert told == {("C1", "pier", other["ts"]), (*thread, opening), (*thread, answer)}
    assert len(lines) == 3
    assert account.balanced


def test_a_thread_opened_after_a_file_of_ours_was_written_moves_with_joined_names(tmp_path):
    opening, out = "1714557600.000100", tmp_path / "messages.jsonl"
    opened = entry(thread_ts=opening, reply_count=1)
    answered = entry("aye", user="U2", ts="1714557900.000100", thread_ts=opening)
    (tmp_path / "old.zip").write_bytes(zipped(LISTS, entry()))
    (tmp_path / "new.zip").write_bytes(zipped(LISTS, opened, answered))
    options = ExportOptions(UTC, "UTC", me=("Ann",), aliases=("Ann=Ann Lund",))
    export([tmp_path / "old.zip"], out, options)
    account = export([out, tmp_path / "new.zip"], out, options)
    assert (account.messages, account.outgoing, account.balanced) == (2, 1, True)


def test_a_dump_tells_its_chat_behind_its_messages(tmp_path):
    long = [entry("x" * 1000, ts=f"17145576{number:02}.000100") for number in range(99)]
    nested = entry("hi", slackdump_thread_replies=[entry("answers", ts="1714557601.000100",
                                                         thread_ts="1714557600.000100")],
                   thread_ts="1714557600.000100")  # fmt: skip
    path = tmp_path / "dump.json"
    path.write_text(json.dumps({"name": "pier", "messages": [*long, nested], "channel_id": "C1"}))
    (source,) = sources_in(path, path.name)
    assert SLACK.recognises(source)
    records = list(SLACK.read(source, Reading(UTC)))
    assert {record.chat_id for record in records[:-2]} == {"C1"}
    assert {record.chat_id for record in records[-2:]} == {"C1:1714557600.000100"}


@pytest.mark.parametrize("content", [[], USERS, [{"type": "message", "ts": 7}], {"messages": []}])
def test_what_only_resembles_it_is_left_alone(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    (source,) = sources_in(path, path.name)
    assert not SLACK.recognises(source)
