"""Our forward pass of GPT-2 is that of transformers: losses, gradients, and what windows see."""

from functools import partial

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from likeness.dialogue import Encoded
from training import cross_entropy
from training.dropout import dropout
from training.gpt2 import Gpt2
from training.loss import AnyModel, scorer_for
from training.rows import Batch, WindowsBuilder

SHAPE = {"vocab_size": 300, "n_positions": 64, "n_embd": 32, "n_layer": 3, "n_head": 4}
STILL = {"resid_pdrop": 0, "embd_pdrop": 0, "attn_pdrop": 0}


def _gpt2(**other: object) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(**(SHAPE | STILL | other)))
    with torch.no_grad():
        for weight in model.parameters():
            # A trained model's biases and norms are not what they began as.
            weight.add_(torch.randn_like(weight), alpha=0.1)
    return model.train()


def _batch(lengths: list[int], rows: list[list[int]]) -> Batch:
    dice = np.random.default_rng(0)
    builder = WindowsBuilder()
    for length in lengths:
        weights = dice.choice([0.0, 0.1, 1.0], length).tolist()
        builder.add(Encoded(dice.integers(0, 300, length).tolist(), weights))
    return builder.windows().batch(rows)


PACKED = _batch([30, 7, 19, 33, 20, 5, 1, 40, 12, 12], [[0, 1, 2], [3, 4, 5, 6], [7, 8, 9]])


def _gradients(
    model: PreTrainedModel, scorer: Gpt2 | AnyModel, batch: Batch = PACKED
) -> dict[str, torch.Tensor]:
    model.zero_grad()
    scorer(batch).loss.backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters()}


def test_in_32_bits_losses_and_gradients_are_those_of_transformers() -> None:
    model = _gpt2()
    ours, theirs = Gpt2(model, torch.float32), AnyModel(model, torch.float32)
    assert ours(PACKED).losses.numpy() == pytest.approx(theirs(PACKED).losses.numpy(), abs=1e-5)
    assert ours(PACKED).loss.item() == pytest.approx(theirs(PACKED).loss.item(), rel=1e-5)
    mine, others = _gradients(model, ours), _gradients(model, theirs)
    for name, gradient in others.items():
        assert torch.allclose(mine[name], gradient, rtol=1e-4, atol=1e-5), name


def test_gradients_add_up_over_batches() -> None:
    model = _gpt2()
    once = _gradients(model, Gpt2(model, torch.float32))
    Gpt2(model, torch.float32)(PACKED).loss.backward()
    for name, weight in model.named_parameters():
        assert torch.allclose(weight.grad, 2 * once[name], rtol=1e-4, atol=1e-5), name


def test_what_is_frozen_gets_no_gradient() -> None:
    model = _gpt2()
    free = _gradients(model, Gpt2(model, torch.float32))
    model.requires_grad_(False)
    model.transformer.h[1].mlp.c_fc.weight.requires_grad_()
    model.zero_grad()
    Gpt2(model, torch.float32)(PACKED).loss.backward()
    learnt = {name: weight.grad for name, weight in model.named_parameters()}
    name = "transformer.h.1.mlp.c_fc.weight"
    assert torch.allclose(learnt.pop(name), free[name], atol=1e-6)
    assert set(learnt.values()) == {None}


def test_in_16_bits_gradients_point_the_same_way() -> None:
    model = _gpt2()
    exact = _gradients(model, Gpt2(model, torch.float32))
    narrow = _gradients(model, Gpt2(model, torch.bfloat16))
    for name, gradient in exact.items():
        alike = torch.cosine_similarity(narrow[name].flatten(), gradient.flatten(), dim=0)
        assert alike > 0.99, name
        assert narrow[name].dtype == torch.float32


def test_losses_in_16_bits_are_about_right() -> None:
    model = _gpt2()
    exact, narrow = (Gpt2(model, width)(PACKED) for width in (torch.float32, torch.bfloat16))
    assert narrow.losses.dtype == torch.float32
    assert narrow.loss.item() == pytest.approx(exact.loss.item(), rel=0.01)


