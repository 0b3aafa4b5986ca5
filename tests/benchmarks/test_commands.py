"""The benchmarks' commands: named in their table, and in want of something they say so."""

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import (
    ablations,
    averaging,
    bots,
    drafts,
    mixing,
    peak_memory,
    quality,
    replies,
    replies_gpu,
    reuse,
    row_fill,
    words,
)
from tests.documents import REPOSITORY

Sentence = Callable[..., str]


@pytest.fixture
def sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sentence:
    def said(module: ModuleType, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["benchmark", *map(str, arguments)])
        with pytest.raises(SystemExit):
            module.main()
        return capsys.readouterr().err.rstrip("\n").rpartition("\n")[2]

    return said


def test_every_command_is_in_the_table() -> None:
    table = (REPOSITORY / "benchmarks" / "README.md").read_text(encoding="utf-8")
    for path in (REPOSITORY / "benchmarks").rglob("*.py"):
        if '\nif __name__ == "__main__":' in path.read_text(encoding="utf-8"):
            names = path.relative_to(REPOSITORY).with_suffix("").parts
            module = ".".join(names).removesuffix(".__main__")
            assert re.search(rf"`python -m {re.escape(module)}[` ]", table), module


@pytest.mark.parametrize(
    "module", [ablations, averaging, drafts, mixing, quality, reuse, row_fill, words]
)
def test_a_folder_that_is_not_there_is_one_sentence(
    module: ModuleType, sentence: Sentence, tmp_path: Path
) -> None:
    more = {ablations: ["epochs"], drafts: ["messages.jsonl"]}.get(module, [])
    assert f"there is no folder {tmp_path / 'none'} " in sentence(module, tmp_path / "none", *more)


@pytest.mark.parametrize("module", [drafts, words])
def test_a_run_that_held_nothing_out_is_one_sentence(
    module: ModuleType, sentence: Sentence, tmp_path: Path
) -> None:
    (tmp_path / "moments.jsonl").touch()
    more = ["messages.jsonl"] if module is drafts else []
    assert "held nothing out" in sentence(module, tmp_path, *more)


def test_a_setting_without_usual_values_is_asked_for_them(
    sentence: Sentence, tmp_path: Path
) -> None:
    assert "--values" in sentence(ablations, tmp_path, "weight_decay")


def test_a_fuzzer_without_a_folder_explains_itself_and_makes_none(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.fuzz_exporters", "--help"]
    ran = subprocess.run(  # noqa: S603
        command, cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "`pip install atheris`" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("module", [replies, replies_gpu])
def test_an_engine_that_dies_without_a_word_is_named_and_left_out(
    module: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    first = [tmp_path] if module is replies else []
    assert module.in_turn(*first, ["ours"], 1, []) == {}
    assert capsys.readouterr().err == "ours: exit code 1\n"


def test_a_mac_tells_its_peak_in_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peak_memory, "_STATUS", tmp_path / "none")
    monkeypatch.setattr(sys, "platform", "linux")
    elsewhere = peak_memory.peak_bytes()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert 1000 < elsewhere / peak_memory.peak_bytes() < 1100


def test_a_chat_that_nobody_answers_is_counted_and_not_waited_for_without_end() -> None:
    async def say(_: int) -> None:
        """Say nothing."""

    world = bots.World({}, lambda: True, say, str, answered=lambda: ["1001", "1003", "1001"])
    found = asyncio.run(asyncio.wait_for(bots.first_answers(world, 3, 0.1), 10))
    assert sorted(found) == ["1001", "1003"]
