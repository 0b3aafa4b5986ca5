"""GPT-2's forward pass made lean: windows end to end without padding, logits only where taught.

It reads the weights of a `GPT2LMHeadModel` where they are, so that what is trained is the model
itself: its 32-bit weights are the master copy, and a narrow copy of each is made as it is used.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import GPT2LMHeadModel, PreTrainedModel

from training.cross_entropy import cross_entropy
from training.dropout import dropout
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
    """

    # What stands in a GPT2LMHeadModel has no types that say so.
    model: Any

    def __init__(self, model: PreTrainedModel, width: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self.width = width

    @staticmethod
    def knows(model: PreTrainedModel) -> bool:
        """Tell whether a model is a GPT-2 that computes as this does."""
        shape: Any = model.config
        return (
            type(model) is GPT2LMHeadModel
            and shape.activation_function in _GELUS
            and shape.scale_attn_weights
            and not shape.scale_attn_by_inverse_layer_idx
            and shape.attn_pdrop == 0
        )

    def forward(self, batch: Batch) -> Scored:
        """Score a batch.

        Args:
            batch: Rows of windows; each window sees itself alone.
        """
        real, device = batch.real, self.model.device
        ids = torch.from_numpy(batch.ids[real]).to(device, non_blocking=True)
        positions = torch.from_numpy(batch.positions[real]).to(device, non_blocking=True)
        starts = np.append(np.flatnonzero(batch.positions[real] == 0), len(ids))
        hidden = self._hidden(ids, positions, [end - start for start, end in pairwise(starts)])
        weights = batch.weights[real]
        taught = torch.from_numpy(np.flatnonzero(weights > 0)).to(device, non_blocking=True)
        return cross_entropy(
            self._norm(hidden[taught - 1], self.model.transformer.ln_f),
            self.model.lm_head.weight,
            ids[taught],
            torch.from_numpy(weights[weights > 0]).to(device, non_blocking=True),
        )

    def _hidden(
        self, ids: torch.Tensor, positions: torch.Tensor, lengths: Sequence[int]
    ) -> torch.Tensor:
        """Return what the last layer leaves (N, D) for N tokens of windows of some lengths."""
        body = self.model.transformer
        embedded = functional.embedding(ids, body.wte.weight)
        embedded = embedded + functional.embedding(positions, body.wpe.weight)
        hidden = self._dropped(embedded.to(self.width), body.drop)
        for block in body.h:
            seen = self._linear(self._norm(hidden, block.ln_1), block.attn.c_attn)
            seen = attend(seen, lengths, block.attn.num_heads)
            seen = self._linear(seen, block.attn.c_proj)
            hidden = hidden + self._dropped(seen, block.attn.resid_dropout)
            thought = self._linear(self._norm(hidden, block.ln_2), block.mlp.c_fc)
            thought = functional.gelu(thought, approximate="tanh")
            thought = self._linear(thought, block.mlp.c_proj)
            hidden = hidden + self._dropped(thought, block.mlp.dropout)
        return hidden

    def _linear(self, inputs: torch.Tensor, layer: Any) -> torch.Tensor:
        # transformers keeps GPT-2's matrices as (inputs, outputs).
        weight, bias = layer.weight.to(self.width), layer.bias.to(self.width)
        return torch.addmm(bias, inputs, weight)

    def _norm(self, hidden: torch.Tensor, norm: Any) -> torch.Tensor:
        weight, bias = norm.weight.to(self.width), norm.bias.to(self.width)
        return functional.layer_norm(hidden, norm.normalized_shape, weight, bias, norm.eps)

    def _dropped(self, hidden: torch.Tensor, layer: Any) -> torch.Tensor:
        return dropout(hidden, layer.p) if self.model.training and layer.p else hidden


def attend(mixed: torch.Tensor, lengths: Sequence[int], heads: int) -> torch.Tensor:
    """Let each token see those of its own window up to itself.

    One call for each run of windows of the same length: no mask and no padding, so that the fast
    kernels serve and nothing is computed in vain.

    Args:
        mixed: Queries, keys and values side by side (N, 3 * D).
        lengths: Of the windows that the N tokens are, in tokens.
        heads: Among how many the D numbers are divided.

    Returns:
        The mean of the values by what is seen (N, D).
    """
    width, runs, parts = mixed.shape[1] // 3, _runs(lengths), []
    pieces = mixed.split_with_sizes([count * length for count, length in runs])
    for piece, (count, length) in zip(pieces, runs, strict=True):
        shaped = piece.view(count, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        query, key, value = shaped.unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        parts.append(seen.transpose(1, 2).reshape(-1, width))
    return torch.cat(parts)


def _runs(lengths: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for length in lengths:
        if runs and runs[-1][1] == length:
            runs[-1] = runs[-1][0] + 1, length
        else:
            runs.append((1, length))
    return runs
