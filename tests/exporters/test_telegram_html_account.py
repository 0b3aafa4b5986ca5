"""A Telegram account exported as HTML: whose it is, and what of it is left out or left to JSON."""

import json
from datetime import UTC
from functools import partial
from zipfile import ZipFile

import pytest

from exporters.sources import Reading, sources_in
from exporters.telegram_html import TELEGRAM_HTML
from likeness.messages import Notice
from tests.exporters.telegram_pages import kinds, message, page, read_pages, said


@pytest.fixture
def read(tmp_path):
    """Return a function that writes files and reads all pages among them."""
    return partial(read_pages, tmp_path / "export")


def chat_list(*chats):
    return "<html><body>" + "".join(
        f'<a class="entry block_link clearfix" href="../chats/chat_{n:02}/messages.html#back">'
        f'<div class="body"><div class="pull_right info details">{kind}</div>'
        f'<div class="name bold">\n{name} \n</div></div></a>'
        for n, (name, kind) in enumerate(chats, 1)
    )


def account(*chats, owner="Jon"):
    files = {
        f"chats/chat_{n:02}/messages.html": page(
            message(n, name=name), title=owner if name == "Saved messages" else name
        )
        for n, (name, _) in enumerate(chats, 1)
    }
    rows = f'<div class="row"><div class="value bold">{owner}</div></div>'
    results = (
        f'<html><div class="personal_info clearfix"><div class="rows names">{rows}</div></div>'
    )
    return {**files, "lists/chats.html": chat_list(*chats), "export_results.html": results}


def test_an_account_tells_its_owner_and_its_lists_are_no_chats(read):
    records, readings = read(account(("Mira", "private"), ("Boat", "group")))
    assert said(records) == [("Mira", "t1"), ("Boat", "t2")]
    for record, reading in zip(records, readings, strict=True):
        assert reading.owner == {record.chat_id: ("Jon", "the account names its owner")}


def test_a_chat_has_one_id_alone_and_in_the_account_unless_another_bears_its_name(read):
    alone = read(page(message(1)))[0][0].chat_id
    in_account, *twins = (
        record.chat_id
        for record in read(account(("Mira", "private"), ("Sal", "private"), ("Sal", "group")))[0]
        if record.chat_id != alone or record.text == "t1"
    )
    assert alone == in_account
    assert len({alone, *twins}) == 3


@pytest.mark.parametrize(
    ("switch", "name", "kind", "reason"),
    [
        ("bots", "Helper", "bot", "in a chat with a bot"),
        ("channels", "News", "channel", "in a channel"),
        ("saved", "Saved messages", "private", "in Saved Messages"),
        (None, "Replies", "private", "in the Replies chat"),
        (None, "Verification Codes", "private", "a verification code"),
        (None, "Telegram", "private", "a verification code"),
    ],
)
def test_what_is_no_conversation_is_left_out_of_an_account(read, switch, name, kind, reason):
    files = account((name, kind))
    assert read(files)[0] == [Notice(reason)]
    others = {"bots", "channels", "saved"} - {switch}
    assert read(files, include=others)[0] == [Notice(reason)]
    if switch:
        assert len(said(read(files, include=[switch])[0])) == 1


def test_a_bots_own_words_are_automated(read):
    assert kinds(read(account(("Helper", "bot")), include=["bots"])[0]) == ["automated"]


def test_login_codes_never_come_out_of_a_chat_exported_alone(read):
    for name in ("Verification Codes", "Telegram"):
        assert read(page(message(1, name=name), title=name))[0] == [Notice("a verification code")]


RESULT = json.dumps({"name": "Mira", "type": "personal_chat", "id": 7, "messages": []})


@pytest.mark.parametrize("where", ["result.json", "../../result.json"])
def test_pages_beside_a_json_of_the_same_are_left_to_it(read, where):
    folder = "export/chats/chat_1/"
    pages = {f"{folder}messages.html": page(message(1))}
    assert len(read(pages)[0]) == 1
    assert read({**pages, f"{folder}{where}": RESULT})[0] == []


def test_a_json_of_something_else_beside_pages_changes_nothing(read):
    assert len(read({"messages.html": page(message(1)), "result.json": "{}"})[0]) == 1


def test_pages_in_a_zip_are_read_as_in_a_folder(tmp_path):
    with ZipFile(tmp_path / "export.zip", "w") as archive:
        for name, content in account(("Mira", "private"), ("News", "channel")).items():
            archive.writestr(f"Export/{name}", content)
    found = [s for s in sources_in(tmp_path / "export.zip", "z") if TELEGRAM_HTML.recognises(s)]
    records = [record for source in found for record in TELEGRAM_HTML.read(source, Reading(UTC))]
    assert said(records) == [("Mira", "t1")]
    assert records[1:] == [Notice("in a channel")]
