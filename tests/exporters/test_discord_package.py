"""Discord's data package: whose it is, and what its channels are called."""

import json
from datetime import UTC
from pathlib import Path
from zipfile import ZipFile

import pytest

from exporters import find_exporter
from exporters.folders import find_files
from exporters.sources import Reading, sources_in
from likeness.messages import Message, Rejected

ENTRY = {"ID": 2**60 + 1, "Timestamp": "2024-05-01 08:00:00", "Contents": "moin", "Attachments": ""}
DIRECT = {"id": "601", "type": "DM", "recipients": ["11", "12"]}
USER = {"id": "11", "username": "mira", "global_name": None}


@pytest.fixture(params=["folder", "zip"])
def read(request, tmp_path):
    """Return a function that reads all messages of a package with these files."""

    def read(files: dict[str, object]) -> tuple[list[Message | Rejected], list[Reading]]:
        folder = tmp_path / "package"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        top = folder
        if request.param == "zip":
            top = tmp_path / "package.zip"
            with ZipFile(top, "w") as archive:
                for name in files:
                    archive.write(folder / name, name)
        return _read(top)

    return read


def _read(top: Path):
    records, readings = [], []
    for file in find_files(top):
        for source in sources_in(file, file.name):
            if exporter := find_exporter(source):
                assert exporter.name == "Discord data package"
                readings.append(Reading(UTC))
                records += exporter.read(source, readings[-1])
    return records, readings


def test_the_owner_is_the_accounts_user(read):
    files = {"messages/c601/messages.json": [ENTRY], "account/user.json": USER}
    (message,), (reading,) = read(files)
    assert (message.speaker_id, message.speaker, message.outgoing) == ("11", "mira", True)
    assert message.id == str(2**60 + 1)
    assert len(reading.remarks) == 1
    assert "DiscordChatExporter" in reading.remarks[0]


def test_each_of_two_packages_in_one_zip_has_an_owner_of_its_own(tmp_path):
    with ZipFile(tmp_path / "both.zip", "w") as both:
        for name, user in (("a.zip", USER), ("b.zip", {"id": "21", "username": "jon"})):
            with ZipFile(tmp_path / name, "w") as archive:
                archive.writestr("account/user.json", json.dumps(user))
                archive.writestr("messages/c601/messages.json", json.dumps([ENTRY]))
            both.write(tmp_path / name, name)
    records, _ = _read(tmp_path / "both.zip")
    assert [message.speaker for message in records] == ["mira", "jon"]


def test_without_an_account_the_owner_is_who_is_in_all_direct_chats(read):
    files = {
        "Nachrichten/c601/messages.json": [ENTRY],
        "Nachrichten/c601/channel.json": DIRECT,
        "Nachrichten/c602/channel.json": {**DIRECT, "id": "602", "recipients": ["13", "11"]},
    }
    (message,), _ = read(files)
    assert (message.chat_id, message.speaker_id, message.speaker) == ("601", "11", "me")


def test_an_owner_whom_nothing_tells_is_said_to_be_unknown(read):
    files = {"messages/c601/messages.json": [ENTRY], "messages/c601/channel.json": DIRECT}
    (message,), (reading,) = read(files)
    assert message.speaker_id == "me"
    assert "does not tell your id" in reading.remarks[1]


@pytest.mark.parametrize(
    ("listed", "channel", "name"),
    [
        ("Direct Message with jon#0", DIRECT, "jon"),
        ("Direct Message with jon#0420", DIRECT, "jon#0420"),
        (
            "pier in Harbour",
            {"id": "601", "name": "pier", "guild": {"name": "Harbour"}},
            "Harbour / pier",
        ),
        ("pier in Harbour", {"id": "601"}, "pier in Harbour"),
        (None, {"id": "601"}, "601"),
        ("Nachricht an jon", "not JSON", "Nachricht an jon"),
    ],
)
def test_a_channel_is_called_as_the_package_calls_it(read, listed, channel, name):
    files = {
        "messages/c601/messages.json": [ENTRY],
        "messages/c601/channel.json": channel,
        "messages/index.json": {"601": listed},
    }
    (message,), _ = read(files)
    assert (message.chat_id, message.chat) == ("601", name)


@pytest.mark.parametrize("folder", ["messages/601", "Messages/c601", "x/601"])
def test_old_and_new_folders_tell_the_channel(read, folder):
    csv = (
        f'ID,Timestamp,Contents,Attachments\n{2**60 + 1},2024-05-01 08:00:00+00:00,"moin\nmoin",\n'
    )
    (message,), _ = read({f"{folder}/messages.csv": csv})
    assert (message.chat_id, message.text, message.kind) == ("601", "moin\nmoin", "text")


def test_the_own_id_in_the_channels_file_is_used_where_the_folder_was_renamed(read):
    files = {"messages/jon/messages.json": [ENTRY], "messages/jon/channel.json": DIRECT}
    (message,), _ = read(files)
    assert message.chat_id == "601"


def test_an_entry_of_a_wrong_shape_is_rejected(read):
    wrong = [{**ENTRY, "Timestamp": "noon"}, {**ENTRY, "ID": "x"}, 7, {**ENTRY, "Contents": 1}]
    records, _ = read({"messages/c601/messages.json": [ENTRY, *wrong]})
    assert [record.where for record in records[1:]] == ["[1]", "[2]", "[3]", "[4]"]
