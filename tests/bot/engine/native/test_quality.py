"""What rounding costs: measured on what training kept, remembered, and never passed over."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoModelForCausalLM

from bot.engine import native
from bot.engine.native import open_native
from bot.engine.native.packed import FILE_NAME as PACKED
from bot.engine.native.packed import Packed
from bot.engine.native.quality import FILE_NAME, MOST_LOST, lost
from likeness.dialogue import END_OF_TURN, ME, Encoded
from likeness.tokenizer import FolderTokenizer
from training.evaluate import Judge
from training.held_out import keep_held_out
from training.rows import WindowsBuilder


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """Copy the tiny model, with held-out windows as training keeps them."""
    copy = Path(shutil.copytree(tiny_model, tmp_path / "tiny"))
    (copy / PACKED).unlink(missing_ok=True)
    tokenizer = FolderTokenizer.load(copy)
    builder = WindowsBuilder()
    for text in ("hello there, how are you", "not bad", "the bus was late again, so I walked"):
        ids = [tokenizer.tag(ME), *tokenizer.encode(text), tokenizer.tag(END_OF_TURN)]
        builder.add(Encoded(ids, [1.0] * len(ids)))
    model: Any = AutoModelForCausalLM.from_pretrained(copy)
    keep_held_out(copy, model, Judge(builder.windows(), 66, tokenizer, 1))
    return copy


def worsen(folder: Path, factor: float) -> None:
    """Say that 32 bits did better than they do."""
    found = json.loads((folder / FILE_NAME).read_text())
    (folder / FILE_NAME).write_text(json.dumps({**found, "nats": found["nats"] / factor}))


def test_what_training_keeps_is_what_the_kernel_measures(folder: Path) -> None:
    model = open_native(folder)
    assert model is not None
    share = lost(model, folder)
    assert share is not None
    assert abs(share) < 0.02
    worsen(folder, 1.5)
    worse = lost(model, folder)
    assert worse is not None
    assert np.isclose(worse + 1, 1.5 * (share + 1))


def test_only_my_words_are_measured(folder: Path) -> None:
    lines = json.loads((folder / FILE_NAME).read_text())["lines"]
    assert [len(line["ids"]) - len(line["mine"]) for line in lines] == [2, 2, 2]


def test_rounding_that_costs_too_much_is_said_and_left_to_others(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    worsen(folder, 1.5)
    assert open_native(folder) is None
    assert "computed by torch: With weights of 8 bits held-out words cost" in caplog.text


def test_finer_activations_are_tried_before_that(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = iter([2 * MOST_LOST, MOST_LOST / 2])
    monkeypatch.setattr(native, "lost", lambda *_: next(shares))
    assert open_native(folder) is not None
    packed = Packed.load(folder)
    assert packed is not None
    assert packed.notes["lost"] == [2 * MOST_LOST, MOST_LOST / 2]


def test_the_measurement_is_remembered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worsen(folder, 1.5)
    assert open_native(folder) is None
    monkeypatch.setattr(native, "lost", lambda *_: pytest.fail("measured again"))
    assert open_native(folder) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"nats": 0, "lines": []}', '{"nats": "x"}'])
def test_without_held_out_words_it_is_said(
    folder: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (folder / FILE_NAME).write_text(text)
    assert open_native(folder) is not None
    assert "tells what rounding to 8 bits costs" in caplog.text
