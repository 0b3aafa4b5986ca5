"""What computes the replies, and how: as `chat` and `serve` are told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from bot.engine import Sampling
from bot.engine.remote import RemoteEngine
from bot.settings import Settings
from likeness.card import RunCard
from likeness.cli import main
from likeness.cli.engine import open_chosen
from likeness.cli.sampling import read_sampling, sampling_options

CARD = RunCard(name="me", me="Robin", base="scratch", context_tokens=256, gap_seconds=3600.0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a model folder without weights."""
    from tokenizers import Tokenizer, models

    from likeness.dialogue import END_OF_TURN, START, TAGS

    monkeypatch.chdir(tmp_path)
    CARD.write(tmp_path)
    words = {word: id_ for id_, word in enumerate((END_OF_TURN, START, *TAGS))}
    Tokenizer(models.WordLevel(words, END_OF_TURN)).save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_a_server_needs_no_weights_here(folder: Path) -> None:
    for given, known in (("http://here", None), (None, "http://here"), ("http://here", "http://x")):
        settings = Settings.model_construct(engine_url=known)
        engine = open_chosen(str(folder), settings, device="auto", engine_url=given)
        assert isinstance(engine, RemoteEngine)
        assert engine._url == "http://here/v1"


def test_what_is_never_to_be_said_reaches_the_engine(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "never.txt").write_text("gerald\n", encoding="utf-8")
    monkeypatch.setenv("LIKENESS_NEVER_SAY", "never.txt")
    engine = open_chosen(str(folder), Settings.read(), device="auto", engine_url="http://here")
    assert isinstance(engine, RemoteEngine)
    assert engine._guard.refuses("Gerald?")
    monkeypatch.setenv("LIKENESS_NEVER_SAY", "nowhere.txt")
    result = CliRunner().invoke(main, ["chat", str(folder), "--engine", "http://here"])
    assert result.exit_code == 78
    assert "nowhere.txt" in result.stderr


def test_what_is_no_url_is_a_mistake_at_the_keyboard(folder: Path) -> None:
    with pytest.raises(click.BadParameter, match="http"):
        open_chosen(str(folder), Settings.read(), device="auto", engine_url="localhost:8000")
    result = CliRunner().invoke(main, ["chat", str(folder), "--engine", "localhost"])
    assert result.exit_code == 2


@pytest.mark.slow
def test_a_server_that_is_not_there_is_one_line(folder: Path) -> None:
    arguments = ["chat", str(folder), "--engine", "http://127.0.0.1:9", "--max-seconds", "0.2"]
    result = CliRunner().invoke(main, [*arguments, "--prompt", "<speaker2> "])
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_each_option_of_sampling_reaches_the_engine() -> None:
    read: list[Sampling] = []

    @click.command()
    @sampling_options
    def command(**given: object) -> None:
        read.append(read_sampling(CARD, **given))  # type: ignore[arg-type]

    line = (
        "--temperature 0.7 --top-k 40 --top-p 0.8 --min-p 0.05 --typical 0.9 --seed 3 "
        "--best-of 4 --novelty 0.3 "
        "--max-new-tokens 50 --max-seconds 9"
    )
    for arguments in (line.split(), ["--greedy"], []):
        assert CliRunner().invoke(command, arguments).exit_code == 0
    assert read[0] == Sampling(0.7, 40, 0.8, 0.05, 0.9, 4, 0.3, 50, 9.0, 3)
    assert read[1:] == [Sampling(temperature=0), Sampling()]


@pytest.mark.parametrize("option", ["--temperature", "--top-p", "--max-seconds"])
@pytest.mark.parametrize("number", ["nan", "inf"])
def test_what_is_no_number_is_refused_in_a_sentence(option: str, number: str) -> None:
    @click.command()
    @sampling_options
    def command(**given: Any) -> None:
        read_sampling(CARD, **given)

    run = CliRunner().invoke(command, [option, number])
    assert run.exit_code == 2
    assert number in run.output


def test_a_card_s_settings_are_numbers_too() -> None:
    card = replace(CARD, sampling={"temperature": float("nan")})
    with pytest.raises(click.BadParameter, match="nan is no number"):
        read_sampling(card, greedy=False)


def test_what_a_card_s_settings_hold_besides_is_passed_over() -> None:
    card = replace(CARD, sampling={"temperature": 0.7, "warmth": 3.0})
    assert read_sampling(card, greedy=False) == Sampling(temperature=0.7)
