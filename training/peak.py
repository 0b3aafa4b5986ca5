"""What share of a device's peak is used: how much a step computes, how much the device could."""

import re
import time
from functools import cache
from weakref import WeakKeyDictionary

import torch
from transformers import PreTrainedModel

from training.rows import Batch

_TERA = 1e12
_CARDS = {
    "B200": 2250, "H200": 989, "H100 PCIe": 756, "H100 NVL": 835, "H100": 989, "A100": 312,
    "L40S": 362, "L4": 121, "A10G": 70, "A10": 125, "RTX 4090": 165, "RTX 3090": 71,
}  # fmt: skip
"""Products of bfloat16, dense, in 10^12 a second. Source: NVIDIA's data sheets."""
_ANOTHER = re.compile(r"\b(?:D|Laptop|MIG|NVL|Ti)\b")
"""What behind a card's name tells that it is another card, or a part of one."""
_SIDE = {"cpu": 1024, "cuda": 8192}
_TRIES = 5
_counted: WeakKeyDictionary[PreTrainedModel, tuple[int, int]] = WeakKeyDictionary()
"""Weights of models' bodies and heads; none is kept in memory for it."""


@cache
def peak_flops(device: torch.device, width: torch.dtype, seconds: float = 0.0) -> float:
    """Return how many operations a second a device reaches: by its data sheet, or else by trying.

    Trying takes a fraction of a second unless told otherwise: the best of some products of large
    matrices, so that a share of it can never be made to look better by a peak that nothing reaches.
    On a busy machine the best is the nearer to the truth the longer it is sought.

    Args:
        device: What computes.
        width: Of the products.
        seconds: For how long it is tried at the least.
    """
    if device.type == "cuda" and width == torch.bfloat16:
        told = _by_data_sheet(torch.cuda.get_device_name(device))
        if told is not None:
            return told
    side = _SIDE.get(device.type, 1024)
    one = torch.ones(side, side, dtype=width, device=device)
    made, least = torch.mm(one, one), float("inf")
    until, tries = time.perf_counter() + seconds, 0
    while tries < _TRIES or time.perf_counter() < until:
        finished(device)
        begun = time.perf_counter()
        torch.mm(one, one, out=made)
        finished(device)
        least = min(least, time.perf_counter() - begun)
        tries += 1
    return 2 * side**3 / least


def _by_data_sheet(name: str) -> float | None:
    """Return the peak of a card by its name: whole words, as an A1000 is no A100."""
    for card, tera in _CARDS.items():
        found = re.search(rf"\b{re.escape(card)}\b", name)
        if found is not None:
            return None if _ANOTHER.search(name, found.end()) else tera * _TERA
    return None


def step_flops(model: PreTrainedModel, batch: Batch) -> float:
    """Return how many operations learning from a batch needs, recomputing and padding not counted.

    Six for each weight of a matrix and token: a product and a sum, forward once and backward twice;
    of the head only for tokens that teach. Attention sees half a window on average.

    Source: "PaLM" (Chowdhery et al., 2022), appendix B.
    """
    body, head = _weights(model)
    seen = int((batch.positions + 1)[batch.real].sum())
    layers = getattr(model.config, "num_hidden_layers", 0)
    attention = 12 * layers * getattr(model.config, "hidden_size", 0) * seen
    return float(6 * (body * batch.tokens + head * batch.taught) + attention)


def _weights(model: PreTrainedModel) -> tuple[int, int]:
    if model not in _counted:
        _counted[model] = _count(model)
    return _counted[model]


def _count(model: PreTrainedModel) -> tuple[int, int]:
    rows: torch.Tensor = model.get_input_embeddings().weight  # type: ignore[assignment]
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    tables = {id(rows), *((id(head.weight),) if head is not None else ())}
    positions = getattr(model.base_model, "wpe", None)
    if positions is not None:
        tables.add(id(positions.weight))
    body = sum(
        weight.numel()
        for weight in model.parameters()
        if weight.ndim >= 2 and id(weight) not in tables
    )
    return body, rows.numel()


def finished(device: torch.device) -> None:
    """Wait until a device has done all that it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
