"""Discord's CSV, text and HTML: what parts messages, what they hold, and how they are damaged."""

from contextlib import suppress
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters import find_exporter
from exporters.discord_markdown import Names, rendered
from exporters.discord_place import place_of
from exporters.discord_sentences import system_kind
from exporters.sources import Reading, sources_in
from likeness.errors import SourceError
from likeness.messages import Message, Notice, Rejected
from tests.discord_marks import SEEN
from tests.examples import examples

SAMPLES = Path(__file__).parent / "samples" / "discord"
FORMS = sorted(path for path in SAMPLES.rglob("*.*") if path.suffix in (".csv", ".txt", ".html"))
RULE = "=" * 62
PRE = "chatlog__markdown-pre"
HEADER = "AuthorID,Author,Date,Content,Attachments,Reactions"


@pytest.fixture
def read(tmp_path):
    """Return a function that reads one file of this content."""

    def read(content: str | bytes, name: str = "channel"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        (source,) = sources_in(path, path.name)
        exporter = find_exporter(source)
        assert exporter is not None
        assert exporter.name.startswith("Discord")
        return list(exporter.read(source, Reading(UTC)))

    return read


def text(*messages: str, parted: str = "\n\n\n") -> str:
    head = f"{RULE}\nGuild: Harbour\nChannel: Text / pier\n{RULE}\n\n"
    return head + "".join(f"{message}{parted}" for message in messages)


def page(*messages: str) -> str:
    return "".join(['<div class="chatlog"><div class="chatlog__message-group">', *messages])


def on_page(number: int, inside: str) -> str:
    author = '<span class="chatlog__author" title="mira#1" data-user-id="11">Mira</span>'
    date = '<span class="chatlog__timestamp">05-Aug-20 08:00 AM</span>'
    words = f'<div class="chatlog__content"><span class="chatlog__markdown-preserve">{inside}'
    return f'<div data-message-id="{number}">{author}{date}{words}</span></div></div>'


@pytest.mark.parametrize(
    ("name", "id_", "called"),
    [
        ("Harbour - Text - pier [123456].csv", "123456", "Harbour / pier"),
        ("Harbour - Text - pier [123456] (after 2020-01-01) [part 2].csv", "123456", None),
        ("A [2024] - Text - pier [123456] (2020-01-01 to 2021-01-01).csv", "123456", None),
        ("Direct Messages - Private - Jon [77].csv", "77", "Jon"),
        ("Direct Messages - Jon [77].csv", "77", "Jon"),
        ("123456789012345678.csv", "123456789012345678", None),
    ],
)
def test_a_files_name_tells_its_channel(read, tmp_path, name, id_, called):
    (message,) = read(f'{HEADER}\n"1","a","01-Jan-20 01:33 AM","x","",""\n', name)
    assert message.chat_id == id_
    assert called in (None, message.chat)


def test_the_parts_of_a_renamed_export_are_one_chat(tmp_path):
    ids = set()
    for name in ("pier.csv", "pier [part 2].csv", "pier (after 2020-01-01) [part 11].csv"):
        (tmp_path / name).write_text(HEADER, "utf-8")
        (source,) = sources_in(tmp_path / name, name)
        ids.add(place_of(source, "", "").id)
    assert len(ids) == 1


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_a_table_that_a_spreadsheet_saved_keeps_its_umlauts(read, encoding):
    row = "11;mira;2024-05-01T08:00:00.0000000+00:00;grüße;;"
    table = f"{HEADER.replace(',', ';')}\r\n{row}\r\n"
    (message,) = read(table.encode(encoding), "pier [123456].csv")
    assert message.text == "grüße"


def test_text_and_page_of_one_channel_are_one_chat(read):
    (told,) = read(text("[01-Jan-20 01:33 AM] ann\nmoin"))
    entries = "".join(f'<div class="preamble__entry">{x}</div>' for x in ("Harbour", "Text / pier"))
    (shown,) = read(entries + page(on_page(1, "moin")))
    assert (told.chat_id, told.chat) == (shown.chat_id, shown.chat)


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("Added Ann to the group.", "RecipientAdd"),
        ("Left the group.", "RecipientRemove"),
        ("Started a call that lasted 1,234 minutes.", "Call"),
        ("Changed the channel name: quay", "ChannelNameChange"),
        ("Pinned a message.", "ChannelPinnedMessage"),
        ("Joined the server.", "GuildMemberJoin"),
        ("joined the server.", None),
        ("Joined the server. Hi!", None),
        ("Pinned a message.\nlook", None),
    ],
)
def test_only_a_whole_sentence_of_the_exporter_is_its_own(sentence, kind):
    assert system_kind(sentence) == kind


@pytest.mark.parametrize("parted", ["\n\n\n", "\n\n"])
def test_messages_of_a_text_are_parted_by_blank_lines(read, parted):
    heads = (f"[0{day}.02.2024 10:00] ann\nt{day}" for day in (3, 4, 5))
    records = read(text(*heads, "[13.02.2024 10:00] jon\nlast", parted=parted))
    assert [record.text for record in records] == ["t3", "t4", "t5", "last"]


def test_a_head_pasted_into_a_message_stays_there(read):
    pasted = "[05.02.2024 10:00] jon\nhe\n\n[06.02.2024 10:00] jon\nwrote"
    records = read(text(f"[03.02.2024 10:00] ann\n{pasted}", "[13.02.2024 10:00] jon\nno"))
    assert [(record.speaker, record.text) for record in records] == [("ann", pasted), ("jon", "no")]


