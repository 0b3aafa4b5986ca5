"""Zips of exports: closed again when nobody reads them, refused if they were built to do harm."""

import weakref
import zipfile
from collections.abc import Sequence
from typing import IO
from weakref import WeakKeyDictionary

from likeness.errors import SourceError

_MOST_INFLATION = 200
_HARMLESS_BYTES = 64 * 1024 * 1024
_by_folded = WeakKeyDictionary[zipfile.ZipFile, dict[str, list[zipfile.ZipInfo]]]()


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Open a zip whose file is closed when the last of its sources is gone.

    That is seen to from outside: of what is gone in a circle, the file might be found open first.
    Names are read as UTF-8 even where the zip does not say so, as those that macOS makes do not,
    and the backslashes that Windows' PowerShell parts folders with as slashes.

    Raises:
        zipfile.BadZipFile: It is none, or damaged.
    """
    try:
        archive = _opened(file)
        _part_by_slashes(archive)
    except BaseException:
        file.close()
        raise
    weakref.finalize(archive, file.close)
    return archive


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file, metadata_encoding="utf-8")
    except UnicodeDecodeError:
        return zipfile.ZipFile(file)


def _part_by_slashes(archive: zipfile.ZipFile) -> None:
    for info in archive.infolist():
        if "\\" in info.filename:
            info.filename = info.filename.replace("\\", "/")
            archive.NameToInfo[info.filename] = info


def fitting_members(archive: zipfile.ZipFile, wanted: str) -> list[zipfile.ZipInfo]:
    """Return the members whose paths fit a pattern, where a `*` is any part of one name."""
    exact = archive.NameToInfo.get(wanted)
    if exact is not None:
        return [exact]
    if "*" not in wanted:
        return _folded(archive).get(wanted.casefold(), [])
    names = wanted.casefold().split("/")
    return [info for info in archive.infolist() if _fits(info.filename, names)]


def _folded(archive: zipfile.ZipFile) -> dict[str, list[zipfile.ZipInfo]]:
    """Return the members by their paths in small letters; each page of a chat looks for some."""
    if archive not in _by_folded:
        members = _by_folded[archive] = {}
        for info in archive.infolist():
            members.setdefault(info.filename.casefold(), []).append(info)
    return _by_folded[archive]


def _fits(member: str, names: Sequence[str]) -> bool:
    parts = member.casefold().split("/")
    return len(parts) == len(names) and all(map(is_named, parts, names))


def is_named(name: str, pattern: str) -> bool:
    """Tell whether a name fits a pattern of one `*` at most."""
    start, star, end = pattern.partition("*")
    if not star:
        return name == pattern
    long_enough = len(name) >= len(start) + len(end)
    return long_enough and name.startswith(start) and name.endswith(end)


def refuse_harm(info: zipfile.ZipInfo, name: str) -> None:
    """Pass a member of a zip that may be unpacked.

    Raises:
        SourceError: The zip was built to do harm.
    """
    parts = info.filename.replace("\\", "/").split("/")
    if ".." in parts or info.filename.startswith(("/", "\\")):
        raise SourceError(f"{name} holds a path that leads out of it: no app writes such a zip.")
    inflates = info.file_size > _MOST_INFLATION * max(1, info.compress_size)
    if inflates and info.file_size > _HARMLESS_BYTES:
        raise SourceError(
            f"{name} would unpack to over {_MOST_INFLATION} times its size: no chat does that."
        )
