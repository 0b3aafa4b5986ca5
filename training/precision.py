"""How wide the numbers are that products are computed in."""

import torch

from training.config import Precision

_NAMED: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp32": torch.float32}


def pick_width(name: Precision, device: torch.device) -> torch.dtype:
    """Return the width of a setting: for `auto` 16 bits where the device computes with them.

    Weights, gradients, the optimiser's state and losses have 32 bits whatever is picked.
    """
    if name == "auto":
        return torch.bfloat16 if _has_bfloat16(device) else torch.float32
    return _NAMED[name]


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        # Asked of this card: `is_bf16_supported` asks the current one, which may be another.
        return bool(torch.version.hip) or torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        # Without these instructions a processor computes with 16 bits more slowly than with 32.
        return bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001  # torch names no other way
    return False
