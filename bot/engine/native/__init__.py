"""A compiled GPT-2 for the processor, with weights of 8 bits: fast, small, and without torch."""

import json
import logging
from pathlib import Path

from bot.engine.native.build import CannotBuild, load
from bot.engine.native.model import NativeModel
from bot.engine.native.pack import Shape, pack
from bot.engine.native.packed import Packed
from likeness.errors import LikenessError, ModelError

log = logging.getLogger(__name__)


def open_native(folder: Path, threads: int | None = None) -> NativeModel | None:
    """Open the model of a folder, if the kernel can compute it.

    Args:
        folder: What training left.
        threads: How many compute; None for one for each processor that this process may use.

    Returns:
        None, with the reason logged, where there is no compiler, or the model is none that the
        kernel knows, or the rounding of its weights costs too much of its quality.
    """
    try:
        return NativeModel(load(), _packed(folder), threads=threads)
    except (CannotBuild, ModelError) as error:
        log.info("The model is computed by torch: %s", error)
        return None


def _packed(folder: Path) -> Packed:
    """Return the weights that the folder keeps packed, or pack them and keep them there."""
    kept = Packed.load(folder)
    if kept is not None:
        return kept
    log.info("Packing the weights in %s, once: some seconds", folder)
    shape = Shape.of(_config(folder))
    packed = Packed.of(shape, pack(folder, shape))
    try:
        packed.save(folder)
    except LikenessError as error:
        log.info("They are packed anew at every start: %s", error)
    return packed


def _config(folder: Path) -> dict[str, object]:
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder / 'config.json'} cannot be read: train the model again."
        ) from error
    if not isinstance(found, dict):
        raise ModelError(f"{folder / 'config.json'} is no configuration: train the model again.")
    return found
