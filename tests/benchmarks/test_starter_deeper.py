"""More layers for the starter change nothing that it predicts, until they learn."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from benchmarks.starter.deeper import deepen
from likeness.errors import BadSetting


def tiny(layers: int = 3) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    shape = GPT2Config(vocab_size=50, n_positions=16, n_embd=16, n_layer=layers, n_head=2)
    return GPT2LMHeadModel(shape).eval()


@pytest.mark.parametrize("layers", [3, 4, 6, 8])
def test_a_deeper_model_predicts_what_it_predicted(layers: int) -> None:
    model, ids = tiny(), torch.arange(12)[None]
    before = model(ids).logits
    deepen(model, layers)
    assert torch.equal(model(ids).logits, before)
    assert (model.config.num_hidden_layers, len(model.transformer.h)) == (layers, layers)


def test_every_new_layer_learns() -> None:
    model, ids = tiny(), torch.arange(12)[None]
    deepen(model, 6)
    model(ids, labels=ids).loss.backward()
    assert all(bool(layer.mlp.c_proj.weight.grad.abs().sum() > 0) for layer in model.transformer.h)


def test_a_deeper_model_writes_with_its_cache_what_it_writes_without() -> None:
    model, ids = tiny(), torch.arange(4)[None]
    deepen(model, 6)
    written = [model.generate(ids, max_new_tokens=6, do_sample=False, use_cache=use, pad_token_id=0)
               for use in (True, False)]  # fmt: skip
    assert torch.equal(*written)


def test_layers_are_not_taken_away() -> None:
    with pytest.raises(BadSetting, match="have 3 layers, and layers=2"):
        deepen(tiny(), 2)
