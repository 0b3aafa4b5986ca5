"""Any causal language model of transformers, as an engine wants it: slow, but every one."""

import copy
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer
from transformers.utils import logging as transformers_logging

from bot.engine.batched import BatchedGpt2, suits
from bot.engine.devices import fitting, pick
from bot.engine.models import Model, Reading
from likeness.errors import BadCard, ModelError

_ENDLESS = 2**31


class TorchCache:
    """What was read of one text: its ids, and the state of the model after a beginning of them.

    A state that cannot be cut, as a recurrent one, is forgotten instead, and the model reads the
    text again; so does one that keeps no state.
    """

    def __init__(self) -> None:
        """Begin a text."""
        self.ids: list[int] = []
        self.state: Any = None
        self.reached = 0

    @property
    def length(self) -> int:
        """How many tokens were read."""
        return len(self.ids)

    @property
    def size(self) -> int:
        """How many bytes it holds, of states that tell."""
        layers = getattr(self.state, "layers", ())
        tensors = (getattr(layer, name, None) for layer in layers for name in ("keys", "values"))
        sizes = [t.numel() * t.element_size() for t in tensors if isinstance(t, torch.Tensor)]
        return 8 * len(self.ids) + sum(sizes)

    def cut(self, length: int) -> None:
        """Forget all after the first `length` tokens."""
        del self.ids[length:]
        if self.reached <= length:
            return
        self.reached = length
        if length and _can_be_cut(self.state):
            for layer in self.state.layers:
                layer.keys = layer.keys[..., :length, :]
                layer.values = layer.values[..., :length, :]
        else:
            self.state, self.reached = None, 0

    def fork(self) -> "TorchCache":
        """Return a second one that begins with the same text and goes its own way."""
        return copy.deepcopy(self)

    def close(self) -> None:
        """Give its memory back."""
        self.state, self.reached = None, 0
        self.ids = []


class TorchModel:
    """A model of transformers on a device of torch; a `bot.engine.models.Model`.

    It computes each text for itself, so that nothing depends on what is read beside it.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        """Take a model in evaluation mode."""
        config = model.config.get_text_config()
        takes = inspect.signature(model.forward).parameters
        self.vocabulary: int = config.vocab_size
        self.positions: int = getattr(config, "max_position_embeddings", _ENDLESS)
        self._model = model
        self._remembers = "past_key_values" in takes
        self._keeps_some = "logits_to_keep" in takes

    def cache(self) -> TorchCache:
        """Return an empty cache."""
        return TorchCache()

    def read(self, readings: Sequence[Reading]) -> list[NDArray[np.float32]]:
        """Read tokens of several texts, one text after the other.

        Raises:
            MemoryError: There is not enough of it.
        """
        return [self._read(reading) for reading in readings]

    def close(self) -> None:
        """Leave the memory to Python; the model goes when the last one who knows it does."""

    @torch.inference_mode()
    def _read(self, reading: Reading) -> NDArray[np.float32]:
        model, cache = self._model, cast(TorchCache, reading.cache)
        cache.ids += reading.ids
        ids = torch.tensor([cache.ids[cache.reached :]], device=model.device)
        options: dict[str, Any] = {"logits_to_keep": reading.wanted} if self._keeps_some else {}
        if self._remembers:
            options |= {"use_cache": True, "past_key_values": cache.state}
        cache.state, cache.reached = None, 0  # should it fail, half of it is of no use
        with fitting():
            found = model(ids, **options)
        if self._remembers:
            cache.state, cache.reached = found.past_key_values, cache.length
        logits: torch.Tensor = found.logits[0, -reading.wanted :]
        return logits.float().cpu().numpy()


def open_torch(folder: Path, device: str = "auto") -> Model:
    """Load the model of a folder: a GPT-2 on a GPU for many chats a pass, all else one by one.

    Raises:
        ModelError: It cannot be loaded, or there is no such device.
    """
    network = _load(folder, pick(device))
    if network.device.type == "cuda" and suits(network):
        return BatchedGpt2(network)
    _widen_head(network)
    return TorchModel(network)


def _can_be_cut(state: Any) -> bool:
    return type(state) is DynamicCache and all(
        type(layer) is DynamicLayer for layer in state.layers
    )


def _load(folder: Path, device: torch.device) -> PreTrainedModel:
    # Asked of this card: torch's own question is about the current one, which may be another.
    halves = device.type == "cuda" and (
        bool(torch.version.hip) or torch.cuda.get_device_capability(device) >= (8, 0)
    )
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            dtype=torch.bfloat16 if halves else torch.float32,
        )
    except Exception as error:  # the libraries raise no narrower one
        raise BadCard(
            f"The model in {folder} cannot be loaded ({type(error).__name__}): train it again."
        ) from error
    model: PreTrainedModel = loaded[0]
    found = loaded[1]
    if found["missing_keys"] or found["mismatched_keys"]:
        raise BadCard(f"The model in {folder} lacks weights: train it again.")
    try:
        with fitting():
            model.to(device).eval()  # type: ignore[arg-type]
    except MemoryError as error:
        raise ModelError(
            f"The memory of {device} does not hold the model: try `--device cpu`."
        ) from error
    return model


class _WideHead(torch.nn.Module):
    """What makes logits, in 32 bits: beside a large one, 16 tell those next to it not apart."""

    def __init__(self, head: torch.nn.Linear) -> None:
        super().__init__()
        self.weight = head.weight.detach().float()
        self.bias = None if head.bias is None else head.bias.detach().float()

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return functional.linear(states.float(), self.weight, self.bias)


def _widen_head(network: Any) -> None:
    """Let a model of 16 bits make logits of 32."""
    head = network.get_output_embeddings()
    if type(head) is torch.nn.Linear and head.weight.dtype != torch.float32:
        network.set_output_embeddings(_WideHead(head))
