"""A model folder in this process: which of the ways to compute it is taken."""

import ctypes
import logging
import sys
from pathlib import Path

from bot.engine.local import LocalEngine
from bot.engine.models import Model
from bot.engine.native import open_native
from bot.engine.unsaid import NOTHING_UNSAID, Unsaid
from likeness.card import RunCard
from likeness.tokenizer import FolderTokenizer

log = logging.getLogger(__name__)


def open_local(folder: Path, device: str = "auto", unsaid: Unsaid = NOTHING_UNSAID) -> LocalEngine:
    """Load a model folder; see `bot.engine.open_engine`."""
    card, tokenizer = RunCard.read(folder), FolderTokenizer.load(folder)
    return LocalEngine.of(folder, card, tokenizer, open_model(folder, device), unsaid)


def open_model(folder: Path, device: str = "auto") -> Model:
    """Return what computes the model of a folder: the compiled kernel where it can, else torch.

    Raises:
        ModelError: Something in the folder is broken, or there is no such device.
    """
    if device == "auto" and not (has_gpu() and torch_computes_there()):
        device = "cpu"
    if device == "cpu":
        native = open_native(folder)
        if native is not None:
            log.info("The model is computed by the compiled kernel, with weights of 8 bits")
            return native
    from bot.engine.torch_model import open_torch  # noqa: PLC0415 (slow to load)

    return open_torch(folder, device)


def torch_computes_there() -> bool:
    """Return whether torch computes on the GPU: it may be built without, or not for this one.

    The driver may be too old for it, too. This loads torch, which takes seconds.
    """
    import torch  # noqa: PLC0415 (slow to load)

    if torch.cuda.is_available():
        try:
            return bool(torch.ones(1, device="cuda").add(1).item() == 2)
        except RuntimeError as error:
            log.info("torch does not compute on the GPU: %s", str(error).split("\n")[0])
    log.warning("This machine has a GPU, but the installed torch cannot use it")
    return False


def has_gpu() -> bool:
    """Return whether the driver knows of an NVIDIA GPU: torch would take seconds to tell.

    Source: CUDA's driver interface, `cuInit` and `cuDeviceGetCount`; 0 is success.
    """
    count = ctypes.c_int(0)
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        found = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    except (OSError, AttributeError):
        return False
    return found and count.value > 0
