"""Which device a run computes on: the fastest there is that this torch has kernels for."""

import logging

import torch

from likeness.errors import BadSetting

log = logging.getLogger(__name__)


def pick_device(name: str) -> torch.device:
    """Return the device of a setting: for `auto` the GPU if there is one that computes.

    Raises:
        BadSetting: There is no such device here.
    """
    if name == "auto":
        return _fastest()
    try:
        device = torch.device(name)
        _try(device)
    except (RuntimeError, AssertionError, ImportError) as error:
        raise BadSetting(
            f"device={name} does not fit: there is no such device here that this torch computes "
            "on; device=auto takes the fastest there is."
        ) from error
    return device


def _fastest() -> torch.device:
    mps = torch.backends.mps.is_available()
    device = torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
    try:
        _try(device)
    except RuntimeError:
        # A card may be known to its driver, and too old for the kernels that torch comes with.
        log.warning("this torch cannot compute on the GPU here: going on with the processor")
        return torch.device("cpu")
    return device


def _try(device: torch.device) -> None:
    (torch.ones(1, device=device) + 1).cpu()
