"""A chat given as a better and as a lesser export stands once, with what either alone holds."""

import json
from datetime import UTC

import pytest

from exporters.account import DOUBLE
from exporters.options import ExportOptions
from exporters.run import export
from likeness.files import read_messages
from tests.exporters.telegram_pages import message, page, words
from tests.exporters.test_discord_forms import HEADER
from tests.exporters.test_discord_forms import on_page as on_discord_page
from tests.exporters.test_discord_forms import page as discord_page
from tests.exporters.test_discord_forms import text as discord_text

DAY = 1_720_947_600  # 14 July 2024, 9:00 UTC


def telegram(*messages, name="Mira", id_=42):
    entries = [
        {
            "id": number,
            "type": "message",
            "date": "2024-07-14T10:00:00",
            "date_unixtime": str(DAY + 60 * number),
            "from": speaker,
            "from_id": f"user{42 if speaker == 'Mira' else 7}",
            "text": text,
        }
        for number, speaker, text in messages
    ]
    chat = {"name": name, "type": "personal_chat", "id": id_, "messages": entries}
    return json.dumps(chat, indent=1)


def on_page(number, speaker, text):
    return message(
        number, words(text), name=speaker, date=f"14.07.2024 10:{number:02}:00 UTC+01:00"
    )


def channel(*messages):
    entries = [
        {
            "id": str(place),
            "type": "Default",
            "timestamp": f"2024-07-14T09:{number:02}:07.5+00:00",
            "content": text,
            "author": {"id": "5" if name == "mira" else "6", "name": name, "isBot": False},
            "attachments": [],
        }
        for place, (number, name, text) in enumerate(messages)
    ]
    where = {"guild": {"id": "1", "name": "Quay"}, "channel": {"id": "99", "name": "general"}}
    return json.dumps({**where, "messages": entries, "messageCount": len(entries)})


def table(*messages):
    lines = (
        f'"{5 if name == "mira" else 6}","{name}","2024-07-14T09:{n:02}:07.5Z","{text}","",""\n'
        for n, name, text in messages
    )
    return f"{HEADER}\n{''.join(lines)}"


@pytest.fixture
def exported(tmp_path):
    """Return a function that writes files, exports them, and returns what came of them."""

    def run(files, me=("Jon", "jon"), grows=False):
        paths = []
        for name, content in files.items():
            paths.append(tmp_path / name)
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            paths[-1].write_text(content, encoding="utf-8")
        out = tmp_path / "messages.jsonl"
        paths += [out] if grows else []
        account = export(paths, out, ExportOptions(UTC, "UTC", me))
        assert account.balanced
        return list(read_messages(out)), account

    return run


def told(messages):
    return [(m.chat_id, m.id, m.speaker_id, m.text) for m in messages]


OLD, BOTH, NEW = (1, "Mira", "old"), (2, "Jon", "both"), (3, "Mira", "new")


@pytest.mark.parametrize("html_first", [True, False])
def test_telegrams_html_adds_to_its_json_what_that_lacks(exported, html_first):
    files = {
        "html/messages.html": page(on_page(*OLD), on_page(*BOTH)),
        "json/result.json": telegram(BOTH, NEW),
    }
    order = list(files) if html_first else list(reversed(files))
    messages, account = exported({name: files[name] for name in order})

    assert told(messages) == [
        ("42", "1", "user42", "old"),
        ("42", "2", "user7", "both"),
        ("42", "3", "user42", "new"),
    ]
    assert [source.rejected[DOUBLE] for source in account.sources] == [0, 1]


def test_pages_that_share_no_message_with_the_json_follow_those_beside_them_that_do(exported):
    messages, _ = exported(
        {
            "html/messages.html": page(on_page(*OLD)),
            "html/messages2.html": page(on_page(*BOTH)),
            "other/messages.html": page(on_page(1, "Jon", "to another Mira")),
            "json/result.json": telegram(BOTH, NEW),
        }
    )

    assert [m.text for m in messages if m.chat_id == "42"] == ["old", "both", "new"]
    assert len(messages) == 4


