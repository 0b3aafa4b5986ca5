"""Whether torch is to compile a run's passes: is it long enough, and can torch do so here."""

import logging
import subprocess
from importlib.util import find_spec

import torch

from likeness.errors import BadSetting
from training.config import Switch
from training.peak import peak_flops

log = logging.getLogger(__name__)

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


def can_compile(setting: Switch, device: torch.device) -> bool:
    """Tell whether torch compiles here, by trying it on something small: it needs other programs.

    Args:
        setting: Of `compile`: where it is `auto` a run goes on without.
        device: Where the run is.

    Raises:
        BadSetting: It is to compile, and cannot.
    """
    why = _what_lacks(device)
    if why is None:
        return True
    if setting == "yes":
        raise BadSetting(f"compile=yes does not fit: {why}; set compile=no.")
    log.warning("going on uncompiled: %s", why)
    return False


def _what_lacks(device: torch.device) -> str | None:
    if device.type == "cuda" and find_spec("triton") is None:
        return "triton, by which torch compiles for GPUs, is not installed"
    try:
        torch.compile(_small)(torch.ones(8, device=device))
    except (RuntimeError, ImportError, OSError, subprocess.SubprocessError) as error:
        log.debug("torch could not compile", exc_info=error)
        return "torch cannot compile on this machine (mostly for want of a C compiler)"
    return None


def _small(numbers: torch.Tensor) -> torch.Tensor:
    return numbers * 2 + 1
