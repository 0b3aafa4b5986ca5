"""The command as a person uses it: from an export to an answer, and every way to get it wrong."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner, Result

from likeness.cli import main
from tests.conftest import REPOSITORY

DEMO = REPOSITORY / "demo" / "chats"
TINY = [
    f"--set={setting}"
    for setting in (
        "layers=1", "width=32", "heads=2", "vocabulary=400", "context_tokens=64", "epochs=1",
        "batch_rows=8", "accumulation=1", "eval_every=1000", "report_replies=5",
    )
]  # fmt: skip

Likeness = Callable[..., Result]


@pytest.fixture
def likeness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Likeness:
    """Return a function that runs the command in an empty folder, and shows what it printed."""
    monkeypatch.chdir(tmp_path)
    for variable in ("TELEGRAM_TOKEN", "DISCORD_TOKEN", "LIKENESS_DATABASE"):
        monkeypatch.delenv(variable, raising=False)

    def run(*arguments: str | Path, fails: int = 0, given: str | None = None) -> Result:
        result = CliRunner().invoke(main, [str(word) for word in arguments], input=given)
        assert result.exit_code == fails, result.output + str(result.exception)
        assert fails == 0 or result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return run


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Take the road from the demo's chats to a model folder, once for the tests of chat."""
    folder = tmp_path_factory.mktemp("model")
    messages, run = str(folder / "messages.jsonl"), str(folder / "juno")
    for arguments in (
        ["export", str(DEMO), "-o", messages, "--me", "Juno"],
        ["train", messages, "--run", run, "--base", "scratch", *TINY],
    ):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
    return folder / "juno"


def one_sentence(result: Result) -> str:
    """Return what a failed command said, if that is one line."""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    return lines[0]


def test_an_export_tells_what_it_recognised_and_balances(likeness: Likeness):
    printed = likeness("export", DEMO, "-o", "messages.jsonl", "--me", "Juno").stdout
    assert "Telegram Desktop JSON" in printed
    assert "WhatsApp" in printed
    assert "DiscordChatExporter JSON" in printed
    written = Path("messages.jsonl").read_text(encoding="utf-8").splitlines()
    assert f"messages.jsonl: {len(written):,} messages" in printed
    speakers = {json.loads(line)["speaker"] for line in written}
    assert speakers == {"Juno", "Milo", "Priya", "Tobias", "Owlbot"}


def test_the_check_counts_and_shows_conversations_with_their_loss(likeness: Likeness):
    likeness("export", DEMO, "-o", "messages.jsonl", "--me", "Juno")
    printed = likeness("check", "messages.jsonl", "--show", "2").stdout
    assert re.search(r"from 2024-01-\d\d to 2024-06-\d\d", printed)
    assert re.search(r"\d+ mine = \d+ that teach \+ \d+ held out", printed)
    assert printed.count("<|endoftext|>") == 2
    assert "«<speaker1> " in printed
    as_milo = likeness("check", "messages.jsonl", "--as", "Milo", "--show", "0").stdout
    assert "As Milo:" in as_milo


