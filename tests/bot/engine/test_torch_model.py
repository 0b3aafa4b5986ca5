"""Any architecture of transformers computes what it would alone, whatever it remembers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    OpenAIGPTConfig,
    OpenAIGPTLMHeadModel,
    PreTrainedModel,
)

from bot.engine import torch_model
from bot.engine.models import Reading
from bot.engine.torch_model import TorchModel, open_torch
from likeness.errors import ModelError

pytestmark = pytest.mark.slow

SMALL = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 32}
ARCHITECTURES = {
    "gpt2": lambda: GPT2LMHeadModel(
        GPT2Config(vocab_size=50, n_positions=64, n_embd=16, n_layer=2, n_head=2)
    ),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SMALL, **HEADS)),
    "sliding window": lambda: MistralForCausalLM(MistralConfig(**SMALL, **HEADS, sliding_window=4)),
    "recurrent": lambda: MambaForCausalLM(MambaConfig(**SMALL, state_size=4)),
    "without a cache": lambda: OpenAIGPTLMHeadModel(
        OpenAIGPTConfig(vocab_size=50, n_positions=64, n_embd=16, n_layer=1, n_head=2)
    ),
}
TEXT = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]


@pytest.fixture(params=ARCHITECTURES)
def network(request: pytest.FixtureRequest) -> PreTrainedModel:
    torch.manual_seed(0)
    return ARCHITECTURES[request.param]().eval()


def whole(network: PreTrainedModel, ids: list[int]) -> Any:
    with torch.inference_mode():
        return network(torch.tensor([ids])).logits[0].numpy()


def test_pieces_of_a_text_give_what_the_whole_gives(network: PreTrainedModel) -> None:
    model = TorchModel(network)
    cache = model.cache()
    found = [
        model.read([Reading(cache, TEXT[:5])])[0],
        model.read([Reading(cache, TEXT[5:6])])[0],
        model.read([Reading(cache, TEXT[6:], wanted=3)])[0],
    ]
    expected = whole(network, TEXT)[[4, 5, -3, -2, -1]]
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-5)
    assert cache.length == len(TEXT)


def test_a_cut_text_goes_on_as_if_the_rest_had_never_been(network: PreTrainedModel) -> None:
    model = TorchModel(network)
    cache = model.cache()
    model.read([Reading(cache, TEXT)])
    for length, more in ((10, [7]), (4, [7, 7, 8]), (6, [1]), (0, [2, 3])):
        kept = cache.ids[:length]
        cache.cut(length)
        (found,) = model.read([Reading(cache, more)])
        np.testing.assert_allclose(found[-1], whole(network, [*kept, *more])[-1], atol=1e-5)


def test_two_copies_go_their_own_ways(network: PreTrainedModel) -> None:
    model = TorchModel(network)
    one = model.cache()
    model.read([Reading(one, TEXT)])
    two = one.fork()
    found = model.read([Reading(one, [7, 7]), Reading(two, [8])])
    for logits, rest in zip(found, ([7, 7], [8]), strict=True):
        np.testing.assert_allclose(logits[-1], whole(network, TEXT + rest)[-1], atol=1e-5)
    (after,) = model.read([Reading(two, [9])])
    np.testing.assert_allclose(after[-1], whole(network, [*TEXT, 8, 9])[-1], atol=1e-5)


def test_what_stands_beside_a_text_changes_no_bit_of_it(network: PreTrainedModel) -> None:
    model = TorchModel(network)
    (alone,) = model.read([Reading(model.cache(), TEXT)])
    beside = [Reading(model.cache(), TEXT[number:]) for number in (3, 0, 6)]
    assert (model.read(beside)[1] == alone).all()


def test_a_step_that_fails_can_be_done_again(network: PreTrainedModel) -> None:
    model = TorchModel(network)
    cache = model.cache()
    model.read([Reading(cache, TEXT)])
    with pytest.raises(IndexError):
        model.read([Reading(cache, [10**6])])
    cache.cut(len(TEXT))
    (found,) = model.read([Reading(cache, [7])])
    np.testing.assert_allclose(found[-1], whole(network, [*TEXT, 7])[-1], atol=1e-5)


def test_a_cache_tells_its_size_and_gives_it_back(tiny_model: Path) -> None:
    model = open_torch(tiny_model, "cpu")
    cache = model.cache()
    model.read([Reading(cache, TEXT)])
    keys_and_values = 2 * 2 * len(TEXT) * 32 * 4
    assert keys_and_values <= cache.size <= keys_and_values + 100
    cache.close()
    assert cache.size == 0


def test_a_folder_s_model_is_that_of_transformers(tiny_model: Path) -> None:
    model = open_torch(tiny_model)
    network = AutoModelForCausalLM.from_pretrained(tiny_model, local_files_only=True).eval()
    (found,) = model.read([Reading(model.cache(), TEXT, wanted=len(TEXT))])
    np.testing.assert_allclose(found, whole(network, TEXT), rtol=1e-4, atol=1e-5)
    assert (model.vocabulary, model.positions) == (found.shape[1], 256)


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_a_model_of_16_bits_makes_logits_of_32(name: str) -> None:
    torch.manual_seed(0)
    network = ARCHITECTURES[name]().eval().to(torch.bfloat16)
    (narrow,) = TorchModel(network).read([Reading(TorchModel(network).cache(), TEXT)])
    torch_model._widen_head(network)
    model = TorchModel(network)
    (wide,) = model.read([Reading(model.cache(), TEXT)])
    rounded = torch.from_numpy(wide).bfloat16().float().numpy()
    assert (rounded == narrow).all()
    assert (rounded != wide).any()


def test_a_card_that_does_not_hold_the_model_is_one_sentence(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB.")

    monkeypatch.setattr(PreTrainedModel, "to", full)
    with pytest.raises(ModelError, match="memory of cpu does not hold the model"):
        open_torch(tiny_model, "cpu")


def test_a_card_that_is_full_at_a_step_is_a_want_of_memory(
    network: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    model = TorchModel(network)
    cache = model.cache()
    model.read([Reading(cache, TEXT)])
    with monkeypatch.context() as patch:
        patch.setattr(network, "forward", full)
        with pytest.raises(MemoryError):
            model.read([Reading(cache, [7])])
    cache.cut(len(TEXT))
    (found,) = model.read([Reading(cache, [7])])
    np.testing.assert_allclose(found[-1], whole(network, [*TEXT, 7])[-1], atol=1e-5)


@pytest.mark.parametrize("name", ["cuda:77", "abacus", "hpu"])
def test_a_device_that_is_not_there_is_one_sentence(tiny_model: Path, name: str) -> None:
    with pytest.raises(ModelError, match=f"no device '{name}'"):
        open_torch(tiny_model, name)
