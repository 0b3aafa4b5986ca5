"""Muon moves what it should, as far as it should, and goes on as if it had never stopped."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM

from likeness.dialogue import Encoded
from likeness.errors import BadSetting
from training import muon
from training.base import quiet
from training.config import TrainConfig
from training.loop import Trainer
from training.muon import Muon, hidden_matrices, orthogonal
from training.optimizer import optimizer_for
from training.plan import Plan
from training.rows import Windows, WindowsBuilder

CPU = torch.device("cpu")


def _model(folder: Path) -> GPT2LMHeadModel:
    with quiet():
        return GPT2LMHeadModel.from_pretrained(folder, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)


def _windows() -> Windows:
    dice, builder = np.random.default_rng(0), WindowsBuilder()
    for length in (30, 7, 19, 12, 25, 8):
        builder.add(Encoded(dice.integers(0, 250, length).tolist(), [1.0] * length))
    return builder.windows()


def _plan(**settings: object) -> Plan:
    told = [f"{key}={value}" for key, value in settings.items()]
    return Plan(_windows(), TrainConfig.from_settings(["learning_rate=0.01", *told]))


@pytest.mark.parametrize("shape", [(8, 8), (8, 40), (40, 8)])
def test_what_it_adds_is_nearly_orthogonal(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    values = torch.linalg.svdvals(orthogonal(torch.randn(3, *shape)))
    assert values.shape == (3, 8)
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_nothing_is_made_of_nothing() -> None:
    assert torch.equal(orthogonal(torch.zeros(2, 3, 5)), torch.zeros(2, 3, 5))


@pytest.mark.parametrize("shape", [(16, 16), (16, 48), (48, 16)])
def test_it_moves_a_matrix_as_torchs_own_does(shape: tuple[int, int]) -> None:
    torch.manual_seed(2)
    ours, theirs = (torch.nn.Parameter(torch.ones(shape)) for _ in range(2))
    mine = Muon({ours: 1}, weight_decay=0.1, width=torch.bfloat16)
    torchs = torch.optim.Muon(
        [theirs], lr=0.01, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    mine.param_groups[0]["lr"] = 0.01
    for _ in range(3):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        mine.step()
        torchs.step()
    assert not torch.allclose(ours, torch.ones(shape), atol=1e-3)
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_matrices_beside_each_other_in_one_weight_move_by_themselves() -> None:
    torch.manual_seed(3)
    joined = torch.nn.Parameter(torch.randn(8, 24))
    alone = [torch.nn.Parameter(part.detach().clone()) for part in joined.chunk(3, dim=1)]
    joined.grad = torch.randn(8, 24)
    for part, gradient in zip(alone, joined.grad.chunk(3, dim=1), strict=True):
        part.grad = gradient.clone()
    together = Muon({joined: 3}, weight_decay=0.1, width=torch.float32)
    apart = Muon(dict.fromkeys(alone, 1), weight_decay=0.1, width=torch.float32)
    for optimizer in (together, apart):
        optimizer.param_groups[0]["lr"] = 0.01
        optimizer.step()
    assert torch.allclose(joined, torch.cat(alone, dim=1), atol=1e-6)


def test_how_many_move_together_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = []
    for at_once in (1, 1 << 20):
        monkeypatch.setattr(muon, "_AT_ONCE", at_once)
        torch.manual_seed(4)
        weights = [torch.nn.Parameter(torch.randn(shape)) for shape in ((8, 8), (8, 16), (8, 8))]
        still = torch.nn.Parameter(torch.randn(8, 8))
        optimizer = Muon(dict.fromkeys([*weights, still], 1), weight_decay=0, width=torch.float32)
        optimizer.param_groups[0]["lr"] = 0.01
        begun = [one.detach().clone() for one in (*weights, still)]
        for weight in weights:
            weight.grad = torch.randn_like(weight)
        optimizer.step()
        assert [torch.equal(*pair) for pair in zip(begun, (*weights, still), strict=True)] == [
            False, False, False, True
        ]  # fmt: skip
        ends.append(weights)
    for apart, together in zip(*ends, strict=True):
        assert torch.allclose(apart, together, atol=1e-6)


def test_the_matrices_are_those_of_the_layers(plain_gpt2: Path) -> None:
    model = _model(plain_gpt2)
    found = hidden_matrices(model)
    names = {name: found[weight] for name, weight in model.named_parameters() if weight in found}
    layer = {"attn.c_attn": 3, "attn.c_proj": 1, "mlp.c_fc": 1, "mlp.c_proj": 1}
    assert names == {
        f"transformer.h.{place}.{name}.weight": parts
        for place in range(model.config.n_layer)
        for name, parts in layer.items()
    }


def test_a_head_of_its_own_is_no_layers() -> None:
    shape = GPTNeoXConfig(
        vocab_size=40, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, tie_word_embeddings=False,
    )  # fmt: skip
    model = GPTNeoXForCausalLM(shape)
    found = hidden_matrices(model)
    assert len(found) == 4
    assert model.get_output_embeddings().weight not in found
    assert model.get_input_embeddings().weight not in found


def test_every_weight_is_changed_by_one_of_both(plain_gpt2: Path) -> None:
    model = _model(plain_gpt2)
    before = [weight.detach().clone() for weight in model.parameters()]
    trainer = Trainer(model, _plan(optimizer="muon"), CPU)
    # The first step's rate is no more than a part of the highest.
    first = float(trainer.take_step().loss)
    assert not any(map(torch.equal, before, model.parameters()))
    for _ in range(5):
        last = float(trainer.take_step().loss)
    assert last < first


@pytest.mark.slow
def test_it_goes_on_to_the_bit(plain_gpt2: Path) -> None:
    plan = _plan(optimizer="muon", epochs=4, dropout=0)
    whole = Trainer(_model(plain_gpt2), plan, CPU)
    for _ in range(2):
        whole.take_step()
    state = deepcopy(whole.state())
    weights = {name: weight.clone() for name, weight in whole.model.state_dict().items()}
    again = Trainer(_model(plain_gpt2), plan, CPU)
    again.model.load_state_dict(weights)
    again.restore(state)
    for trainer in (whole, again):
        for _ in range(2):
            trainer.take_step()
    for mine, other in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_what_is_parted_is_refused(plain_gpt2: Path) -> None:
    config = TrainConfig(optimizer="muon")
    with pytest.raises(BadSetting, match="set optimizer=adamw, or shard=no"):
        optimizer_for(_model(plain_gpt2), config, torch.float32, parted=True)


def test_what_lora_adds_is_left_to_adamw(plain_gpt2: Path) -> None:
    model = _model(plain_gpt2)
    model.peft_config = {}
    optimizer = optimizer_for(model, TrainConfig(optimizer="muon"), torch.float32)
    assert len(optimizer.weights) == len(list(model.parameters()))