def test_the_end_of_a_text_is_none_of_its_last_message(read):
    end = f"{RULE}\nExported 1\u202f000 message(s)\n{RULE}\n"
    records = read(text("[13.02.2024 10:00] ann\nmoin") + end)
    assert [record.text for record in records] == ["moin"]
    assert read(text() + end) == []
    assert read(text() + end + "more\n") == [Rejected("line 9", "text after the end of the export")]


def test_words_before_the_first_head_are_rejected(read):
    first, second = read(text("stray", "[13.02.2024 10:00] ann\nmoin"))
    assert first == Rejected("line 6", "text before the first message")
    assert isinstance(second, Message)


@pytest.mark.parametrize(
    ("shown", "typed"),
    [
        ("a &amp; b &lt;3", "a & b <3"),
        ("<strong>a</strong> <em>b</em> <u>c</u> <s>d</s>", "**a** *b* __c__ ~~d~~"),
        ('<span class="chatlog__markdown-spoiler">a</span>', "||a||"),
        ('<img class="chatlog__emoji" alt="🚢"><img class="emoji" alt="wave">', "🚢:wave:"),
        ('<a href="https://example.org">https://example.org</a>', "https://example.org"),
        ('<a href="https://example.org">site</a>', "[site](https://example.org)"),
        ("<h2>a</h2>b", "## a\nb"),
        ("x<ul><li>a</li><li>b</li></ul>", "x\n- a\n- b"),
        (f'<code class="{PRE} {PRE}--inline">a</code>', "`a`"),
        (
            f'<code class="{PRE} {PRE}--multiline language-py">a</code>',
            "```py\na\n```",
        ),
        ("a<br>b", "a\nb"),
        ("<@11> <t:0:t> <a:wave:5> <#1>", "@Mira 00:00 :wave: #deleted-channel"),
        ("a <3 b > c", "a <3 b > c"),
    ],
)
def test_the_words_of_a_page_are_given_back_as_typed(read, shown, typed):
    (message,) = read(page(on_page(1, shown)))
    assert message.text == typed


def test_a_page_that_ends_in_a_message_keeps_the_whole_ones(read):
    records = read(page(on_page(1, "moin"), on_page(2, "cut")[:-20]))
    assert [type(record) for record in records] == [Message, Rejected]


def test_followers_have_the_author_of_their_group_and_others_have_not(read):
    alone = (
        '<div data-message-id="2"><div class=chatlog__short-timestamp title="05-Aug-20 09:00 AM">'
    )
    alone += "</div><div class=chatlog__content><span class=chatlog__markdown-preserve>x</span>"
    alone += "</div></div>"
    group = '</div><div class="chatlog__message-group">'
    first, second, third = read(page(on_page(1, "moin"), alone, group, alone))
    assert (first.speaker_id, second.speaker_id, second.sent_at.hour) == ("11", "11", 9)
    assert third == Rejected("message 3", "it names no author")


def test_ids_that_disagree_with_the_dates_tell_no_time(read):
    (message,) = read(page(on_page(1235168841957376001, "moin")))
    assert message.sent_at.year == 2020


def test_a_mark_in_a_text_without_names_says_what_the_exporter_would():
    assert rendered("<@1> <@&2> <#3>", Names()) == "@Unknown @deleted-role #deleted-channel"
    assert rendered("1 < 2 <@x> <:a b:1>", Names()) == "1 < 2 <@x> <:a b:1>"


@pytest.mark.parametrize(("typed", "shown"), SEEN.items())
def test_marks_that_need_no_names_are_shown_as_the_bot_sees_them(typed, shown):
    assert rendered(typed, Names()) == shown


@pytest.mark.slow
@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_gives_records_or_one_sentence(tmp_path, path, data):
    whole = path.read_bytes()
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    middle = data.draw(
        st.sampled_from([b"", whole[begin:end][::-1], b'\0\xff<<[[{{"', b"<div " * 300])
    )
    damaged = tmp_path / path.name
    damaged.write_bytes(whole[:begin] + middle + whole[end:])
    (source,) = sources_in(damaged, damaged.name)
    exporter = find_exporter(source)
    records = []
    if exporter is not None:
        with suppress(SourceError):
            records = list(exporter.read(source, Reading(UTC)))
    assert all(isinstance(record, Message | Notice | Rejected) for record in records)


@pytest.mark.slow
@pytest.mark.parametrize(
    "garbage",
    [
        "<div " * 100_000,
        "<div>" * 100_000,
        "</span>" * 75_000,
        "<b>" * 75_000 + "</b>" * 75_000,
        '<img alt="' * 50_000,
        "&lt" * 150_000,
        "[01-Jan-20 01:33 AM] a\n\n\n" * 10_000,
        '"' * 500_000,
        "x\n" * 250_000,
        "[" * 500_000,
    ],
    ids=lambda garbage: repr(garbage[:8]),
)
@pytest.mark.parametrize("before", [page(on_page(1, "moin"))[:-19], text(), f"{HEADER}\n"])
@pytest.mark.timeout(60)
def test_half_a_megabyte_of_garbage_takes_no_time_to_speak_of(read, before, garbage):
    with suppress(SourceError):
        assert isinstance(read(before + garbage), list)
