"""Which files lie in a folder: where to look, and in what order."""

import os
import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from likeness.errors import UnrecognisedSource

_NUMBER = re.compile(r"0*([0-9]+)")
_BY_SYSTEMS = frozenset({"__macosx", "thumbs.db", "desktop.ini"})


def find_files(path: Path, on_unread: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    """Yield the files that a path stands for: itself, or all inside a folder in order of names.

    Hidden files and what macOS and Windows add are left out.

    Args:
        path: Of a file or folder.
        on_unread: Told of each folder inside that cannot be read, when its turn comes.

    Raises:
        UnrecognisedSource: There is no such file or folder.
    """
    if path.is_file():
        yield path
    elif not path.is_dir():
        raise UnrecognisedSource(f"{path} does not exist, or is neither a file nor a folder.")
    else:
        for folder, folders, files in os.walk(path, onerror=on_unread):
            folders[:] = sorted(filter(worth_a_look, folders), key=by_number)
            names = sorted(filter(worth_a_look, files), key=by_number)
            found = (Path(folder, name) for name in names)
            yield from (file for file in found if file.is_file())


def by_number(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return what sorts names by the numbers in them, one without a number first.

    Numbers in names count as numbers: `x.html`, `x2.html`, `x10.html`.
    """
    parts = enumerate(_NUMBER.split(posixpath.splitext(name)[0]))  # every other one is a number
    return [(len(part) * (at % 2), part) for at, part in parts], name


def worth_a_look(name: str) -> bool:
    """Tell whether a file or folder of this name may hold an export, or part of one."""
    return not name.startswith(".") and name.casefold() not in _BY_SYSTEMS
