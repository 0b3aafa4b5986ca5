"""What the person at the keyboard may choose for an export, and that nothing is lost by it."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exporters.options import ExportOptions
from exporters.run import export
from exporters.selection import AFTER, BEFORE, NOT_ASKED, SHORT, UNHEARD, Selection
from likeness.errors import DamagedSource, NoSuchName, OwnerUnknown, SourceError
from likeness.files import read_messages
from likeness.messages import Message
from tests.conftest import BEGINNING

OPTIONS = ExportOptions(UTC, "UTC")


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a messages.jsonl from (chat, speaker, text, after, mine)."""

    def write(name, *said, platform="p"):
        path = tmp_path / name
        messages = [
            Message(
                platform, chat, f"with {chat}", str(number), f"id-{speaker}", speaker, mine,
                BEGINNING + timedelta(days=number), text,
            )
            for number, (chat, speaker, text, mine) in enumerate(said)
        ]  # fmt: skip
        path.write_text("".join(f"{message.to_json()}\n" for message in messages), "utf-8")
        return path

    return write


@pytest.fixture
def two_chats(write):
    return write(
        "two.jsonl",
        ("1", "Ann", "a", False), ("1", "Jon", "b", True), ("2", "Bob", "c", False),
        ("2", "Jon", "d", True), ("2", "Bob K.", "e", False),
    )  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """Return a function that exports and gives the account and the messages written."""

    def run(*paths, **chosen):
        out = tmp_path / "out" / "messages.jsonl"
        account = export(paths, out, replace(OPTIONS, **chosen))
        assert account.balanced
        messages = list(read_messages(out))
        assert len(messages) == account.messages
        return account, messages

    return run


@pytest.mark.parametrize(
    ("wanted", "texts", "left_out"),
    [
        ({}, "abcde", {}),
        ({"since": BEGINNING + timedelta(days=1)}, "bcde", {BEFORE: 1}),
        ({"until": BEGINNING + timedelta(days=4)}, "abcd", {AFTER: 1}),
        ({"chats": ("with 1",)}, "ab", {NOT_ASKED: 3}),
        ({"min_messages": 3}, "cde", {SHORT: 2}),
        ({"min_messages": 2, "until": BEGINNING + timedelta(days=3)}, "ab", {AFTER: 2, SHORT: 1}),
        ({"not_speakers": ("bob", "id-Ann")}, "bde", {UNHEARD: 2}),
        ({"not_speakers": ("Jon", "Bob", "Bob K.")}, "a", {UNHEARD: 4}),
        ({"not_speakers": ("Bob",), "chats": ("with 1",)}, "ab", {NOT_ASKED: 3}),
    ],
)
def test_what_is_not_wanted_is_counted(run, two_chats, wanted, texts, left_out):
    account, messages = run(two_chats, selection=Selection(**wanted))
    assert "".join(message.text for message in messages) == texts
    assert account.left_out == left_out
    assert account.sources[0].messages == 5


def test_doubles_make_no_chat_larger(run, two_chats):
    account, messages = run(two_chats, two_chats, selection=Selection(min_messages=3))
    assert [message.text for message in messages] == list("cde")
    assert account.left_out == {SHORT: 2}


@pytest.mark.parametrize(
    "wanted", [{"min_messages": 4}, {"not_speakers": ("Ann", "Bob", "Bob K.", "Jon")}]
)
def test_where_nothing_is_left_nothing_is_written(run, two_chats, tmp_path, wanted):
    chosen = {"report": tmp_path / "report.json", "selection": Selection(**wanted)}
    with pytest.raises(SourceError, match="All 5 messages are left out by what you asked for"):
        run(two_chats, **chosen)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["two.jsonl"]


def test_whoever_is_not_to_be_heard_is_so_by_every_name_and_in_every_chat(run, write):
    first = write("a.jsonl", ("1", "Jon", "a", True), ("1", "Bob", "b", False))
    second = write("b.jsonl", ("2", "Jon", "c", True), ("2", "bobby", "d", False), platform="q")
    wanted = Selection(not_speakers=("bobby",))
    account, messages = run(first, second, aliases=("Bob=bobby,id-Bob",), selection=wanted)
    assert [message.text for message in messages] == ["a", "c"]
    assert [chat.messages for chat in account.chats] == [1, 1]
    renamed = write("c.jsonl", ("1", "Jon", "a", True), ("1", "Bob", "b", False))
    renamed.write_text(renamed.read_text("utf-8").replace('"Bob"', '"Rob"'), "utf-8")
    both = write("d.jsonl", ("3", "Jon", "e", True), ("3", "Bob", "f", False))
    _, messages = run(renamed, both, selection=Selection(not_speakers=("Rob",)))
    assert [message.text for message in messages] == ["a", "e"]


