"""How much a step computes, and what share of the peak that is."""

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from likeness.dialogue import Encoded
from training.peak import _by_data_sheet, peak_flops, step_flops
from training.rows import Batch, WindowsBuilder

CPU = torch.device("cpu")


def _batch(lengths: list[int], weight: float = 1.0) -> Batch:
    builder = WindowsBuilder()
    for length in lengths:
        builder.add(Encoded([1] * length, [weight] * length))
    return builder.windows().batch([list(range(len(lengths)))])


def test_a_gpt2_takes_six_operations_for_each_weight_of_a_matrix_and_token() -> None:
    shape = {"n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50_257}
    with torch.device("meta"):
        model = GPT2LMHeadModel(GPT2Config(**shape))
    a_token = step_flops(model, _batch([1024])) / 1024
    # nanoGPT counts 0.855e9 with the whole square of attention, of which we need half.
    assert a_token == pytest.approx(0.855e9 - 12 * 12 * 768 * 512, rel=0.01)


def test_tokens_that_teach_nothing_need_no_head() -> None:
    model = GPT2LMHeadModel(GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=300))
    head = 6 * 300 * 32 * 9
    assert step_flops(model, _batch([10])) - step_flops(model, _batch([10], 0.0)) == head


def test_parted_windows_need_less_attention_than_one() -> None:
    model = GPT2LMHeadModel(GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=300))
    assert step_flops(model, _batch([50, 50], 0.0)) < step_flops(model, _batch([100], 0.0))


def test_other_models_are_counted_too() -> None:
    shape = LlamaConfig(vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=1,
                        num_attention_heads=2)  # fmt: skip
    matrices = 4 * 32 * 32 + 3 * 32 * 64
    seen = 12 * 32 * np.arange(1, 11).sum()
    assert step_flops(LlamaForCausalLM(shape), _batch([10], 0.0)) == 6 * matrices * 10 + seen


@pytest.mark.parametrize(
    ("name", "tera"),
    [
        ("NVIDIA H200", 989),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA H100 80GB HBM3", 989),
        ("NVIDIA H100 NVL", 835),
        ("NVIDIA H200 NVL", None),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", None),
        ("NVIDIA A100-SXM4-40GB", 312),
        ("NVIDIA L4", 121),
        ("NVIDIA GeForce RTX 4090", 165),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA GeForce RTX 4090 D", None),
        ("NVIDIA GeForce RTX 3090 Ti", None),
        ("NVIDIA RTX A1000", None),
        ("NVIDIA L40", None),
    ],
)
def test_a_card_is_known_by_its_whole_name(name: str, tera: float | None) -> None:
    assert _by_data_sheet(name) == (None if tera is None else tera * 1e12)


def test_a_peak_is_found_by_trying_where_no_data_sheet_tells() -> None:
    assert 1e8 < peak_flops(CPU, torch.float32) < 1e15
