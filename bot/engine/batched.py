"""GPT-2 on a GPU: the next tokens of many chats in one pass, by graphs captured once."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import GPT2LMHeadModel, PreTrainedModel

from bot.engine.devices import fitting
from bot.engine.models import Reading, check
from bot.engine.pages import BLOCK, SPARE, PagedCache, Pages

log = logging.getLogger(__name__)

_TOGETHER = 16
"""Rows of a batch of single tokens, always so many: what a row gets then hangs on no other one, and
the weights, which all share, are most of what is read."""
_SHORTEST = 128
"""Tokens that are attended to at the least; the next lengths are twice as many, and so on."""


def suits(model: PreTrainedModel) -> bool:
    """Return whether a model is a GPT-2 as this module computes it."""
    config = model.config
    return (
        type(model) is GPT2LMHeadModel
        and config.activation_function in ("gelu_new", "gelu_pytorch_tanh")
        and config.scale_attn_weights
        and not config.scale_attn_by_inverse_layer_idx
        and not config.reorder_and_upcast_attn
        and config.tie_word_embeddings
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a pass reads: B texts, R new tokens of each, T tokens that they may look at.

    Attributes:
        ids: `(B, R)`.
        places: `(B, R)`, their positions.
        blocks: `(B, T / BLOCK)`, where the keys and values of each text lie.
    """

    ids: torch.Tensor
    places: torch.Tensor
    blocks: torch.Tensor

    def take(self, other: "_Rows") -> None:
        """Hold what others hold, in the same memory."""
        self.ids.copy_(other.ids)
        self.places.copy_(other.places)
        self.blocks.copy_(other.blocks)


