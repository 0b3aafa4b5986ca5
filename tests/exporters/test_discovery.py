"""What a folder holds beside exports: named if it could be a chat, and a flaw if asked for none."""

import errno
import os
import zipfile
from datetime import UTC
from pathlib import Path, PurePath

import pytest

from exporters.discovery import discover
from exporters.options import ExportOptions
from exporters.run import export
from likeness.errors import SourceError, UnrecognisedSource
from tests.exporters.test_samples import SAMPLES

ANDROID = SAMPLES / "whatsapp" / "android_en_24h.txt"
PARTS = {
    "slack": {"workspace": ["general/canvases.json", "integration_logs.json"]},
    "telegram": {
        "html_chat": ["files/notes.txt", "files/papers.zip", "lists/frequent.html"],
        "html_account": ["chats/chat_1/files/a.html", "lists/contacts.html"],
    },
    "discord": {"package": ["README.txt", "Servers/index.json", "Servers/1/guild.json",
                            "Activity/analytics/events-2024-0.json", "Servers/1/audit-log.json",
                            "messages/c9/channel.json", "messages/c9/messages.json"]},
    "messenger": {
        "download": ["messages/inbox/noor_77/files/bill.txt", "ads_information/seen.json"],
        "instagram": ["your_instagram_activity/likes/posts.json", "connections/friends/now.html"],
    },
    "signal": {"folders": ["Quay crew/index.html", "Quay crew/media/notes.txt"]},
    "cornell": {"films": ["README.txt", "movie_characters_metadata.txt", "raw_script_urls.txt"]},
    "convokit": {"films": ["corpus.json", "index.json", "info.parsed.jsonl"]},
}  # fmt: skip
EXPORTS = [(SAMPLES / app / name, parts) for app in PARTS for name, parts in PARTS[app].items()]


