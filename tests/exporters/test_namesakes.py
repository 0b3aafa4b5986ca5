"""Two chats of one name, and one chat under two names, are told as such."""

from datetime import UTC, datetime

import pytest

from exporters.options import ExportOptions
from exporters.run import export
from exporters.selection import Selection

NAME = "WhatsApp Chat with Ann.txt"


def chat(*days, who="Ann"):
    return "".join(f"{day:02}/03/2022, 14:56 - {who}: t{day}\n" for day in days)


def remarks(tmp_path, one, other, **options):
    for folder, text in (("a", one), ("b", other)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / NAME).write_text(text, "utf-8")
    paths = [tmp_path / folder / NAME for folder in "ab"]
    account = export(paths, tmp_path / "out", ExportOptions(UTC, "UTC", ("Jo",), **options))
    return [remark for source in account.sources for remark in source.remarks if "name" in remark]


EVER = Selection(since=datetime(1, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("options", [{}, {"selection": EVER}])
def test_two_chats_at_one_time_that_share_nothing_are_told(tmp_path, options):
    (remark,) = remarks(tmp_path, chat(1, 13, 20), chat(2, 14, 21) + chat(22, who="Jo"), **options)
    assert remark.startswith(f"It bears the name of {NAME}, reaches over the same days and")


def test_that_they_answered_alike_once_makes_no_difference(tmp_path):
    one, other = chat(*range(1, 30, 2)), chat(*range(2, 31, 2))
    assert len(remarks(tmp_path, one + chat(30), other + chat(31, who="Jo"))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [(chat(1, 13, 20), chat(13, 20, 21)), (chat(1, 13), chat(14, 20))],
    ids=["they overlap", "one after the other"],
)
def test_two_exports_of_one_chat_are_not(tmp_path, one, other):
    assert not remarks(tmp_path, one + chat(1, who="Jo"), other)


def alike(tmp_path, texts, **options):
    """Return what is said of files being one chat, and how many messages were written."""
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    paths = [tmp_path / name for name in texts]
    account = export(paths, tmp_path / "out", ExportOptions(UTC, "UTC", ("Jo",), **options))
    said = {
        source.name: remark
        for source in account.sources
        for remark in source.remarks
        if "count twice" in remark
    }
    return said, account.messages


BOTH = chat(*range(1, 10)) + chat(10, who="Jo")


@pytest.mark.parametrize("options", [{}, {"selection": EVER}])
def test_one_chat_under_two_names_is_told_with_what_to_do(tmp_path, options):
    texts = {NAME: BOTH, "_chat.txt": chat(2) + BOTH}
    said, messages = alike(tmp_path, texts, **options)
    assert messages == 21
    assert said == {
        "_chat.txt": f"It shares most messages with {NAME} under another name, and they count "
        "twice: if they are one chat, leave one out, or name both files alike."
    }


def test_so_is_one_whose_file_and_person_were_renamed(tmp_path):
    texts = {NAME: BOTH, "WhatsApp Chat with Ann V.txt": BOTH.replace("Ann", "Ann V")}
    assert list(alike(tmp_path, texts)[0]) == ["WhatsApp Chat with Ann V.txt"]


def test_a_numbered_copy_is_the_same_chat(tmp_path):
    names = NAME, "WhatsApp Chat - Ann 2.txt", "WhatsApp Chat with Ann-1.txt"
    assert alike(tmp_path, dict.fromkeys(names, BOTH)) == ({}, 10)


def test_what_was_sent_to_two_chats_does_not_make_them_one(tmp_path):
    other = "WhatsApp Chat with Bo.txt"
    sent = chat(1, 2, 3, 4, 5, 6, who="Jo")
    texts = {NAME: sent + chat(*range(7, 20)), other: sent + chat(*range(20, 32), who="Bo")}
    assert alike(tmp_path, texts)[0] == {}
    few = chat(1, 2, 3, who="Jo")
    assert alike(tmp_path, {NAME: few + chat(4), other: few})[0] == {}


@pytest.mark.slow
def test_long_chats_are_compared_by_a_part_of_their_messages(tmp_path):
    lines = [
        f"{day:02}/03/2022, {minute // 60:02}:{minute % 60:02} - {who}: {minute}\n"
        for day in (13, 14, 15)
        for minute in range(500)
        for who in ("Ann", "Jo")
    ]
    texts = {NAME: "".join(lines), "_chat.txt": "".join(lines[1200:])}
    assert list(alike(tmp_path, texts)[0]) == ["_chat.txt"]
