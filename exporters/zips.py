"""Zips of exports: closed again when nobody reads them, refused if they were built to do harm."""

import weakref
import zipfile
from typing import IO

from likeness.errors import SourceError

_MOST_INFLATION = 200
_HARMLESS_BYTES = 64 * 1024 * 1024


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Open a zip whose file is closed when the last of its sources is gone.

    That is seen to from outside: of what is gone in a circle, the file might be found open first.
    Names are read as UTF-8 even where the zip does not say so, as those that macOS makes do not.

    Raises:
        zipfile.BadZipFile: It is none, or damaged.
    """
    try:
        archive = _opened(file)
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
