"""Attention within windows: of ours on a processor, and what a GPU's kernel is told."""

import pytest
import torch
from torch.nn import functional

from training import attention
from training.attention import Layout, attend, has_kernel

CPU = torch.device("cpu")
LENGTHS = [5, 1, 12, 7]
HEADS, SIZE = 4, 8


def _mixed() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(sum(LENGTHS), 3 * HEADS * SIZE, requires_grad=True)


def _by_torch(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
    ends: torch.Tensor, other_ends: torch.Tensor, most: int, other_most: int,
    *, window_size: tuple[int, int],
) -> torch.Tensor:  # fmt: skip
    """Do what `torch.nn.attention.varlen.varlen_attn` says it does, on any device."""
    assert window_size == (-1, 0)
    assert ends.dtype == torch.int32
    assert torch.equal(ends, other_ends)
    assert most == other_most >= int(ends.diff().max())
    seen = []
    for begin, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        parts = (one[begin:end].transpose(0, 1)[None] for one in (query, key, value))
        mean = functional.scaled_dot_product_attention(*parts, is_causal=True)
        seen.append(mean[0].transpose(0, 1))
    return torch.cat(seen)


def test_ours_and_the_gpus_give_the_same_and_learn_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attention, "_kernel", lambda: _by_torch)
    ends = torch.tensor([0, *LENGTHS]).cumsum(0).to(torch.int32)
    outer = torch.randn(sum(LENGTHS), HEADS * SIZE)
    found = []
    for layout in (Layout.of(LENGTHS, CPU), Layout(LENGTHS, ends, 1024)):
        mixed = _mixed()
        seen = attend(mixed, layout, HEADS)
        (seen * outer).sum().backward()
        found.append((seen.detach(), mixed.grad))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-6)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-6)


def test_nothing_flows_back_to_later_words_nor_to_other_windows() -> None:
    mixed = _mixed()
    attend(mixed, Layout.of(LENGTHS, CPU), HEADS)[8].sum().backward()
    touched = mixed.grad.abs().sum(1).nonzero().flatten().tolist()
    assert touched == [6, 7, 8]


def test_a_processor_needs_no_kernel() -> None:
    assert has_kernel(CPU, torch.float32, 300)
    assert not has_kernel(torch.device("mps"), torch.bfloat16, SIZE)


@pytest.mark.parametrize(
    ("size", "taken"), [(8, True), (12, False), (64, True), (256, True), (264, False)]
)
def test_the_gpus_kernel_takes_heads_of_some_sizes(
    monkeypatch: pytest.MonkeyPatch, size: int, taken: bool
) -> None:
    monkeypatch.setattr(attention, "_kernel", lambda: _by_torch)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 0))
    assert has_kernel(torch.device("cuda"), torch.bfloat16, size) == taken
