"""Whether what an export writes would take the place of what it reads."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from exporters import Exporter
from exporters.account import SourceAccount
from exporters.options import ExportOptions
from exporters.own import MESSAGES
from exporters.selection import Selection
from exporters.sources import Source
from likeness.errors import SourceError
from likeness.files import refuse_what_is_no_file

Found = Sequence[tuple[Source, Exporter]]


def refuse_sources(
    paths: Sequence[Path], found: Found, output: Path, options: ExportOptions
) -> None:
    """Refuse to write onto a source or a device, or the messages and the report into one file.

    What lies in a given folder may be a part of an export, though it is no source by itself.
    Our own messages may be written onto, as all that they hold is written again: so a file grows
    by the newest exports.

    Args:
        paths: What was given.
        found: What was found there.
        output: Where the messages go.
        options: What the person chose, among it where the report goes.

    Raises:
        SourceError: A file would be lost.
        LikenessError: No file can stand there.
    """
    for written in filter(None, (output, options.report)):
        refuse_what_is_no_file(written)
    sources = {*paths, *(source.path for source, _ in found)}
    report = options.report
    if report is not None:
        if report.resolve() == output.resolve() or _same(report, output):
            raise SourceError(f"{report} cannot be both -o and --report: give one another name.")
        if any(_same(report, source) for source in sources):
            raise SourceError(f"{report} is one of the sources: give --report another name.")
    if not any(_same(output, source) for source in sources):
        if output.exists() and _lies_in(output, paths):
            raise SourceError(
                f"{output} exists already in a folder that is to be read: give -o another name."
            )
        return
    if not any(_is_ours(source, exporter, output) for source, exporter in found):
        raise SourceError(f"{output} is one of the sources: give -o another name.")
    if options.form != "messages" or options.selection != Selection():
        raise SourceError(
            f"{output} is one of the sources, and not all that it holds would be written: give -o "
            "another name."
        )


def refuse_losses(found: Found, accounts: Sequence[SourceAccount], output: Path) -> None:
    """Refuse to write onto our own messages if not all of them could be read.

    Args:
        found: The sources.
        accounts: What became of each of them.
        output: Where the messages go.

    Raises:
        SourceError: Something would be lost.
    """
    for (source, _), account in zip(found, accounts, strict=True):
        if (account.failed or account.rejected) and _same(output, source.path):
            raise SourceError(
                f"{output} is one of the sources, and not all that it holds can be read: give -o "
                "another name."
            )


def _is_ours(source: Source, exporter: Exporter, output: Path) -> bool:
    return exporter is MESSAGES and source.member is None and _same(output, source.path)


def _lies_in(output: Path, folders: Sequence[Path]) -> bool:
    return any(output.resolve().is_relative_to(folder.resolve()) for folder in folders)


def _same(one: Path, other: Path) -> bool:
    """Tell whether two names are of one file; of none if there is no such file."""
    with suppress(OSError):
        return one.samefile(other)
    return False
