"""GPT-2's forward pass made lean: windows end to end without padding, logits only where taught.

It reads the weights of a `GPT2LMHeadModel` where they are, so that what is trained is the model
itself: its 32-bit weights are the master copy, and a narrow copy of each is made as it is used.
"""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import GPT2LMHeadModel, PreTrainedModel

from training.attention import Layout, attend, has_kernel
from training.cross_entropy import cross_entropy
from training.dropout import dropout
from training.linear import linear
from training.memory import moved
from training.rows import Batch
from training.scored import Scored

_GELUS = ("gelu_new", "gelu_pytorch_tanh")


class Gpt2(nn.Module):
    """Scores batches by a GPT-2 of transformers, without its forward pass.

    Args:
        model: A `GPT2LMHeadModel`; its weights are used in place, and whether it is training
            says whether to drop out.
        width: What products are computed in, and what stands between layers; gradients of weights,
            and losses, have 32 bits.
        compiled: Whether torch is to compile it, which takes about a minute at the first batch.
    """

    # What stands in a GPT2LMHeadModel has no types that say so.
    model: Any

    def __init__(
        self, model: PreTrainedModel, width: torch.dtype, *, compiled: bool = False
    ) -> None:
        super().__init__()
        self.model = model
        self.width = width
        self.compiled = compiled
        # Batches have as many tokens as they have: one compiled form serves all.
        self._layers: Any = torch.compile(self._hidden, dynamic=True) if compiled else self._hidden

    @staticmethod
    def knows(model: PreTrainedModel, width: torch.dtype) -> bool:
        """Tell whether a model is a GPT-2 that computes as this does, where this is fast."""
        shape: Any = model.config
        return (
            type(model) is GPT2LMHeadModel
            and shape.activation_function in _GELUS
            and shape.scale_attn_weights
            and not shape.scale_attn_by_inverse_layer_idx
            and shape.attn_pdrop == 0
            and has_kernel(model.device, width, shape.n_embd // shape.n_head)
            and not any(getattr(one, "gradient_checkpointing", False) for one in model.modules())
        )

    def forward(self, batch: Batch) -> Scored:
        """Score a batch.

        Args:
            batch: Rows of windows; each window sees itself alone.
        """
        real, device = batch.real, self.model.device
        ids, positions = moved(batch.ids[real], device), moved(batch.positions[real], device)
        starts = np.append(np.flatnonzero(batch.positions[real] == 0), len(ids))
        hidden = self._layers(ids, positions, Layout.of(np.diff(starts).tolist(), device))
        weights = batch.weights[real]
        taught = moved(np.flatnonzero(weights > 0), device)
        return cross_entropy(
            self._norm(hidden.index_select(0, taught - 1), self.model.transformer.ln_f),
            self.model.lm_head.weight,
            ids.index_select(0, taught),
            moved(weights[weights > 0], device),
            compiled=self.compiled,
        )

    def _hidden(self, ids: torch.Tensor, positions: torch.Tensor, layout: Layout) -> torch.Tensor:
        """Return what the last layer leaves (N, D) for N tokens of windows laid out so."""
        body = self.model.transformer
        # Where the head shares these rows its gradient is dense, and some rows more go into that.
        shared = body.wte.weight is self.model.lm_head.weight
        embedded = functional.embedding(ids, body.wte.weight, sparse=shared)
        embedded = embedded + functional.embedding(positions, body.wpe.weight)
        hidden = self._dropped(embedded.to(self.width), body.drop)
        for block in body.h:
            seen = linear(self._norm(hidden, block.ln_1), block.attn.c_attn)
            seen = attend(seen, layout, block.attn.num_heads)
            seen = linear(seen, block.attn.c_proj)
            hidden = hidden + self._dropped(seen, block.attn.resid_dropout)
            thought = linear(self._norm(hidden, block.ln_2), block.mlp.c_fc)
            thought = functional.gelu(thought, approximate="tanh")
            thought = linear(thought, block.mlp.c_proj)
            hidden = hidden + self._dropped(thought, block.mlp.dropout)
        return hidden

    def _norm(self, hidden: torch.Tensor, norm: Any) -> torch.Tensor:
        weight, bias = norm.weight.to(self.width), norm.bias.to(self.width)
        return functional.layer_norm(hidden, norm.normalized_shape, weight, bias, norm.eps)

    def _dropped(self, hidden: torch.Tensor, layer: Any) -> torch.Tensor:
        return dropout(hidden, layer.p) if self.model.training and layer.p else hidden
