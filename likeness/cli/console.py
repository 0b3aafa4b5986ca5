"""Where the command writes: results to standard output, the rest to standard error."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from likeness.card import FILE_NAME, RUNS
from likeness.texts import harmless


class _Harmless(Console):
    """A console that no text steers, whoever wrote it."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Yield the pieces that are printed; where the cursor goes, rich alone says."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield Segment(harmless(text), style) if control is None else segment


def results() -> Console:
    """Return the console of results."""
    return _Harmless(file=sys.stdout, highlight=False, soft_wrap=True, emoji=False)


def remarks() -> Console:
    """Return the console of progress and remarks."""
    return _Harmless(file=sys.stderr, highlight=False, soft_wrap=True, emoji=False)


def byte_progress() -> Progress:
    """Return a progress bar of bytes, which leaves nothing behind."""
    return _passing(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )


def count_progress(what: str) -> Progress:
    """Return a progress bar of things that are counted, which leaves nothing behind."""
    return _passing(
        TextColumn(what), BarColumn(bar_width=16), MofNCompleteColumn(), TimeRemainingColumn()
    )


def _passing(*columns: ProgressColumn) -> Progress:
    console = remarks()
    # To a file it would leave an empty line.
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """Return a plain table; columns that begin with `#` hold numbers."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, title_style="bold")
    for column in columns:
        number = column.startswith("#")
        made.add_column(column.lstrip("#"), justify="right" if number else "left")
    for row in rows:
        texts = (f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row)
        made.add_row(*map(Text, texts))  # in a Text, [brackets] are no markup
    return made


def run_folder(name: str) -> Path:
    """Return the folder of a run, given its name under `runs/` or its path, such as `./juno`."""
    path = Path(name)
    return path if path.name != name or (path / FILE_NAME).is_file() else RUNS / name
