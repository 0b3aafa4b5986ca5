"""Whether a run is long enough for torch to compile its forward and backward passes."""

import torch

from training.config import Switch
from training.peak import peak_flops

_COSTS_SECONDS = 60.0
_SAVES_SHARE = 0.3
_USUAL_SHARE_OF_PEAK = 0.25


def worth_compiling(
    setting: Switch, weights: int, tokens: float, device: torch.device, width: torch.dtype
) -> bool:
    """Decide by a setting: for `auto` by what compiling costs and what it saves.

    On a processor it saved nothing once products were 16 bits wide, and took 34 to 63 seconds. For
    GPUs the estimate is from what is published, not from measurements of our own: about a third of
    the time.

    Args:
        setting: Of `compile`.
        weights: How many the model has.
        tokens: How many the whole run reads.
        device: Where it runs.
        width: Of its products.
    """
    if setting != "auto" or device.type != "cuda":
        return setting == "yes"
    seconds = 6 * weights * tokens / (_USUAL_SHARE_OF_PEAK * peak_flops(device, width))
    return seconds * _SAVES_SHARE > _COSTS_SECONDS