def test_a_chat_in_which_nobody_else_spoke_is_not_told_of(run, write):
    chats = write("in.jsonl", ("1", "Bob", "a", False), ("2", "Bob", "b", False),
                  ("2", "Jon", "c", True))  # fmt: skip
    account, messages = run(chats, selection=Selection(not_speakers=("Bob",)))
    assert [message.text for message in messages] == ["c"]
    assert [chat.chat for chat in account.chats] == ["with 2"]


def test_whom_nobody_is_called_like_is_an_error_that_names_who_speaks(run, two_chats):
    with pytest.raises(NoSuchName, match=r"Nobody is called 'Rob'\. Who speaks: Jon \(2\), Ann"):
        run(two_chats, selection=Selection(not_speakers=("Bob", "Rob")))


def test_who_is_me_is_asked_for_the_chats_that_are_wanted_alone(run, write):
    known = write("known.jsonl", ("1", "Ann", "a", False), ("1", "Jon", "b", True))
    open_ = write("open.jsonl", ("2", "Al", "c", None), ("2", "Bo", "d", None), platform="q")
    with pytest.raises(OwnerUnknown, match="Who speaks there: Al"):
        run(known, open_)
    _, messages = run(known, open_, selection=Selection(not_chats=("with 2",)))
    assert [message.outgoing for message in messages] == [False, True]


def test_aliases_join_people_and_tell_who_is_me(run, write):
    first = write("a.jsonl", ("1", "Jonny", "a", None), ("1", "Bob", "b", None))
    second = write("b.jsonl", ("2", "J.", "c", None), ("2", "bobby", "d", None), platform="q")
    aliases = ("Bob=bobby", "Jon=Jonny,J.")
    account, messages = run(first, second, aliases=aliases, me=("jonny",))
    assert [(one.speaker_id, one.speaker) for one in messages] == [
        ("Jon", "Jon"), ("Bob", "Bob"), ("Jon", "Jon"), ("Bob", "Bob"),
    ]  # fmt: skip
    assert [one.outgoing for one in messages] == [True, False, True, False]
    assert {chat.owner for chat in account.chats} == {("Jon",)}


def test_an_alias_of_nobody_is_an_error_that_names_who_speaks(run, two_chats):
    with pytest.raises(NoSuchName, match=r"Nobody is called 'Rob'\. Who speaks: Jon \(2\), Ann"):
        run(two_chats, aliases=("Bob=Bob K.,Rob",))


def test_marks_of_what_is_mine_survive_an_alias(run, two_chats):
    _, messages = run(two_chats, aliases=("Me=Jon",))
    assert [message.speaker for message in messages if message.outgoing] == ["Me", "Me"]


def test_our_own_files_are_merged_with_new_exports(run, write):
    old = write("old.jsonl", ("1", "Ann", "a", False), ("1", "Jon", "b", True))
    new = write("new.jsonl", *(("1", who, text, None) for who, text in
                (("Ann", "a"), ("Jon", "B"), ("Jon", "c"))))  # fmt: skip
    account, messages = run(old, new)
    assert [(message.text, message.outgoing) for message in messages] == [
        ("a", False), ("B", True), ("c", True),
    ]  # fmt: skip
    assert [source.messages for source in account.sources] == [0, 3]


def test_strict_is_content_with_whole_sources(run, two_chats):
    assert run(two_chats, two_chats, strict=True)[0].messages == 5


