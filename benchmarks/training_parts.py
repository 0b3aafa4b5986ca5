"""What each part of a training step takes on one core, done plainly and as `training` does it.

Run `python -m benchmarks.training_parts`. The parts have the sizes of GPT-2 124M with 1,600 tokens,
in 16 bits; a line is one call forward and back, the best of some tries, by the core's own time.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

from training.attention import Layout, attend
from training.cross_entropy import cross_entropy
from training.dropout import dropout
from training.linear import linear
from training.memory import keep_memory

_TOKENS, _WIDTH, _HEADS, _VOCABULARY = 1600, 768, 12, 50_257
_TRIES = 5
_CPU = torch.device("cpu")

Way = Callable[[], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a step, with two ways to do it."""

    name: str
    plainly: Way
    ours: Way


class Layer:
    """A linear layer as transformers keeps GPT-2's, in 32 bits."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.weight = torch.randn(inputs, outputs).requires_grad_()
        self.bias = torch.zeros(outputs).requires_grad_()


def parts() -> list[Part]:
    """Return all that was made anew."""
    return [*(_attention(length) for length in (50, 100, 400, 800)), _linear(), _head(), _dropout()]


def _attention(length: int) -> Part:
    count = _TOKENS // length
    mixed = _random(_TOKENS, 3 * _WIDTH)
    layout = Layout.of([length] * count, _CPU)

    def plainly() -> torch.Tensor:
        shaped = mixed.view(count, length, 3, _HEADS, -1).permute(2, 0, 3, 1, 4)
        return functional.scaled_dot_product_attention(*shaped.unbind(0), is_causal=True)

    return Part(f"attention, windows of {length}", plainly, lambda: attend(mixed, layout, _HEADS))


def _linear() -> Part:
    hidden, layer = _random(_TOKENS, _WIDTH), Layer(_WIDTH, 4 * _WIDTH)

    def plainly() -> torch.Tensor:
        return torch.addmm(layer.bias.to(hidden.dtype), hidden, layer.weight.to(hidden.dtype))

    return Part("a linear layer, 768 to 3,072", plainly, lambda: linear(hidden, layer))


def _head() -> Part:
    hidden = _random(_TOKENS // 4, _WIDTH)
    head = torch.randn(_VOCABULARY, _WIDTH).mul_(0.02).requires_grad_()
    targets = torch.randint(_VOCABULARY, (_TOKENS // 4,))
    weights = torch.ones(len(targets))

    def plainly() -> torch.Tensor:
        logits = hidden @ head.to(hidden.dtype).t()
        return functional.cross_entropy(logits.float(), targets, reduction="sum")

    return Part(
        "head and cross-entropy, 400 tokens",
        plainly,
        lambda: cross_entropy(hidden, head, targets, weights).loss,
    )


def _dropout() -> Part:
    hidden = _random(_TOKENS, _WIDTH)
    return Part("dropout", lambda: functional.dropout(hidden, 0.1), lambda: dropout(hidden, 0.1))


def _random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape).to(torch.bfloat16).requires_grad_()


def milliseconds(way: Way) -> float:
    """Return what a way takes forward and back, at best."""
    taken = []
    for _ in range(_TRIES + 1):
        begun = time.process_time()
        way().sum().backward()
        taken.append(time.process_time() - begun)
    return min(taken[1:]) * 1000


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| part | torch, ms | ours, ms | times as fast |\n|---|---|---|---|")
    measured = [(part, milliseconds(part.plainly)) for part in parts()]
    keep_memory()
    for part, plainly in measured:
        ours = milliseconds(part.ours)
        print(f"| {part.name} | {plainly:.1f} | {ours:.1f} | {plainly / ours:.1f} |")


if __name__ == "__main__":
    main()
