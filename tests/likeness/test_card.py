import dataclasses
import json
from pathlib import Path

import pytest

from likeness.card import NAMELESS, RunCard, origin
from likeness.errors import BadCard, ModelNotFound, PromptVersionMismatch

CARD = RunCard(
    name="juno", me="Juno", base="scratch", context_tokens=256, gap_seconds=3_600.0,
    metrics={"after": {"perplexity": 7.5}},
)  # fmt: skip


def test_a_card_survives_its_file(tmp_path: Path):
    CARD.write(tmp_path)
    assert RunCard.read(tmp_path) == CARD


def test_a_run_that_does_not_exist_names_those_that_do(tmp_path: Path):
    (tmp_path / "juno").mkdir()
    CARD.write(tmp_path / "juno")
    with pytest.raises(ModelNotFound, match=r"There is no model in .*milo\. These exist: juno\."):
        RunCard.read(tmp_path / "milo")


def test_a_model_of_another_prompt_version_is_refused(tmp_path: Path):
    CARD.write(tmp_path)
    path = tmp_path / "likeness.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"prompt": 99}))
    with pytest.raises(PromptVersionMismatch, match="prompt version 99"):
        RunCard.read(tmp_path)


def test_a_card_of_a_newer_version_is_refused(tmp_path: Path):
    dataclasses.replace(CARD, v=99).write(tmp_path)
    with pytest.raises(BadCard, match=r"version 99 of the card"):
        RunCard.read(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"prompt": 2}', "\x00"])
def test_what_is_no_card_is_refused(tmp_path: Path, content: str):
    (tmp_path / "likeness.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadCard, match=r"likeness\.json"):
        RunCard.read(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"sampling": {"temperature": "0.7"}},
        {"sampling": {"top_p": None}},
        {"sampling": [0.7]},
        {"context_tokens": 256.5},
        {"gap_seconds": "an hour"},
        {"reply_gap_seconds": [60]},
    ],
    ids=str,
)
def test_a_card_without_numbers_where_they_belong_is_refused(
    tmp_path: Path, change: dict[str, object]
):
    CARD.write(tmp_path)
    path = tmp_path / "likeness.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BadCard, match="no numbers"):
        RunCard.read(tmp_path)


def test_what_a_base_came_from_first_is_told_by_its_card(tmp_path: Path):
    assert origin("gpt2") == "gpt2"
    assert origin(str(tmp_path)) == str(tmp_path)
    CARD.write(tmp_path)
    assert origin(str(tmp_path)) == "scratch"
    dataclasses.replace(CARD, prompt=1).write(tmp_path)
    assert origin(str(tmp_path)) == "scratch"
    dataclasses.replace(CARD, base="runs/older", origin="starter").write(tmp_path)
    assert origin(str(tmp_path)) == "starter"


@pytest.mark.parametrize("name", ["", " ", None])
def test_who_has_no_name_is_a_person(tmp_path: Path, name: str | None):
    CARD.write(tmp_path)
    path = tmp_path / "likeness.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"me": name}))
    assert RunCard.read(tmp_path).me == NAMELESS