def test_two_chats_of_one_name_that_share_no_message_stay_two(exported):
    messages, _ = exported(
        {
            "html/messages.html": page(on_page(*OLD), on_page(50, "Jon", "both")),
            "json/result.json": telegram((50, "Jon", "other"), NEW).replace(
                str(DAY + 3000), str(DAY + 3007)
            ),
        }
    )

    assert len(messages) == 4
    assert len({m.chat_id for m in messages}) == 2


def test_a_channel_as_json_csv_and_text_stands_once(exported):
    said = [(1, "mira", "ahoy"), (2, "jon", "ok"), (2, "jon", "ok")]
    rows = [*said, (2, "jon", "ok"), (3, "mira", "bye")]
    heads = [f"[07/14/2024 9:{n:02} AM] {name}\n{text}" for n, name, text in rows]
    messages, _ = exported(
        {
            "Quay - general [99].csv": table(*rows),
            "Quay - general [99].json": channel(*said),
            "Quay - general [99].txt": discord_text(*heads),
        }
    )

    assert [(m.speaker_id, m.text) for m in messages] == [
        ("5", "ahoy"), ("6", "ok"), ("6", "ok"), ("6", "ok"), ("5", "bye"),
    ]  # fmt: skip
    assert {m.chat_id for m in messages} == {"99"}


POORER = {
    "package/messages/c99/messages.json": json.dumps(
        [{"ID": 1, "Timestamp": "2024-07-14 09:01:07", "Contents": "poor", "Attachments": ""}]
    ),
    "Quay - general [99].html": discord_page(on_discord_page(1, "poor")),
}


@pytest.mark.parametrize("json_first", [True, False])
@pytest.mark.parametrize("name", POORER)
def test_what_tells_less_of_discord_does_not_take_the_place_of_the_json(exported, name, json_first):
    files = {
        "Quay - general [99].json": channel((0, "jon", "hi"), (1, "jon", "rich")),
        name: POORER[name],
    }
    order = list(files) if json_first else list(reversed(files))
    messages, _ = exported({one: files[one] for one in order})
    assert [message.text for message in messages] == ["hi", "rich"]


SAID = [(1, "mira", "ahoy"), (2, "jon", "ok"), (2, "jon", "ok")]
LESSER = {
    "html/messages.html": page(on_page(*OLD), on_page(*BOTH)),
    "Quay - general [99].csv": table((0, "mira", "first"), *SAID),
}
BETTER = {
    "json/result.json": telegram(BOTH, NEW),
    "Quay - general [99].json": channel(*SAID, (3, "mira", "bye")),
}


@pytest.mark.parametrize(("earlier", "later"), [(LESSER, BETTER), (BETTER, LESSER)])
def test_our_own_file_grows_by_another_form_of_its_chats_as_if_both_were_given(
    exported, earlier, later
):
    together, _ = exported(LESSER | BETTER)
    exported(earlier)
    grown, account = exported(later, me=(), grows=True)

    assert told(grown) == told(together)
    assert [m.outgoing for m in grown] == [m.outgoing for m in together]
    assert sum(source.rejected[DOUBLE] for source in account.sources) == 4


def test_of_an_edited_message_in_two_pages_the_later_stays_beside_a_json_too(exported):
    files = {
        "1/messages.html": page(on_page(1, "Mira", "typo"), on_page(*BOTH), title="Jo"),
        "2/messages.html": page(on_page(1, "Mira", "type"), on_page(*BOTH), title="Jo"),
        "json/result.json": telegram(BOTH, NEW),
    }
    messages, _ = exported(files)
    assert [m.text for m in messages if m.chat == "Jo"] == ["type", "both"]


def test_names_can_be_joined_that_only_a_lesser_export_still_bears(tmp_path):
    said = (1, "jon", "ahoy"), (2, "mira", "moin")
    (tmp_path / "a [99].json").write_text(channel(*said), "utf-8")
    (tmp_path / "b [99].csv").write_text(table(*said), "utf-8")
    out, options = tmp_path / "out.jsonl", ExportOptions(UTC, "UTC", ("Jo",), aliases=("Jo=jon",))
    export([tmp_path / "a [99].json"], out, options)
    account = export([out, tmp_path / "b [99].csv"], out, options)
    assert [(one.speaker, one.outgoing) for one in read_messages(out)] == [
        ("Jo", True), ("mira", False),
    ]  # fmt: skip
    assert account.balanced
