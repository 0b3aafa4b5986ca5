"""Which files the given paths lead to, who reads each of them, and what led to nothing."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from exporters import EXPORTERS, Exporter, find_exporter
from exporters.sources import Source, find_files, sources_in
from likeness.errors import SourceError, UnrecognisedSource

OnFailure = Callable[[str, SourceError], None]
"""Told the name of what cannot be read, and why."""


def discover(paths: Sequence[Path], on_failure: OnFailure) -> list[tuple[Source, Exporter]]:
    """Return every source that some exporter reads.

    Of a folder, what is no export is left alone; a path that leads to none at all has failed.
    """
    found: list[tuple[Source, Exporter]] = []
    for path in paths:
        before, failures = len(found), 0
        try:
            for file in find_files(path):
                name = _name(path, file)
                try:
                    found += _recognised(file, name)
                except SourceError as error:
                    on_failure(name, error)
                    failures += 1
            if not failures and len(found) == before:
                raise UnrecognisedSource(_not_recognised(path))
        except SourceError as error:
            on_failure(_name(path, path), error)
    return found


def _recognised(file: Path, name: str) -> Iterator[tuple[Source, Exporter]]:
    for source in sources_in(file, name):
        exporter = find_exporter(source)
        if exporter is not None:
            yield source, exporter


def _name(path: Path, file: Path) -> str:
    top = path.name or path.resolve().name
    return top if file == path else f"{top}/{file.relative_to(path).as_posix()}"


def _not_recognised(path: Path) -> str:
    formats = ", ".join(exporter.name for exporter in EXPORTERS)
    if path.is_file() and path.stat().st_size == 0:
        return f"{path} is empty: export it again."
    what = "holds no export" if path.is_dir() else "is not an export"
    return f"{path} {what} that Likeness reads; it reads {formats}."