@pytest.mark.parametrize(
    ("content", "error", "sentence"),
    [
        ("[1]\n", SourceError, r"flawed\.jsonl: a record cannot be used, at line 6: it"),
        (None, SourceError, r"gone\.jsonl does not exist"),
    ],
)
def test_strict_fails_on_any_flaw_and_writes_nothing(
    run, two_chats, tmp_path, content, error, sentence
):
    flawed = tmp_path / ("flawed.jsonl" if content else "gone.jsonl")
    if content:
        flawed.write_text(two_chats.read_text("utf-8") + content, "utf-8")
    chosen = {"report": tmp_path / "out" / "report.json"}
    run(two_chats, flawed, **chosen)
    for file in (tmp_path / "out").iterdir():
        file.unlink()
    with pytest.raises(error, match=sentence):
        run(two_chats, flawed, strict=True, **chosen)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_report_holds_the_whole_account(run, two_chats, tmp_path):
    report = tmp_path / "report.json"
    run(two_chats, tmp_path / "gone.txt", report=report, selection=Selection(chats=("1",)))
    told = json.loads(report.read_text("utf-8"))
    assert (told["messages"], told["outgoing"], told["left_out"]) == (2, 1, {NOT_ASKED: 3})
    gone, source = told["sources"]
    assert "does not exist" in gone["failed"]
    assert (source["format"], source["records"], source["failed"]) == (
        "messages of Likeness", 5, None,
    )  # fmt: skip
    assert source["me"] == {"Jon (the export marks what is mine)": 1}
    (chat,) = told["chats"]
    assert (chat["chat"], chat["me"], chat["messages"]) == ("with 1", ["Jon"], 2)
    assert chat["speakers"][0] == {"id": "id-Ann", "name": "Ann", "messages": 1}


def test_a_newer_version_of_our_file_is_refused_in_one_sentence(run, tmp_path, two_chats):
    newer = tmp_path / "newer.jsonl"
    newer.write_text(two_chats.read_text("utf-8").replace('"v": 1', '"v": 9'), "utf-8")
    with pytest.raises(DamagedSource, match=r"newer\.jsonl has version 9, .* update it"):
        run(newer)


ANDROID = """5/13/24, 21:58 - Mira: early
5/13/24, 22:01 - Mira: ok
5/13/24, 22:01 - Jon: no
5/13/24, 22:01 - Mira: ok
5/13/24, 22:01 - Jon: no
5/13/24, 22:02 - Mira: late
"""
IPHONE = """[13.05.24, 21:58:07] Mira: early
[13.05.24, 22:01:01] Mira: ok
[13.05.24, 22:01:09] Jon: no
[13.05.24, 22:01:30] Mira: ok
[13.05.24, 22:01:31] Jon: no
[13.05.24, 22:02:00] Mira: late
"""


def parts(text: str, folder: Path) -> list[Path]:
    """Write a chat whole, and cut within a minute: its beginning and its end."""
    lines = text.splitlines(keepends=True)
    paths = []
    for number, part in enumerate((lines, lines[:5], lines[:3], lines[2:], lines[3:], lines[4:])):
        path = folder / str(number) / "WhatsApp Chat with Mira.txt"
        path.parent.mkdir(parents=True)
        path.write_text("".join(part), "utf-8")
        paths.append(path)
    return paths


@pytest.mark.parametrize("text", [ANDROID, IPHONE], ids=["minutes", "seconds"])
def test_overlapping_exports_of_a_chat_make_it_whole(run, tmp_path, text):
    whole, earlier, *cut = parts(text, tmp_path)
    _, expected = run(whole, day_first=text is IPHONE)
    for pair in [*((whole, part) for part in cut), *((earlier, later) for later in cut[1:])]:
        for paths in (pair, pair[::-1]):
            account, messages = run(*paths, day_first=text is IPHONE)
            assert [(m.text, m.sent_at) for m in messages] == [
                (m.text, m.sent_at) for m in expected
            ]
            assert len({message.id for message in messages}) == 6
            doubles = sum(len(p.read_text("utf-8").splitlines()) for p in paths) - 6
            assert sum((s.rejected for s in account.sources), Counter()).total() == doubles


def test_exports_of_one_chat_from_two_kinds_of_phones_do_not_crash(run, tmp_path):
    android, *_ = parts(ANDROID, tmp_path / "a")
    iphone, *_ = parts(IPHONE, tmp_path / "i")
    _, messages = run(android, iphone)
    assert {message.text for message in messages} == {"early", "ok", "no", "late"}


def test_dates_are_read_as_the_person_says(run, tmp_path):
    path = tmp_path / "WhatsApp Chat with Mira.txt"
    path.write_text("3/4/24, 10:00 - Mira: a\n3/4/24, 10:01 - Jon: b\n", "utf-8")
    months = [run(path, day_first=said)[1][0].sent_at for said in (True, False)]
    assert months == [datetime(2024, 4, 3, 10, tzinfo=UTC), datetime(2024, 3, 4, 10, tzinfo=UTC)]
    account, _ = run(path, day_first=True, zone_name="UTC, said so")
    assert account.sources[0].zone == "UTC, said so"
