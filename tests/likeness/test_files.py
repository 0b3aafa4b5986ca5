import os
from pathlib import Path

import pytest

from likeness.errors import BadLine, LikenessError, MessagesError, UnknownVersion
from likeness.files import fingerprint, read_messages, whole_file


def test_messages_are_read_in_the_order_of_the_file(tmp_path: Path, say):
    sent = [say("me", "one"), say("ann", "two\nlines"), say("me", "three")]
    path = tmp_path / "messages.jsonl"
    path.write_text("\n".join(message.to_json() for message in sent) + "\n\n", encoding="utf-8")
    counted: list[int] = []
    assert list(read_messages(path, counted.append)) == sent
    assert sum(counted) == path.stat().st_size


def test_a_file_that_is_an_export_is_told_what_makes_messages_of_it(tmp_path: Path):
    path = tmp_path / "_chat.txt"
    path.write_text("[01.02.24, 10:00:00] Ann: hi\n", encoding="utf-8")
    with pytest.raises(BadLine, match=r"line 1: it is not JSON\. If .* with `likeness export`\."):
        list(read_messages(path))


def test_a_bad_line_is_named_by_file_and_number(tmp_path: Path, say):
    path = tmp_path / "messages.jsonl"
    path.write_text(say("me", "one").to_json() + "\n{\n", encoding="utf-8")
    with pytest.raises(BadLine, match=r"messages\.jsonl, line 2: it is not JSON\."):
        list(read_messages(path))
    path.write_bytes(b'{"v": 9}\n')
    with pytest.raises(UnknownVersion, match="line 1"):
        list(read_messages(path))
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(BadLine, match="UTF-8"):
        list(read_messages(path))


def test_a_file_that_is_absent_or_empty_says_so(tmp_path: Path):
    with pytest.raises(MessagesError, match="cannot be read: No such file"):
        list(read_messages(tmp_path / "none.jsonl"))
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(MessagesError, match="holds no message"):
        list(read_messages(tmp_path / "empty.jsonl"))


def test_a_file_appears_whole_and_for_its_owner_alone(tmp_path: Path):
    path = tmp_path / "deep" / "file.txt"
    with whole_file(path) as file:
        file.write("words\n")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "words\n"
    assert path.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_when_writing_fails_what_stood_there_before_stays(tmp_path: Path, error):
    path = tmp_path / "file.txt"
    path.write_text("before", encoding="utf-8")

    def write_and_fail() -> None:
        with whole_file(path) as file:
            file.write("after")
            raise error

    with pytest.raises(error):
        write_and_fail()
    assert path.read_text(encoding="utf-8") == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


def test_what_a_link_points_to_is_written(tmp_path: Path):
    (link := tmp_path / "link").symlink_to(tmp_path / "deep" / "file.txt")
    with whole_file(link) as file:
        file.write("words\n")
    assert link.readlink() == tmp_path / "deep" / "file.txt"
    assert link.read_text(encoding="utf-8") == "words\n"


def test_a_link_to_itself_is_told(tmp_path: Path):
    (link := tmp_path / "link").symlink_to("link")
    with pytest.raises(LikenessError, match="it is a link to itself"), whole_file(link):
        pass
    assert link.is_symlink()


def test_only_a_file_is_replaced(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "link"):
        with pytest.raises(LikenessError, match="give the name of a file"), whole_file(path):
            pass
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(LikenessError, match="cannot be written"), whole_file(tmp_path / "file/x"):
        pass


def test_the_fingerprint_is_the_sha256(tmp_path: Path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert fingerprint(path).startswith("ba7816bf8f01cfea")
