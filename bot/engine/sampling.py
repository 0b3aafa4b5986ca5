"""From logits to the next token."""

import torch

from bot.engine import Sampling


def probabilities(logits: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """Return what the next token is drawn from, for a temperature above 0.

    Args:
        logits: `(V,)`, -inf for what is banned.
        sampling: Its temperature, then its top-k, then its top-p is applied.

    Returns:
        `(V,)` in 32-bit floats, 0 for what is left out, at least one above 0.

    Source: the order and the borders are those of transformers' `TemperatureLogitsWarper`,
    `TopKLogitsWarper` and `TopPLogitsWarper`, compared by a test.
    """
    logits = logits.float() / sampling.temperature
    if 0 < sampling.top_k < len(logits):
        least = torch.topk(logits, sampling.top_k).values[-1]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if sampling.top_p < 1:
        ordered, order = torch.sort(logits, descending=True)
        shares = torch.softmax(ordered, dim=-1)
        unneeded = torch.cumsum(shares, dim=-1) - shares >= sampling.top_p
        unneeded[0] = False
        logits = logits.index_fill(0, order[unneeded], -torch.inf)
    return torch.softmax(logits, dim=-1)


def choose(logits: torch.Tensor, sampling: Sampling, generator: torch.Generator) -> int:
    """Return the next token's id; nothing but `generator` decides between equal calls.

    Args:
        logits: `(V,)`, -inf for what is banned.
        sampling: How to choose; at temperature 0 the likeliest.
        generator: Of this reply alone.
    """
    if sampling.temperature == 0:
        return int(logits.argmax())
    return int(torch.multinomial(probabilities(logits, sampling), 1, generator=generator))