def test_a_head_apart_from_the_embeddings_learns_apart() -> None:
    model = _gpt2(tie_word_embeddings=False)
    mine = _gradients(model, Gpt2(model, torch.float32))
    others = _gradients(model, AnyModel(model, torch.float32))
    assert torch.allclose(mine["lm_head.weight"], others["lm_head.weight"], atol=1e-5)
    assert torch.allclose(
        mine["transformer.wte.weight"], others["transformer.wte.weight"], atol=1e-5
    )


def test_the_loss_in_pieces_is_the_loss_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = _gpt2()
    whole = _gradients(model, Gpt2(model, torch.float32))
    monkeypatch.setitem(cross_entropy._TOGETHER, "cpu", 7)
    monkeypatch.setitem(cross_entropy._WIDE_BYTES, "cpu", 3 * 300 * 4)
    pieces = _gradients(model, Gpt2(model, torch.float32))
    for name, gradient in whole.items():
        assert torch.allclose(pieces[name], gradient, rtol=1e-4, atol=1e-5), name


def test_a_model_that_is_not_training_drops_nothing() -> None:
    model = _gpt2(resid_pdrop=0.5, embd_pdrop=0.5)
    scorer = Gpt2(model, torch.float32)
    assert not torch.equal(scorer(PACKED).losses, scorer(PACKED).losses)
    model.eval()
    with torch.no_grad():
        assert torch.equal(scorer(PACKED).losses, scorer(PACKED).losses)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_traced_as_for_a_gpu_it_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    cross_entropy._compiled.cache_clear()
    # Tracing goes through every window of every layer: two of each are as good as many.
    model, few = _gpt2(n_layer=2), _batch([30, 19], [[0], [1]])
    plain = _gradients(model, Gpt2(model, torch.float32), few)
    fast = _gradients(model, Gpt2(model, torch.float32, compiled=True), few)
    for name, gradient in plain.items():
        assert torch.allclose(fast[name], gradient, rtol=1e-4, atol=1e-5), name


def test_only_a_gpt2_that_computes_as_usual_takes_the_short_way() -> None:
    llama = LlamaConfig(vocab_size=300, hidden_size=32, intermediate_size=32, num_hidden_layers=1,
                        num_attention_heads=2)  # fmt: skip
    assert isinstance(scorer_for(_gpt2(), torch.float32), Gpt2)
    others = [
        LlamaForCausalLM(llama),
        _gpt2(activation_function="relu"),
        _gpt2(scale_attn_by_inverse_layer_idx=True),
        _gpt2(attn_pdrop=0.1),
    ]
    assert all(isinstance(scorer_for(model, torch.float32), AnyModel) for model in others)


def test_heads_that_the_devices_kernel_does_not_take_go_the_long_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("training.gpt2.has_kernel", lambda _device, _width, size: size == 8)
    assert isinstance(scorer_for(_gpt2(n_head=4), torch.float32), Gpt2)
    assert isinstance(scorer_for(_gpt2(n_head=8), torch.float32), AnyModel)


@pytest.mark.parametrize("width", [torch.float32, torch.bfloat16])
def test_dropout_keeps_the_mean_and_drops_its_share(width: torch.dtype) -> None:
    torch.manual_seed(0)
    kept = dropout(torch.ones(1000, 999, dtype=width), 0.2).float()
    assert (kept == 0).float().mean().item() == pytest.approx(0.2, abs=0.002)
    assert kept.mean().item() == pytest.approx(1, abs=0.004)
    assert kept.unique().tolist() == pytest.approx([0, 1.25])


def test_dropout_follows_the_seed_and_lets_gradients_through_where_it_kept() -> None:
    inputs = torch.ones(7, 5, requires_grad=True)
    torch.manual_seed(3)
    first = dropout(inputs, 0.5)
    first.sum().backward()
    assert torch.equal(inputs.grad, first.detach())
    torch.manual_seed(3)
    assert torch.equal(dropout(inputs, 0.5), first)