def left_alone(path: Path) -> list[str]:
    failures: list[str] = []
    found, names = discover([path], lambda name, _: failures.append(name))
    assert found
    assert not failures
    return names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of a good chat, two that nobody reads, and photos."""
    folder = tmp_path / "dl"
    (folder / "photos").mkdir(parents=True)
    (folder / "WhatsApp Chat with Ann.txt").write_bytes(ANDROID.read_bytes())
    (folder / "WhatsApp Chat with Bob.txt").write_text("Bob, on Monday: hello\n")
    (folder / "WhatsApp Chat with Zoe.txt").touch()
    (folder / "photos" / "1.jpg").write_bytes(b"\xff\xd8\0\0")
    return folder


def test_a_folder_that_may_not_be_read_is_told_and_does_not_hide_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "locked").mkdir()
    look = os.scandir

    def refused(path: str | Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", refused)
    told: list[tuple[str, SourceError]] = []
    found, _ = discover([folder], lambda *failure: told.append(failure))
    assert found
    [(name, error)] = told
    assert name == f"{folder.name}/locked"
    assert str(error) == f"{folder / 'locked'} cannot be read: Permission denied."


def strictly(folder: Path, output: Path) -> None:
    export([folder], output, ExportOptions(UTC, "UTC", ("Omar",), strict=True))


def test_what_could_be_a_chat_and_is_none_is_named(folder: Path):
    assert left_alone(folder) == ["dl/WhatsApp Chat with Bob.txt", "dl/WhatsApp Chat with Zoe.txt"]


def test_strict_refuses_it_and_writes_nothing(folder: Path, tmp_path: Path):
    for number in range(5):
        (folder / f"x{number}.json").write_text("{}")
    says = (
        r"^Not all that was given is an export that Likeness reads: dl/WhatsApp Chat with Bob\.txt,"
        r" dl/WhatsApp Chat with Zoe\.txt, dl/x0\.json, dl/x1\.json, dl/x2\.json and 2 more; leave"
    )
    with pytest.raises(SourceError, match=says):
        strictly(folder, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_a_zip_is_named_once_if_nothing_in_it_is_read_and_its_files_otherwise(folder: Path):
    for name, chats in (("none.zip", ()), ("some.zip", ("_chat.txt",)), ("photos.zip", ())):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("1.jpg", b"\xff\xd8\0\0")
            for chat in chats:
                archive.write(ANDROID, chat)
            for other in () if name == "photos.zip" else ("a.csv", "b.csv"):
                archive.writestr(other, "no rows")
    assert [name for name in left_alone(folder) if ".zip" in name] == [
        "dl/none.zip", "dl/some.zip/a.csv", "dl/some.zip/b.csv",
    ]  # fmt: skip


def test_a_path_that_leads_to_no_export_fails_alone(folder: Path):
    failures: list[tuple[str, type]] = []
    paths = [folder / "WhatsApp Chat with Ann.txt", folder / "WhatsApp Chat with Bob.txt"]
    found, names = discover(paths, lambda name, error: failures.append((name, type(error))))
    assert (len(found), names) == (1, [])
    assert failures == [("WhatsApp Chat with Bob.txt", UnrecognisedSource)]


@pytest.mark.parametrize(("export", "parts"), EXPORTS, ids=[path.name for path, _ in EXPORTS])
def test_what_apps_put_beside_chats_is_not_named_in_a_folder_or_a_zip(
    tmp_path: Path, export: Path, parts: list[str]
):
    files = {path.relative_to(export).as_posix(): path.read_bytes()
             for path in export.rglob("*") if path.is_file()}  # fmt: skip
    with zipfile.ZipFile(tmp_path / "papers.zip", "w") as papers:
        papers.writestr("a.txt", "nothing")
    files |= {part: (tmp_path / "papers.zip").read_bytes() if part.endswith(".zip") else b"nothing"
              for part in parts}  # fmt: skip
    (tmp_path / "zips").mkdir()
    with zipfile.ZipFile(tmp_path / "zips" / "export.zip", "w") as archive:
        for name, content in files.items():
            (tmp_path / "export" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "export" / name).write_bytes(content)
            archive.writestr(name, content)
    assert left_alone(tmp_path / "export") == []
    assert left_alone(tmp_path / "zips") == []


def test_pages_beside_the_json_that_tells_better_are_not_named(tmp_path: Path):
    page = (SAMPLES / "telegram" / "html_chat" / "messages.html").read_bytes()
    for name, content in (("messages.html", page), ("chats/chat_1/messages2.html", page)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "result.json").write_bytes((SAMPLES / "telegram" / "one_chat.json").read_bytes())
    assert left_alone(tmp_path) == []


def test_what_was_sent_in_a_whatsapp_chat_is_not_named(tmp_path: Path):
    (tmp_path / "_chat.txt").write_bytes((SAMPLES / "whatsapp" / "ios_en_crlf.txt").read_bytes())
    (tmp_path / "00000012-bill.txt").write_text("paid")
    (tmp_path / "20240501.txt").write_text("no chat")
    assert left_alone(tmp_path) == [f"{tmp_path.name}/20240501.txt"]


SENT = "WhatsApp Chat with Zed.txt"
CHATS = {
    "telegram": {"result.json": "telegram/one_chat.json", f"files/{SENT}": ""},
    "telegram account": {
        "result.json": "telegram/account.json", f"chats/chat_1/files/{SENT}": "",
    },
    "discord": {
        "Quay - general [99].csv": "discord/english_months.csv",
        f"Quay - general [99].csv_Files/{SENT}": "",
    },
    "iOS": {"_chat.txt": "whatsapp/ios_en_crlf.txt", f"00000004-{SENT}": ""},
    "a zip": {"_chat.txt": "whatsapp/ios_en_crlf.txt", "00000004-WhatsApp Chat - Zed.zip": ""},
    "Android": {"WhatsApp Chat with Ann.txt": "whatsapp/android_en_24h.txt", SENT: ""},
}  # fmt: skip


@pytest.mark.parametrize("app", CHATS)
@pytest.mark.parametrize("packed", [False, True])
def test_a_chat_that_somebody_sent_in_a_chat_is_none_of_mine(
    tmp_path: Path, app: str, packed: bool
):
    with zipfile.ZipFile(tmp_path / "sent.zip", "w") as archive:
        archive.write(ANDROID, "_chat.txt")
    top = tmp_path / ("zips" if packed else "WhatsApp Chat with Ann")
    top.mkdir()
    files = {name: (SAMPLES / sample).read_bytes() if sample else ANDROID.read_bytes()
             for name, sample in CHATS[app].items()}  # fmt: skip
    files |= {name: (tmp_path / "sent.zip").read_bytes() for name in files if name.endswith("zip")}
    chat, *_ = files
    if app == "Android":
        files[chat] += f"01/03/2024, 10:00 - Omar: {SENT} (file attached)\n".encode()
    if packed:
        with zipfile.ZipFile(top / "WhatsApp Chat with Ann (1).zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        for name, content in files.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_bytes(content)
    found, others = discover([top], lambda *_: None)
    assert [PurePath(source.name).name for source, _ in found] == [chat]
    assert others == []


def test_a_chat_of_which_the_one_beside_it_does_not_tell_was_not_sent_in_it(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "WhatsApp Chat with Ann.zip", "w") as archive:
        for name in ("WhatsApp Chat with Ann.txt", SENT):
            archive.write(ANDROID, name)
    found, _ = discover([tmp_path], lambda *_: None)
    assert len(found) == 2


def test_a_chat_that_was_sent_is_read_if_it_is_given_itself(tmp_path: Path):
    (tmp_path / "_chat.txt").write_bytes(ANDROID.read_bytes())
    (tmp_path / f"00000004-{SENT}").write_bytes(ANDROID.read_bytes())
    found, _ = discover([tmp_path / f"00000004-{SENT}"], lambda *_: None)
    assert len(found) == 1


def test_a_report_of_ours_is_not_named(folder: Path, tmp_path: Path):
    options = ExportOptions(UTC, "UTC", ("Omar",), report=folder / "report.json")
    export([folder], tmp_path / "out.jsonl", options)
    assert "dl/report.json" not in left_alone(folder)


def test_metas_html_is_told_apart_and_where_the_rest_is_explained(tmp_path: Path):
    page = tmp_path / "download" / "messages" / "inbox" / "ann_1" / "message_1.html"
    page.parent.mkdir(parents=True)
    page.write_text("<html><body>Ann</body></html>")
    with zipfile.ZipFile(tmp_path / "download.zip", "w") as file:
        file.write(page, "messages/inbox/ann_1/message_1.html")
    failures: list[str] = []
    for path in (tmp_path / "download", page, tmp_path / "download.zip"):
        discover([path], lambda _, error: failures.append(str(error)))
        assert "export it again, in the format JSON" in failures[-1]
    (tmp_path / "letter.html").write_text("<html><body>Ann</body></html>")
    discover([tmp_path / "letter.html"], lambda _, error: failures.append(str(error)))
    assert "format JSON" not in failures[-1]
    assert failures[-1].endswith("docs/exporting.md says how to export from each app.")
