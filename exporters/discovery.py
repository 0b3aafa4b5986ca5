"""Which files the given paths lead to, who reads each of them, and what led to nothing."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from exporters import EXPORTERS, Exporter, find_exporter
from exporters.companions import could_be_chat, is_companion, was_sent
from exporters.folders import find_files
from exporters.sources import BROKEN_ZIP, Source, sources_in
from likeness.errors import DamagedSource, SourceError, UnrecognisedSource
from likeness.texts import whole

OnFailure = Callable[[str, SourceError], None]
"""Told the name of what cannot be read, and why."""


def discover(
    paths: Sequence[Path], on_failure: OnFailure
) -> tuple[list[tuple[Source, Exporter]], list[str]]:
    """Return every source that some exporter reads, and the names of what is left alone.

    In a folder or zip, what is no export is left alone: of such files those are named that could
    hold a chat. A path that leads to no export at all has failed.
    """
    found: list[tuple[Source, Exporter]] = []
    left_alone: list[str] = []
    for path in paths:
        try:
            here, others = _look_into(path, on_failure)
        except SourceError as error:
            on_failure(_name(path, path), error)
        else:
            found += here
            left_alone += others
    return found, left_alone


def _look_into(
    path: Path, on_failure: OnFailure
) -> tuple[list[tuple[Source, Exporter]], list[str]]:
    """Do as `discover` for one path.

    Raises:
        UnrecognisedSource: It leads to no export, though all of it can be read.
    """
    found: list[tuple[Source, Exporter]] = []
    others: list[str] = []
    failures: list[SourceError] = []

    def failed(where: Path, error: SourceError) -> None:
        failures.append(error)
        on_failure(_name(path, where), error)

    def unread(error: OSError) -> None:
        why = f"{error.filename} cannot be read: {error.strerror}."
        failed(Path(error.filename), DamagedSource(why))

    for file in find_files(path, unread):
        try:
            found += _recognised(file, _name(path, file), others)
        except SourceError as error:
            failed(file, error)
    if not failures and not found:
        raise UnrecognisedSource(_not_recognised(path))
    return found, others


def _recognised(file: Path, name: str, others: list[str]) -> Iterator[tuple[Source, Exporter]]:
    """Yield what some exporter reads, and add to `others` what is none, a zip of only such once."""
    whole_file = Source(name, file, None, b"", 0)
    if could_be_chat(name) and was_sent(whole_file):
        return
    unread: list[str] = []
    read = 0
    for source in sources_in(file, name):
        exporter = find_exporter(source)
        if exporter is not None and not was_sent(source):
            read += 1
            yield source, exporter
        elif could_be_chat(source.name) and not is_companion(source):
            unread.append(source.name)
    if unread and not read:
        unread = [] if is_companion(whole_file) else [name]
    others += unread


def _name(path: Path, file: Path) -> str:
    top = path.name or path.resolve().name
    return whole(top if file == path else f"{top}/{file.relative_to(path).as_posix()}")


def _not_recognised(path: Path) -> str:
    formats = ", ".join(exporter.name for exporter in EXPORTERS)
    if path.is_file() and path.stat().st_size == 0:
        return f"{path} is empty: export it again."
    if _is_metas_html(path):
        return (
            f"{path} is Messenger's or Instagram's HTML, which Likeness does not read: export it "
            "again, in the format JSON."
        )
    what = "holds no export" if path.is_dir() else "is not an export"
    return (
        f"{path} {what} that Likeness reads; it reads {formats}. docs/exporting.md says how to "
        "export from each app."
    )


def _is_metas_html(path: Path) -> bool:
    """Return whether it is, or holds, what Meta gives to those who do not ask for JSON."""
    names = [path.as_posix()]
    if path.is_dir():
        names += [file.as_posix() for file in find_files(path)]
    else:
        with suppress(OSError, *BROKEN_ZIP), zipfile.ZipFile(path) as opened:
            names += opened.namelist()
    return any(PurePosixPath(name).match("inbox/*/message_*.html") for name in names)