def test_names_are_shown_as_they_stand(likeness: Likeness, say):
    folder = Path("[old]")
    folder.mkdir()
    said = [say("me", "hi"), say("me", "so?"), say("ann", "yes")]
    lines = [replace(message, speaker=f"{message.speaker} [/b]").to_json() for message in said]
    (folder / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    shown = likeness("check", folder / "in.jsonl").stdout
    assert shown.startswith("[old]/in.jsonl: 3 messages")
    assert f"As {said[0].speaker} [/b]: 2 of 3 messages" in shown


@pytest.mark.slow
def test_the_rows_can_be_read_again(likeness: Likeness):
    likeness("export", DEMO, "-o", "rows.json", "--format", "rows", "--me", "Juno")
    rows = json.loads(Path("rows.json").read_text(encoding="utf-8"))
    assert set(rows[0]) == {
        "timestamp", "conversationId", "conversationWithName", "senderName", "outgoing", "text",
        "language", "platform",
    }  # fmt: skip
    printed = likeness("export", "rows.json", "-o", "again.jsonl").stdout
    assert f"{len(rows):,} messages" in printed


@pytest.mark.slow
def test_the_demos_questions_are_answered_where_the_input_is_no_terminal(
    likeness: Likeness, model: Path
):
    questions = (REPOSITORY / "demo" / "questions.txt").read_text(encoding="utf-8")
    run = [sys.executable, "-m", "likeness", "chat", str(model), "--seed", "1"]
    answered = subprocess.run(  # noqa: S603
        run, input=questions, capture_output=True, encoding="utf-8", check=True
    )
    for question in questions.strip().splitlines():
        assert f"you: {question}" in answered.stdout
    assert answered.stdout.count("Juno: ") >= 3


@pytest.mark.slow
def test_a_prompt_of_the_workshop_gets_one_continuation(likeness: Likeness, model: Path):
    prompt = "<speaker2> Am I speaking to a bot?"
    printed = likeness("chat", model, "--prompt", prompt, "--greedy").stdout
    assert printed.startswith(f"{prompt}\n<speaker1>")
    assert printed == likeness("chat", model, "--prompt", prompt, "--greedy").stdout
    shown = likeness("chat", model, "--prompt", prompt, "--verbose", "--seed", "3").stdout
    assert "--- in\n<|endoftext|><speaker2> Am I speaking to a bot?\n<speaker1>" in shown


@pytest.mark.slow
def test_training_says_what_it_reached_and_how_to_go_on(likeness: Likeness, model: Path):
    messages = (model.parent / "messages.jsonl").read_text(encoding="utf-8")
    Path("in.jsonl").write_text(messages.replace('"Juno"', '"Juno [/she]"'), encoding="utf-8")
    result = likeness("train", "in.jsonl", "--run", "other", "--base", "scratch", *TINY)
    assert re.search(r"perplexity of my words: [\d,.]+ before, [\d,.]+ after", result.stdout)
    assert "Juno [/she] is in runs/other. Talk to it: likeness chat other" in result.stdout
    assert Path("runs/other/likeness.json").is_file()


@pytest.mark.slow
def test_a_report_is_made_again_by_name(likeness: Likeness, model: Path):
    page = model / "report.html"
    before = page.read_text(encoding="utf-8")
    page.unlink()
    assert f"The report is {page}" in likeness("report", model).stdout
    assert page.read_text(encoding="utf-8") == before
    assert "no model in runs/nobody" in one_sentence(likeness("report", "nobody", fails=78))


def test_the_settings_are_listed(likeness: Likeness):
    assert "learning_rate" in likeness("train", "--settings").stdout


CUT = b'{\n "name": "Ann",\n "type": "personal_chat",\n "id": 1,\n "messages": [\n {'
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("empty.json", b"", r"empty\.json is empty"),
        ("letter.pdf", PDF, r"letter\.pdf is not an export that Likeness reads"),
        ("cut.json", CUT,
         r"cut\.json breaks off or is damaged before its first message"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_export_is_one_sentence(likeness: Likeness, name, content, complaint):
    Path(name).write_bytes(content)
    said = one_sentence(likeness("export", name, "-o", "messages.jsonl", fails=1))
    assert re.search(complaint, said)
    assert not Path("messages.jsonl").exists()
    assert sorted(path.name for path in Path().iterdir()) == [name]


def test_a_folder_or_zip_without_exports_is_one_sentence(likeness: Likeness):
    Path("photos").mkdir()
    Path("photos/cat.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    assert "photos holds no export" in one_sentence(
        likeness("export", "photos", "-o", "messages.jsonl", fails=1)
    )
    with ZipFile("evil.zip", "w") as archive:
        archive.writestr("../result.json", "{}")
    assert "leads out of it" in one_sentence(
        likeness("export", "evil.zip", "-o", "messages.jsonl", fails=1)
    )
    assert "does not exist" in one_sentence(
        likeness("export", "nowhere", "-o", "messages.jsonl", fails=1)
    )


def test_who_is_me_is_asked_with_the_names_that_were_seen(likeness: Likeness):
    said = one_sentence(likeness("export", DEMO / "discord", "-o", "m.jsonl", fails=1))
    assert "--me" in said
    assert "Juno" in said
    assert "Tobias" in said
    said = one_sentence(
        likeness("export", DEMO / "discord", "-o", "m.jsonl", "--me", "Nobody", fails=1)
    )
    assert "Nobody" in said


def test_an_unknown_zone_is_bad_usage(likeness: Likeness):
    result = likeness("export", DEMO, "-o", "m.jsonl", "--tz", "Mars/Olympus", fails=2)
    assert "Mars/Olympus" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["check", "none.jsonl"], 1, r"none\.jsonl cannot be read"),
        (["train", "none.jsonl", "--run", "x", "--base", "scratch"], 1, "jsonl cannot be read"),
        (["chat", "nobody"], 78, r"There is no model in runs.nobody\."),
        (["serve", "nobody", "telegram"], 78, "TELEGRAM_TOKEN is missing"),
        (["serve", "nobody", "telegram", "discord"], 78, "TELEGRAM_TOKEN.*DISCORD_TOKEN"),
    ],
)
def test_what_is_not_there_is_one_sentence(likeness: Likeness, arguments, code, complaint):
    assert re.search(complaint, one_sentence(likeness(*arguments, fails=code)))
    assert not list(Path().iterdir())


