"""A model parted among processes learns what a whole one learns, and is kept whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from transformers import GPT2LMHeadModel, PreTrainedModel

from likeness.dialogue import Encoded
from likeness.errors import BadSetting
from training import sharding
from training.base import quiet
from training.config import TrainConfig
from training.loop import Trainer
from training.plan import Plan
from training.rows import Windows, WindowsBuilder
from training.sharding import is_sharded, shard, wants_shards
from training.team import ALONE, Team

CPU = torch.device("cpu")
CONFIG = TrainConfig(
    batch_rows=2, accumulation=2, dropout=0, precision="fp32", learning_rate=1e-2, epochs=4
)


@pytest.fixture
def process() -> Iterator[None]:
    """Be the only process of a team of one."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def _model(folder: Path) -> PreTrainedModel:
    with quiet():
        return GPT2LMHeadModel.from_pretrained(folder, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)


def _windows() -> Windows:
    dice, builder = torch.Generator().manual_seed(0), WindowsBuilder()
    for length in (30, 7, 19, 12, 25, 8):
        ids = torch.randint(0, 250, (length,), generator=dice).tolist()
        builder.add(Encoded(ids, [1.0] * length))
    return builder.windows()


def _trainer(model: PreTrainedModel, *, sharded: bool) -> Trainer:
    """Return a trainer; a team of one never parts a model by itself."""
    if sharded:
        shard(model, CPU, torch.float32, 1)
    trainer = Trainer(model, Plan(_windows(), CONFIG, 64), CPU)
    trainer.sharded = sharded
    return trainer


@pytest.mark.slow
def test_a_parted_model_learns_what_a_whole_one_learns(plain_gpt2: Path, process: None) -> None:
    whole, parted = (_trainer(_model(plain_gpt2), sharded=sharded) for sharded in (False, True))
    assert is_sharded(parted.model)
    assert not is_sharded(whole.model)
    for _ in range(3):
        assert float(parted.take_step().loss) == pytest.approx(float(whole.take_step().loss))
    assert whole.whole_weights() is None
    kept = parted.whole_weights()
    assert kept is not None
    assert kept.keys() == dict(whole.model.named_parameters()).keys()
    for name, weight in whole.model.named_parameters():
        assert torch.allclose(kept[name], weight, atol=1e-4)


@pytest.mark.slow
def test_a_parted_model_goes_on_from_what_is_kept_whole(
    plain_gpt2: Path, process: None, tmp_path: Path
) -> None:
    first = _trainer(_model(plain_gpt2), sharded=True)
    first.take_step()
    state, weights = first.state(), first.whole_weights()
    first.model.save_pretrained(tmp_path / "kept", state_dict=weights)
    torch.save(state, tmp_path / "state.pt")
    expected = [float(first.take_step().loss) for _ in range(2)]
    again = GPT2LMHeadModel.from_pretrained(
        tmp_path / "kept", resid_pdrop=0, embd_pdrop=0, attn_pdrop=0
    )
    assert again.config.architectures == ["GPT2LMHeadModel"]
    for sharded in (True, False):
        model = _model(tmp_path / "kept")
        trainer = _trainer(model, sharded=sharded)
        trainer.restore(torch.load(tmp_path / "state.pt", weights_only=True))
        assert [float(trainer.take_step().loss) for _ in range(2)] == pytest.approx(expected)


def test_a_batch_that_teaches_nothing_changes_nothing(plain_gpt2: Path, process: None) -> None:
    trainer = _trainer(_model(plain_gpt2), sharded=True)
    scored = trainer.scorer(_windows().idle())
    scored.loss.backward()
    assert float(scored.loss.detach()) == 0
    assert all(float(one.grad.full_tensor().abs().max()) == 0 for one in trainer.model.parameters())


def test_only_several_processes_part_only_what_is_large(
    plain_gpt2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, two = _model(plain_gpt2), Team(0, 2)
    assert not wants_shards("auto", model, two)
    assert wants_shards("yes", model, two)
    monkeypatch.setattr(sharding, "MOST_WHOLE", 100)
    assert wants_shards("auto", model, two)
    assert not wants_shards("no", model, two)
    assert not wants_shards("yes", model, ALONE)
    monkeypatch.setattr(sharding, "is_adapted", lambda _: True)
    assert not wants_shards("auto", model, two)
    with pytest.raises(BadSetting, match="does not go together with LoRA"):
        wants_shards("yes", model, two)
