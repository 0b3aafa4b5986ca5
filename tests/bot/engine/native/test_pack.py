"""Packed weights: as near to the model as 8 bits allow, and small enough for sums of 16 bits."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from transformers import AutoModelForCausalLM

from bot.engine.models import Reading
from bot.engine.native import build
from bot.engine.native.model import NativeModel
from bot.engine.native.pack import WEIGHTS, Shape, pack
from bot.engine.native.packed import Packed

Floats = NDArray[np.float32]
LINEAR = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
IDS: list[int] = np.random.default_rng(5).integers(0, 256, 150).tolist()


@pytest.fixture(params=["as trained", "with weights far off"])
def folder(request: pytest.FixtureRequest, tiny_model: Path, tmp_path: Path) -> Path:
    """Copy the tiny model; the second time some weights are many times as large as all others."""
    copy = Path(shutil.copytree(tiny_model, tmp_path / "tiny"))
    if request.param == "with weights far off":
        weights = load_file(copy / WEIGHTS)
        far = weights[next(name for name in weights if name.endswith("h.0.mlp.c_fc.weight"))]
        far[4:6] *= 40  # two neighbours, in all outputs
        far[:, 7] = np.abs(far).max()  # one output that has nothing else
        far[:, 9] = 0
        save_file(weights, copy / WEIGHTS, metadata={"format": "pt"})
    return copy


def shape_of(folder: Path) -> Shape:
    return Shape.of(json.loads((folder / "config.json").read_text()))


def names(shape: Shape) -> Iterator[tuple[str, bool]]:
    """Yield the names of what is packed, in order, and whether it is a linear layer."""
    yield "wte", True
    yield "wpe", False
    for layer in range(shape.layers):
        for norm, linear in (("ln_1", LINEAR[:2]), ("ln_2", LINEAR[2:])):
            yield f"h.{layer}.{norm}", False
            yield from ((f"h.{layer}.{name}", True) for name in linear)
    yield "ln_f", False


def linears(folder: Path) -> Iterator[tuple[str, NDArray[np.int8], Floats]]:
    """Yield each linear layer's whole numbers (outputs, inputs) and scales (outputs,)."""
    shape = shape_of(folder)
    tensors = iter(pack(folder, shape))
    for name, linear in names(shape):
        first = next(tensors)
        if linear:
            tiles, panels, quads, panel, _ = first.shape
            outputs = tiles * panels * panel
            whole = first.transpose(0, 1, 3, 2, 4).reshape(outputs, 4 * quads)
            scales, sums, _ = (next(tensors) for _ in range(3))
            assert (whole.sum(axis=1, dtype=np.int32) == sums).all()
            yield name, whole, scales
        elif name != "wpe":
            next(tensors)
    assert next(tensors, None) is None


def rounded(folder: Path) -> Any:
    """Return transformers' model with the weights that were packed in place of its own."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    for name, whole, scales in linears(folder):
        weight = model.transformer.get_submodule(name).weight.data
        wide = weight if name == "wte" else weight.T
        outputs, inputs = wide.shape
        wide.copy_(torch.from_numpy((whole * scales[:, None])[:outputs, :inputs]))
    return model


def test_weights_are_rounded_to_the_nearest_step(folder: Path) -> None:
    originals = {
        name.removeprefix("transformer."): weight
        for name, weight in load_file(folder / WEIGHTS).items()
    }
    for name, whole, scales in linears(folder):
        original = originals[f"{name}.weight"]
        wide = original if name == "wte" else original.T
        outputs, inputs = wide.shape
        off = np.abs(whole[:outputs, :inputs] * scales[:outputs, None] - wide)
        assert (off <= 0.5001 * scales[:outputs, None]).all()
        assert not whole[outputs:].any()
        assert not whole[:, inputs:].any()


def test_products_of_neighbours_fit_into_16_bits(folder: Path) -> None:
    most = np.iinfo(np.int16).max
    for _, whole, _ in linears(folder):
        sizes = np.abs(whole.astype(np.int32))
        assert (255 * (sizes[:, ::2] + sizes[:, 1::2]) <= most).all()


def test_the_kernel_computes_what_these_weights_give(folder: Path) -> None:
    """With a second plane almost nothing else is rounded."""
    packed = Packed.of(shape_of(folder), pack(folder, shape_of(folder)))
    with torch.inference_mode():
        expected = rounded(folder)(torch.tensor([IDS])).logits[0].numpy()
    for planes, most in ((1, 0.05), (2, 0.002)):
        model = NativeModel(build.load(), packed, planes=planes)
        (found,) = model.read([Reading(model.cache(), IDS, len(IDS))])
        assert np.linalg.norm(found - expected) < most * np.linalg.norm(expected)
        model.close()