def test_a_model_of_another_prompt_version_is_one_sentence(likeness: Likeness):
    Path("runs/old").mkdir(parents=True)
    Path("runs/old/likeness.json").write_text('{"prompt": 99}', encoding="utf-8")
    assert "prompt version 99" in one_sentence(likeness("chat", "old", fails=78))


@pytest.mark.slow
def test_the_hub_out_of_reach_names_the_other_two_ways(likeness: Likeness, model: Path):
    said = one_sentence(
        likeness("train", model.parent / "messages.jsonl", "--run", "x", "--base", "gpt2", fails=1)
    )
    assert "--base starter" in said
    assert "folder" in said
    assert not Path("runs").exists()


@pytest.mark.slow
def test_a_run_that_exists_is_not_overwritten(likeness: Likeness, model: Path):
    arguments = ["train", model.parent / "messages.jsonl", "--run", model, "--base", "scratch"]
    assert "holds a model already" in one_sentence(likeness(*arguments, *TINY, fails=1))


def test_an_unknown_setting_names_the_nearest(likeness: Likeness):
    said = one_sentence(
        likeness("train", "m.jsonl", "--run", "x", "--set", "learning_rat=1", fails=1)
    )
    assert "learning_rate" in said


@pytest.mark.slow
def test_a_prompt_without_tags_is_bad_usage(likeness: Likeness, model: Path):
    assert "tag" in likeness("chat", model, "--prompt", "hello", fails=2).stderr


@pytest.mark.slow
def test_a_database_of_a_newer_version_is_one_sentence(
    likeness: Likeness, model: Path, monkeypatch: pytest.MonkeyPatch
):
    import sqlite3

    with sqlite3.connect("likeness.db") as database:
        database.execute("create table alembic_version (version_num varchar(32) not null)")
        database.execute("insert into alembic_version values ('9999')")
    database.close()
    monkeypatch.setenv("TELEGRAM_TOKEN", "1:x")
    said = one_sentence(likeness("serve", model, "telegram", fails=78))
    assert "newer" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stopped", "where"),
    [
        ("training.last_lesson.teach_held_out", "in the last lesson"),
        ("training.moments.read_moments", "while choosing how it replies"),
    ],
)
def test_who_stops_what_comes_after_training_is_left_a_whole_model(
    likeness: Likeness, model: Path, monkeypatch: pytest.MonkeyPatch, stopped: str, where: str
):
    def stop(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(stopped, stop)
    result = likeness(
        "train", model.parent / "messages.jsonl", "--run", "other", "--base", "scratch", *TINY,
        fails=1,
    )  # fmt: skip
    assert f"Stopped {where}" in result.output
    likeness("chat", "other", given="")
