"""GPT-2 as a graph for ONNX Runtime, its matrices rounded to 8 bits, and the engine that asks it.

Needs `pip install onnx onnxruntime`. Keys and values stay in buffers that the graph writes into:
attention is ONNX Runtime's own `GroupQueryAttention`, with as many groups as heads.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpt2_shape import VOCABULARY, WIDTH

HEADS = 12
LAYERS = 12
TOP_P = 0.8
_HEAD_WIDTH = WIDTH // HEADS
_ROOM = 256
"""Tokens that the buffers hold: no more than what is asked for here."""

Array = NDArray[Any]


class OnnxRuntime:
    """Weights of 8 bits by ONNX Runtime's dynamic quantisation, tokens chosen as ours are."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Open the graph; write it where that has not happened yet."""
        import onnxruntime

        path = folder.parent / "dynamic-int8.onnx"
        if not path.exists():
            write_graph(folder, path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session: Any = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self._buffers: list[Array] = []
        self._chance = np.random.default_rng(1)

    def write(self, histories: Sequence[Sequence[int]], known: int, tokens: int) -> float:
        """Write a reply after each history; see `benchmarks.reply_engines.Engine`."""
        from bot.engine import Sampling
        from bot.engine.sampling import choose

        sampling = Sampling(top_p=TOP_P)
        if not known:
            shape = (len(histories), HEADS, _ROOM, _HEAD_WIDTH)
            self._buffers = [np.zeros(shape, np.float32) for _ in range(2 * LAYERS)]
        new = np.array([history[known:] for history in histories], np.int64)
        read, first = known, 0.0
        for _ in range(tokens):
            logits = self._read(new, read)
            read += new.shape[1]
            chosen = [choose(row, sampling, self._chance.random()) for row in logits]
            new = np.array(chosen, np.int64)[:, None]
            first = first or time.perf_counter()
        return first

    def _read(self, ids: Array, before: int) -> Array:
        """Read tokens (B, T) of all chats after so many; return the logits (B, V) of the next.

        Several new tokens after old ones are read chat by chat: the operator takes them no other
        way.
        """
        if ids.shape[1] == 1 or not before:
            return self._step(ids, before, self._buffers)
        rows = range(len(ids))
        return np.concatenate(
            [
                self._step(ids[n : n + 1], before, [kept[n : n + 1] for kept in self._buffers])
                for n in rows
            ]
        )

    def _step(self, ids: Array, before: int, buffers: Sequence[Array]) -> Array:
        count, total = len(ids), before + ids.shape[1]
        binding = self._session.io_binding()
        binding.bind_cpu_input("ids", np.ascontiguousarray(ids))
        binding.bind_cpu_input("positions", np.arange(before, total, dtype=np.int64)[None])
        binding.bind_cpu_input("last", np.full(count, total - 1, np.int32))
        binding.bind_cpu_input("total", np.array(total, np.int32))
        for number, kept in enumerate(buffers):
            where = ("cpu", 0, np.float32, kept.shape, kept.ctypes.data)
            binding.bind_input(f"past{number}", *where)
            binding.bind_output(f"present{number}", *where)
        binding.bind_output("logits")
        self._session.run_with_iobinding(binding)
        found: Array = binding.get_outputs()[-1].numpy()
        return found


def write_graph(folder: Path, path: Path) -> None:
    """Write the graph of a model folder with matrices of 8 bits, a scale for each output."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    wide = path.with_name("fp32.onnx")
    onnx.save(_Graph(folder).model(), wide)
    quantize_dynamic(
        wide,
        path,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    wide.unlink()


class _Graph:
    """Nodes and weights, as they come about."""

    def __init__(self, folder: Path) -> None:
        from safetensors import safe_open

        with safe_open(folder / "model.safetensors", framework="numpy") as file:
            names: list[str] = list(file.keys())
            self._tensors: dict[str, Array] = {
                name.removeprefix("transformer."): file.get_tensor(name) for name in names
            }
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def model(self) -> Any:
        """Return the whole graph."""
        from onnx import TensorProto, helper

        words, place = self.weight("wte.weight"), self.weight("wpe.weight")
        stream = self.node(
            "Add", self.node("Gather", words, "ids"), self.node("Gather", place, "positions")
        )
        for layer in range(LAYERS):
            stream = self.layer(stream, layer)
        at = self.constant("minus_one", np.array([-1], np.int64))
        newest = self.node(
            "Squeeze",
            self.node("Gather", stream, at, axis=1),
            self.constant("one", np.array([1], np.int64)),
        )
        head = self.constant("head", np.ascontiguousarray(self._tensors["wte.weight"].T))
        self.node("MatMul", self.norm(newest, "ln_f"), head, to="logits")
        float_, whole = TensorProto.FLOAT, TensorProto.INT64
        kept = ["batch", HEADS, _ROOM, _HEAD_WIDTH]
        info = helper.make_tensor_value_info
        inputs = [
            info("ids", whole, ["batch", "length"]),
            info("positions", whole, [1, "length"]),
            info("last", TensorProto.INT32, ["batch"]),
            info("total", TensorProto.INT32, []),
        ]
        pasts = [info(f"past{n}", float_, kept) for n in range(2 * LAYERS)]
        outputs = [info(f"present{n}", float_, kept) for n in range(2 * LAYERS)]
        outputs.append(info("logits", float_, ["batch", VOCABULARY]))
        graph = helper.make_graph(self._nodes, "gpt2", [*inputs, *pasts], outputs, self._weights)
        opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def layer(self, stream: str, number: int) -> str:
        """Add a layer; return its stream."""
        at = f"h.{number}."
        normed = self.norm(stream, at + "ln_1")
        three = [f"{at}{part}" for part in ("query", "key", "value")]
        self.node(
            "Split", self.linear(normed, at + "attn.c_attn"), to=three, axis=-1, num_outputs=3
        )
        heard = f"{at}heard"
        self.node(
            "GroupQueryAttention",
            *three,
            *(f"past{2 * number + part}" for part in (0, 1)),
            "last",
            "total",
            to=[heard, *(f"present{2 * number + part}" for part in (0, 1))],
            domain="com.microsoft",
            num_heads=HEADS,
            kv_num_heads=HEADS,
        )
        stream = self.node("Add", stream, self.linear(heard, at + "attn.c_proj"))
        wide = self.linear(self.norm(stream, at + "ln_2"), at + "mlp.c_fc")
        wide = self.node("Gelu", wide, approximate="tanh")
        return self.node("Add", stream, self.linear(wide, at + "mlp.c_proj"))

    def linear(self, values: str, name: str) -> str:
        """Add a linear layer, its weights (inputs, outputs)."""
        product = self.node("MatMul", values, self.weight(f"{name}.weight"))
        return self.node("Add", product, self.weight(f"{name}.bias"))

    def norm(self, values: str, name: str) -> str:
        """Add a LayerNorm."""
        parts = [self.weight(f"{name}.{part}") for part in ("weight", "bias")]
        return self.node("LayerNormalization", values, *parts, epsilon=1e-5)

    def weight(self, name: str) -> str:
        """Add one of the model's tensors."""
        return self.constant(name, self._tensors[name])

    def constant(self, name: str, tensor: Array) -> str:
        """Add a tensor that does not change."""
        from onnx import numpy_helper

        self._weights.append(numpy_helper.from_array(tensor, name))
        return name

    def node(self, kind: str, *inputs: str, to: str | list[str] = "", **attributes: Any) -> str:
        """Add a node; return the name of its first output."""
        from onnx import helper

        outputs = [to or f"{kind}{len(self._nodes)}"] if isinstance(to, str) else to
        self._nodes.append(helper.make_node(kind, list(inputs), outputs, **attributes))
        return outputs[0]