class BatchedGpt2:
    """A GPT-2 on one device; a `bot.engine.models.Model`.

    Single tokens of up to 16 texts are read in one pass, more of a text in a pass of its own.

    Attributes:
        positions: How many tokens a cache takes at the most.
        vocabulary: How many tokens it knows, V.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        """Take a model that suits, in evaluation mode."""
        config = model.config
        self.positions: int = config.n_positions
        self.vocabulary: int = config.vocab_size
        self._body = cast(Any, model).transformer  # its parts are typed as tensors or modules
        self._heads: int = config.n_head
        weights: torch.Tensor = self._body.wte.weight
        self._device = weights.device
        # Beside a large logit, 16 bits tell those next to it not apart.
        self._head = weights.detach().float()
        self._pages = Pages(
            config.n_layer, config.n_head, config.n_embd // config.n_head, weights.detach()
        )
        self._graphs: dict[int, _Graph] | None = {} if weights.is_cuda else None
        self._captured_at = self._pages.moved

    def cache(self) -> PagedCache:
        """Return an empty cache."""
        return PagedCache(self._pages)

    @torch.inference_mode()
    def read(self, readings: Sequence[Reading]) -> list[NDArray[np.float32]]:
        """Read tokens of several texts.

        Returns:
            For each reading the logits `(wanted, V)` of what may follow its last tokens.

        Raises:
            ValueError: A text has no room, a token does not exist, or a reading makes no sense.
            MemoryError: There is not enough of it; nothing was read.
        """
        check(readings, self.positions, self.vocabulary)
        with fitting(), self._current():
            return self._read(readings)

    def _current(self) -> AbstractContextManager[Any]:
        """Make this model's card the current one: streams and graphs belong to that."""
        return torch.cuda.device(self._device) if self._device.type == "cuda" else nullcontext()

    def _read(self, readings: Sequence[Reading]) -> list[NDArray[np.float32]]:
        for reading in readings:
            cast(PagedCache, reading.cache).prepare(len(reading.ids))
        found: dict[int, NDArray[np.float32]] = {}
        single: dict[int, list[int]] = defaultdict(list)
        for number, reading in enumerate(readings):
            if len(reading.ids) == 1:
                single[self._reach(reading)].append(number)
            else:
                logits = self._pass(self._rows([reading], self._reach(reading)), reading.wanted)
                found[number] = logits[0].cpu().numpy()
        for reach, numbers in single.items():
            for start in range(0, len(numbers), _TOGETHER):
                some = numbers[start : start + _TOGETHER]
                logits = self._next([readings[number] for number in some], reach)
                found |= zip(some, logits.cpu().numpy(), strict=True)
        for reading in readings:
            cast(PagedCache, reading.cache).length += len(reading.ids)
        return [found[number] for number in range(len(readings))]

    def close(self) -> None:
        """Leave the memory to Python; the model goes when the last one who knows it does."""

    def _reach(self, reading: Reading) -> int:
        """Return how many tokens are attended to: that hangs on the text alone, in a few steps."""
        reach = _SHORTEST
        while reach < reading.cache.length + len(reading.ids):
            reach *= 2
        return reach

    def _rows(self, readings: Sequence[Reading], reach: int, batch: int = 1) -> _Rows:
        """Lay readings of as many tokens each out for a pass; rows that only fill it up read 0."""
        width = len(readings[0].ids)
        ids = np.zeros((batch, width), np.int64)
        places = np.zeros((batch, width), np.int64)
        blocks = np.full((batch, reach // BLOCK), SPARE, np.int64)
        for row, reading in enumerate(readings):
            cache = cast(PagedCache, reading.cache)
            ids[row] = reading.ids
            places[row] = np.arange(cache.length, cache.length + width)
            blocks[row, : len(cache.blocks)] = cache.blocks
        return _Rows(*(torch.from_numpy(one).to(self._device) for one in (ids, places, blocks)))

    def _next(self, readings: Sequence[Reading], reach: int) -> torch.Tensor:
        """Return the logits `(texts, 1, V)` after single tokens of some texts."""
        rows = self._rows(readings, reach, _TOGETHER)
        graph = self._graph(reach, rows)
        logits = graph.run(rows) if graph else self._pass(rows, 1)
        return logits[: len(readings)]

    def _graph(self, reach: int, rows: _Rows) -> "_Graph | None":
        """Return the captured pass of a length; None where none can be captured."""
        if self._graphs is None:
            return None
        if self._captured_at != self._pages.moved:
            self._graphs, self._captured_at = {}, self._pages.moved
        try:
            if reach not in self._graphs:
                self._graphs[reach] = _Graph(lambda rows: self._pass(rows, 1), rows)
        except RuntimeError as error:
            log.warning("The GPU computes without captured graphs: %s", type(error).__name__)
            self._graphs = None
            return None
        return self._graphs[reach]

    def _pass(self, rows: _Rows, wanted: int) -> torch.Tensor:
        """Return the logits `(B, wanted, V)`; keys and values of all rows are written meanwhile."""
        body, pages = self._body, self._pages
        batch, width = rows.ids.shape
        last = torch.arange(rows.blocks.shape[1] * BLOCK, device=self._device)
        visible = (last <= rows.places[..., None])[:, None]  # (B, 1, R, T)
        into = rows.blocks.gather(1, rows.places // BLOCK), rows.places % BLOCK
        stream = body.wte(rows.ids) + body.wpe(rows.places)
        for number, layer in enumerate(body.h):
            fused = layer.attn.c_attn(layer.ln_1(stream))
            queries, keys, values = fused.view(batch, width, 3, self._heads, -1).unbind(2)
            pages.keys[number].index_put_(into, keys)
            pages.values[number].index_put_(into, values)
            heard = functional.scaled_dot_product_attention(
                queries.transpose(1, 2),
                self._of(pages.keys[number], rows.blocks),
                self._of(pages.values[number], rows.blocks),
                attn_mask=visible,
            )
            heard = heard.transpose(1, 2).reshape(batch, width, -1)
            stream = stream + layer.attn.c_proj(heard)
            stream = stream + layer.mlp(layer.ln_2(stream))
        logits: torch.Tensor = body.ln_f(stream[:, -wanted:]).float() @ self._head.T
        return logits

    @staticmethod
    def _of(pages: torch.Tensor, blocks: torch.Tensor) -> torch.Tensor:
        """Return what stands in some blocks `(B, blocks)` as `(B, heads, T, width)`."""
        return pages[blocks].flatten(1, 2).transpose(1, 2)


class _Graph:
    """A pass over single tokens, captured: one launch instead of some hundred."""

    def __init__(self, compute: Callable[[_Rows], torch.Tensor], rows: _Rows) -> None:
        """Capture a pass over rows like some, and see that it gives the same.

        Raises:
            RuntimeError: It cannot be captured, or gives something else.

        Source: torch.cuda.CUDAGraph's documentation: a few passes on another stream come first.
        """
        self._rows = _Rows(rows.ids.clone(), rows.places.clone(), rows.blocks.clone())
        expected = compute(rows)
        beside: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(3):
                compute(self._rows)
        torch.cuda.current_stream().wait_stream(beside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._logits = compute(self._rows)
        self._logits.fill_(torch.nan)  # what was captured on another stream would leave that
        found = self.run(rows)
        if not torch.allclose(_beside_best(found), _beside_best(expected), rtol=0.01, atol=0.05):
            raise RuntimeError("a captured pass gives something else")

    def run(self, rows: _Rows) -> torch.Tensor:
        """Return the logits `(B, 1, V)`; they hold until the next run."""
        self._rows.take(rows)
        self._graph.replay()
        return self._logits


def _beside_best(logits: torch.Tensor) -> torch.Tensor:
    return logits - logits.amax(-1, keepdim=True)
