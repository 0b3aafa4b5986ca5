"""Packed weights in memory, on huge pages where there are any, and the file that keeps them.

The file is a line of JSON (what it was made from, and where each tensor lies), filled up with
blanks to whole pages, and then the memory as it is.
"""

import json
import mmap
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.engine.native.pack import WEIGHTS, Shape
from likeness.files import whole_file

FILE_NAME = "model.int8"
_VERSION = 3
_PAGE = 4096
_ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class Packed:
    """Weights as the kernel reads them.

    Attributes:
        shape: Of the model.
        memory: All tensors.
        places: Where each of them begins in it, in the kernel's order.
        notes: What else is known of them, in JSON's types.
    """

    shape: Shape
    memory: NDArray[np.uint8]
    places: list[int]
    notes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, shape: Shape, tensors: list[NDArray[Any]]) -> "Packed":
        """Put tensors into memory."""
        places, size = [], 0
        for tensor in tensors:
            places.append(size)
            size += -(-tensor.nbytes // _ALIGNMENT) * _ALIGNMENT
        memory = _memory(size)
        for place, tensor in zip(places, tensors, strict=True):
            flat = np.ascontiguousarray(tensor).reshape(-1).view(np.uint8)
            memory[place : place + tensor.nbytes] = flat
        return cls(shape, memory, places)

    def save(self, folder: Path) -> None:
        """Keep them in a model folder, whole or not at all.

        Raises:
            LikenessError: The folder does not take them.
        """
        head = {
            "v": _VERSION,
            "made_from": _identity(folder),
            "shape": asdict(self.shape),
            "places": self.places,
            "size": len(self.memory),
            "notes": self.notes,
        }
        line = json.dumps(head).encode()
        pages = -(-(len(line) + 1) // _PAGE)
        with whole_file(folder / FILE_NAME) as file:
            raw: Any = file.buffer  # its declared type takes bytes alone
            raw.write(line.ljust(pages * _PAGE - 1) + b"\n")
            raw.write(self.memory.data)

    @classmethod
    def load(cls, folder: Path) -> "Packed | None":
        """Return what a model folder keeps; None if it is not whole or not of these weights."""
        try:
            with (folder / FILE_NAME).open("rb") as file:
                head = json.loads(file.readline())
                if (head["v"], head["made_from"]) != (_VERSION, _identity(folder)):
                    return None
                memory = _memory(head["size"])
                whole = file.readinto(memory.data) == head["size"]
                packed = cls(Shape(**head["shape"]), memory, head["places"], head["notes"])
                return packed if whole else None
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return None


def _identity(folder: Path) -> list[int]:
    """Return what tells whether the weights of a folder are still the same."""
    found = (folder / WEIGHTS).stat()
    return [found.st_size, found.st_mtime_ns]


def _memory(size: int) -> NDArray[np.uint8]:
    """Return zeros on huge pages: with small ones, a token takes nearly twice as long."""
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with suppress(OSError):  # a kernel may be built without them
            memory.madvise(mmap.MADV_HUGEPAGE)  # shared memory, the default, gets none
    else:
        memory = mmap.mmap(-1, size)
    return np.frombuffer(memory, np.uint8)
