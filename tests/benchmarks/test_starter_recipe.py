"""The starter's recipe, from token ids to a folder that can be a base, in a few seconds."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks.starter import mix
from benchmarks.starter.install import install
from benchmarks.starter.train import train
from likeness.card import RunCard
from training.base import STARTER_FOLDER, open_base, quiet
from training.checkpoint import checkpoints
from training.config import TrainConfig
from training.rows import WindowsBuilder

TINY = TrainConfig.from_settings(
    ["layers=1", "width=16", "heads=2", "context_tokens=64", "batch_rows=1", "accumulation=2",
     "save_every=1", "eval_every=1000", "dropout=0", "patience=none", "warmup_steps=1"]
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return what `mix.prepare` would leave of some invented windows."""
    folder = tmp_path / "data"
    folder.mkdir()
    mix.take_tokenizer(STARTER_FOLDER, folder)
    builder = WindowsBuilder()
    with quiet():
        tags = open_base("starter", TrainConfig(), list).tags
    for number in range(12):
        turn = [tags.tag("<speaker1>"), *tags.encode(f" hello number {number}"), tags.tag("\n")]
        builder.add(mix.Encoded([tags.tag("<|endoftext|>"), *turn], [0.0, *[1.0] * len(turn)]))
    windows = builder.windows()
    counts = {"sha256": "0" * 64, "conversations": 12, "messages": 12, "tokens": len(windows.ids)}
    for source in mix.SOURCES:
        mix._save(folder, source.name, windows, [14] * 12)
    mix._save(folder, "taught", windows, [])
    (folder / "data.json").write_text(json.dumps({one.name: counts for one in mix.SOURCES}))
    return folder


@pytest.mark.slow
def test_a_run_ends_by_the_clock_and_its_best_is_shipped(data: Path, tmp_path: Path) -> None:
    run, shipped = tmp_path / "run", tmp_path / "shipped"
    train(data, run, TINY, minutes=0.03, resume=False)
    assert checkpoints(run)[-1].step > 0
    install(data, run, TINY, shipped)
    card = RunCard.read(shipped)
    assert card.metrics["steps"] > 0
    assert set(card.metrics["nats_per_character"]) == {source.name for source in mix.SOURCES}
    with quiet():
        base = open_base(str(shipped), TrainConfig(), list)
    assert base.model.config.n_embd == 16
    assert {weight.dtype for weight in base.model.parameters()} == {torch.float32}


@pytest.mark.slow
def test_what_is_shipped_is_trained_further_and_what_it_has_cost_is_added(
    data: Path, tmp_path: Path
) -> None:
    shipped = tmp_path / "shipped"
    train(data, tmp_path / "first", TINY, minutes=0.08)
    before = install(data, tmp_path / "first", TINY, shipped).metrics
    train(data, tmp_path / "second", TINY, minutes=0.08, further=shipped)
    own = checkpoints(tmp_path / "second")[-1].state()["progress"]["best_step"]
    after = install(data, tmp_path / "second", TINY, shipped).metrics
    assert after["steps"] == before["steps"] + own
    assert after["tokens_seen"] > before["tokens_seen"]
