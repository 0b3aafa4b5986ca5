"""A compiled GPT-2 for the processor, with weights of 8 bits: fast, small, and without torch."""

import json
import logging
from ctypes import CDLL
from pathlib import Path

from bot.engine.native.build import CannotBuild, load
from bot.engine.native.model import NativeModel
from bot.engine.native.pack import Shape, pack
from bot.engine.native.packed import Packed
from bot.engine.native.quality import MOST_LOST, lost
from likeness.errors import LikenessError, ModelError

log = logging.getLogger(__name__)


def open_native(folder: Path, threads: int | None = None) -> NativeModel | None:
    """Open the model of a folder, if the kernel can compute it.

    Weights are rounded to 8 bits, and so are activations; where that costs too much of how well
    held-out words are predicted, activations get 15 bits.

    Args:
        folder: What training left.
        threads: How many compute; None for one for each processor that this process may use.

    Returns:
        None, with the reason logged, where there is no compiler, or the model is none that the
        kernel knows, or the rounding of its weights costs too much even so, or the machine refuses
        the memory.
    """
    try:
        library = load()
        packed = Packed.load(folder) or _pack(folder, library)
        return NativeModel(library, packed, planes=_planes(packed), threads=threads)
    except (CannotBuild, ModelError) as error:
        log.info("The model is computed by torch: %s", error)
    except (MemoryError, OSError) as error:
        log.info("The model is computed by torch: the kernel cannot start (%r)", error)
    return None


def _planes(packed: Packed) -> int:
    """Return the fewest planes of activations that are good enough.

    Raises:
        ModelError: None are.
    """
    for planes, share in enumerate(packed.notes["lost"], start=1):
        if share is None or share <= MOST_LOST:
            return planes
    raise ModelError(
        f"With weights of 8 bits held-out words cost {share:.1%} more; {MOST_LOST:.1%} is allowed."
    )


def _pack(folder: Path, library: CDLL) -> Packed:
    """Pack the weights of a folder, find out what that costs, and keep both there.

    Raises:
        ModelError: They cannot be packed.
    """
    log.info("Packing the weights in %s, once: some seconds", folder)
    shape = Shape.of(_config(folder))
    packed = Packed.of(shape, pack(folder, shape))
    found: list[float | None] = packed.notes.setdefault("lost", [])
    for planes in (1, 2):
        model = NativeModel(library, packed, planes=planes)
        share = lost(model, folder)
        model.close()
        found.append(share)
        if share is None:
            log.info("Nothing in %s tells what rounding to 8 bits costs: it is used", folder)
            break
        log.info("With %d bits held-out words cost %+.2f%%", 8 if planes == 1 else 15, 100 * share)
        if share <= MOST_LOST:
            break
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
