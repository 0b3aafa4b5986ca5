"""Weights as the kernel reads them: 8 bits each, a scale an output, in panels of 16 outputs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from likeness.errors import ModelError

WEIGHTS = "model.safetensors"
_OUTPUTS = 64  # of a tile
_PANEL = 16
_MOST = 127
"""Two neighbours' weights together, before each is rounded; afterwards one more. So the products of
both with unsigned bytes fit into 16 bits, which AVX2 adds them up in (`dots.h`). Beside weights
that are 127 alone at the most, that takes half a bit of each."""
_GELUS = ("gelu_new", "gelu_pytorch_tanh")


@dataclass(frozen=True, slots=True)
class Shape:
    """A GPT-2, in numbers.

    Attributes:
        layers: How many.
        heads: Of attention, in each layer.
        embedding: The stream's width, D.
        inner: The width inside a layer.
        positions: How many tokens it takes at the most.
        vocabulary: How many tokens it knows, V.
        epsilon: Of LayerNorm.
    """

    layers: int
    heads: int
    embedding: int
    inner: int
    positions: int
    vocabulary: int
    epsilon: float

    @classmethod
    def of(cls, config: dict[str, Any]) -> "Shape":
        """Return the shape that a `config.json` of transformers tells of.

        Raises:
            ModelError: It is no GPT-2, or a kind of it that the kernel does not know.
        """
        fits = (
            config.get("model_type") == "gpt2"
            and config.get("activation_function", "gelu_new") in _GELUS
            and config.get("scale_attn_weights", True)
            and not config.get("scale_attn_by_inverse_layer_idx", False)
            and config.get("tie_word_embeddings", True)
        )
        try:
            width = int(config["n_embd"])
            shape = cls(
                layers=int(config["n_layer"]),
                heads=int(config["n_head"]),
                embedding=width,
                inner=int(config.get("n_inner") or 4 * width),
                positions=int(config["n_positions"]),
                vocabulary=int(config["vocab_size"]),
                epsilon=float(config.get("layer_norm_epsilon", 1e-5)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError("The model is no GPT-2.") from error
        if not fits or shape.inner % 16 or width % (16 * shape.heads):
            raise ModelError("The model is no GPT-2 of the shape that the kernel knows.")
        return shape


def pack(folder: Path, shape: Shape) -> list[NDArray[Any]]:
    """Read a model's weights and return them as the kernel wants them, in the order of `model.h`.

    Raises:
        ModelError: They cannot be read, or are not those of the shape.
    """
    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as file:
            return list(_tensors(_Weights(file), shape))
    except (OSError, SafetensorError, TypeError) as error:
        raise ModelError(f"The weights in {folder} cannot be packed: {error}.") from error


class _Weights:
    """The tensors of a file by their names in transformers, with or without its prefix."""

    def __init__(self, file: Any) -> None:
        self._file = file
        names: list[str] = file.keys()
        self._names = {name.removeprefix("transformer."): name for name in names}

    def __call__(self, name: str, *shape: int) -> NDArray[np.float32]:
        if name not in self._names:
            raise ModelError(f"The weights lack {name}.")
        found: NDArray[Any] = self._file.get_tensor(self._names[name])
        if found.shape != shape:
            raise ModelError(f"The weights {name} have another shape than the model.")
        if not np.isfinite(found).all():
            raise ModelError(f"The weights {name} hold what is no number: train it again.")
        return found.astype(np.float32, copy=False)


def _tensors(weights: _Weights, shape: Shape) -> Iterator[NDArray[Any]]:
    width, inner = shape.embedding, shape.inner
    embeddings = weights("wte.weight", shape.vocabulary, width)
    yield from _linear(embeddings, np.zeros(shape.vocabulary, np.float32))
    yield weights("wpe.weight", shape.positions, width)
    for layer in range(shape.layers):
        at = f"h.{layer}."
        yield from _norm(at + "ln_1", weights, width)
        yield from _conv1d(at + "attn.c_attn", weights, width, 3 * width)
        yield from _conv1d(at + "attn.c_proj", weights, width, width)
        yield from _norm(at + "ln_2", weights, width)
        yield from _conv1d(at + "mlp.c_fc", weights, width, inner)
        yield from _conv1d(at + "mlp.c_proj", weights, inner, width)
    yield from _norm("ln_f", weights, width)


def _norm(name: str, weights: _Weights, width: int) -> Iterator[NDArray[Any]]:
    for part in ("weight", "bias"):
        yield weights(f"{name}.{part}", width)


def _conv1d(name: str, weights: _Weights, inputs: int, outputs: int) -> Iterator[NDArray[Any]]:
    matrix = weights(f"{name}.weight", inputs, outputs).T
    return _linear(matrix, weights(f"{name}.bias", outputs))


def _linear(matrix: NDArray[np.float32], bias: NDArray[np.float32]) -> Iterator[NDArray[Any]]:
    """Yield a linear layer's parts; `matrix` is (outputs, inputs)."""
    outputs, inputs = matrix.shape
    tiles = -(-outputs // _OUTPUTS)
    depth = -(-inputs // 64) * 64
    panels = _OUTPUTS // _PANEL
    packed = np.zeros((tiles, panels, depth // 4, _PANEL, 4), np.int8)
    scales = np.zeros(tiles * _OUTPUTS, np.float32)
    sums = np.zeros(tiles * _OUTPUTS, np.int32)
    for tile in range(tiles):
        here = slice(tile * _OUTPUTS, min(outputs, (tile + 1) * _OUTPUTS))
        part = matrix[here]
        sizes = np.abs(part)
        peak = (sizes[:, ::2] + sizes[:, 1::2]).max(axis=1)
        scales[here] = peak / _MOST
        inverse = np.divide(_MOST, peak, out=np.zeros_like(peak), where=peak > 0)
        whole = np.zeros((_OUTPUTS, depth), np.int8)
        whole[: len(part), :inputs] = np.rint(part * inverse[:, None])
        sums[here] = whole[: len(part)].sum(axis=1, dtype=np.int32)
        packed[tile] = whole.reshape(panels, _PANEL, depth // 4, 4).transpose(0, 2, 1, 3)
    yield packed
    yield scales
    yield sums
    yield np.pad(bias, (0, tiles * _OUTPUTS - outputs))
