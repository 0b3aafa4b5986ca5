"""`likeness export` as a person uses it: what may be chosen, and what is printed."""

import json
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from likeness.cli import main
from likeness.messages import Message
from tests.conftest import BEGINNING

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that exports a chat of three days in an empty folder."""
    monkeypatch.chdir(tmp_path)
    said = [("Ann", False), ("Jon", True), ("Ann K.", False)]
    lines = [
        Message("p", "7", "[Ann] :smile:", str(day), who, who, mine,
                BEGINNING + timedelta(days=day), "t").to_json()
        for day, (who, mine) in enumerate(said)
    ]  # fmt: skip
    Path("in.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")

    def run(*options: str, fails: int = 0) -> Result:
        result = CliRunner().invoke(main, ["export", "in.jsonl", "-o", "out.jsonl", *options])
        assert result.exit_code == fails, result.output + str(result.exception)
        return result

    return run


def written() -> list[dict[str, str]]:
    return [json.loads(line) for line in Path("out.jsonl").read_text("utf-8").splitlines()]


def test_the_account_says_what_was_recognised_and_balances(run: Run):
    printed = run().stdout
    for told in (
        "format     messages of Likeness",
        "template   messages.jsonl, version 1",
        "time zone  as the export tells it",
        "me         Jon (the export marks what is mine)",
        "[Ann] :smile:",
        "out.jsonl: 3 messages, 1 of them mine",
    ):
        assert told in printed


def test_both_days_are_within_and_the_rest_is_counted(run: Run):
    printed = run("--since", "2024-03-02", "--until", "2024-03-02", "--tz", "UTC").stdout
    assert [line["id"] for line in written()] == ["1"]
    assert "3 messages = 1 written + 2 left out" in printed
    assert "1 before --since, 1 after --until" in printed


def test_a_day_is_one_of_the_zone(run: Run):
    run("--since", "2024-03-02", "--tz", "Pacific/Kiritimati")
    assert [line["id"] for line in written()] == ["0", "1", "2"]


def test_names_are_joined_and_the_report_is_written(run: Run):
    run(
        "--alias", "Ann=Ann K.", "--report", "report.json", "--chat", "*ann*", "--min-messages", "3"
    )
    assert [line["speaker"] for line in written()] == ["Ann", "Jon", "Ann"]
    report = json.loads(Path("report.json").read_text("utf-8"))
    assert report["balanced"]
    assert report["messages"] == 3


def test_strict_writes_nothing_when_something_cannot_be_used(run: Run):
    with Path("in.jsonl").open("a", encoding="utf-8") as file:
        file.write("oops\n")
    said = run("--strict", fails=1).stderr
    assert "Error: in.jsonl: a record cannot be used, at line 4: it is not JSON" in said
    assert not Path("out.jsonl").exists()
    assert "rejected   line 4: it is not JSON" in run().stdout


def test_what_a_person_said_is_left_out_and_counted(run: Run):
    printed = run("--not-speaker", "ann", "--not-speaker", "Ann K.").stdout
    assert [line["speaker"] for line in written()] == ["Jon"]
    assert "left out: 2 of those in --not-speaker" in printed


def test_the_count_of_rows_is_that_of_the_rows_written(run: Run):
    wordless = Message("p", "7", "[Ann] :smile:", "9", "Ann", "Ann", False, BEGINNING, "")
    with Path("in.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{wordless.to_json()}\n")
    printed = run("--format", "rows").stdout
    assert len(json.loads(Path("out.jsonl").read_text("utf-8"))) == 3
    assert "out.jsonl: 3 messages, 1 of them mine" in printed
    assert "left out: 1 of bots, deleted or without words, which rows do not hold" in printed


def test_what_is_no_export_in_a_folder_is_named_and_strict_fails_on_it(run: Run):
    folder = Path("dl")
    folder.mkdir()
    for name in ("WhatsApp Chat with Zoe.txt", "photo.jpg"):
        (folder / name).touch()
    (folder / "again.jsonl").write_bytes(Path("in.jsonl").read_bytes())
    said = run("dl").stderr
    assert "Left alone, as no export that Likeness reads: dl/WhatsApp Chat with Zoe.txt\n" in said
    Path("out.jsonl").unlink()
    said = run("dl", "--strict", fails=1).stderr
    assert "Likeness reads: dl/WhatsApp Chat with Zoe.txt; leave out --strict" in said
    assert not Path("out.jsonl").exists()


def test_an_export_is_not_written_onto(run: Run):
    (before := Path("result.json")).write_text("somebody's only export", "utf-8")
    said = run("result.json", "-o", "result.json", fails=1).stderr
    assert "Error: result.json is one of the sources: give -o another name." in said
    assert before.read_text("utf-8") == "somebody's only export"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_writing_leaves_nothing_half_written(
    run: Run, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
):
    before = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    monkeypatch.setattr(Message, "to_json", lambda _: signal.raise_signal(number))
    try:
        run("--alias", "Ann=Ann K.", fails=128 + number)
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)
    assert [path.name for path in Path().iterdir()] == ["in.jsonl"]


def test_a_terminal_that_closes_stops_nothing_under_nohup(
    run: Run, monkeypatch: pytest.MonkeyPatch
):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    write = Message.to_json
    monkeypatch.setattr(
        Message, "to_json", lambda said: signal.raise_signal(signal.SIGHUP) or write(said)
    )
    try:
        run("--alias", "Ann=Ann K.")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert len(written()) == 3


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        (["--alias", "Bob"], 2, "'Bob' does not look like 'Bob=Bob K.,bobby'"),
        (["--alias", "Bob=Rob"], 1, "Nobody is called 'Rob'. Who speaks: "),
        (["--not-speaker", "Rob"], 1, "Nobody is called 'Rob'. Who speaks: "),
        (["--chat", "Zed"], 1, "No chat is called 'Zed'. The chats: [Ann] :smile:."),
        (["--since", "yesterday"], 2, "yesterday"),
        (["--since", "2024-03-02", "--until", "2024-03-01"], 2, "--since is a later day"),
        (["--until", "9999-12-31"], 2, "--until: no such day in any chat"),
        (["--since", "2025-01-01"], 1, "All 3 messages are left out by what you asked for."),
        (["--include", "spam"], 2, "spam"),
        (["--tz", "Mars/Base"], 2, "there is no time zone 'Mars/Base'"),
        ([""], 2, "'SOURCES...': it is empty."),
        (["-o", ""], 2, "'-o' / '--output': it is empty."),
        (["-o", "-"], 2, "'-o' / '--output': it is read and written whole: name a file."),
        (["--report", ""], 2, "'--report': it is empty."),
        (["-o", "pipe"], 1, "pipe is a folder or a device: give the name of a file."),
        (["--report", "pipe"], 1, "pipe is a folder or a device: give the name of a file."),
        (["--report", "in.jsonl/report"], 1, "in.jsonl/report cannot be written: "),
    ],
)
def test_a_choice_that_does_not_fit_is_told_and_nothing_is_written(
    run: Run, options: list[str], code: int, complaint: str
):
    os.mkfifo("pipe")
    assert complaint in run(*options, fails=code).stderr
    assert not Path("out.jsonl").exists()


def test_a_day_that_is_none_is_told_how_to_be_written(run: Run) -> None:
    said = run("--since", "1.1.2024", fails=2).stderr
    assert "'1.1.2024' is no day: write it as 2024-01-31." in said
