"""A foreign SQLite database, opened for reading and never written.

It is read where it lies; from a zip, or beside a log of its latest changes, a copy in the temporary
folder is read.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfileobj

from exporters.sources import Source
from likeness.errors import DamagedSource

MAGIC = b"SQLite format 3\0"
"""What every such file begins with."""

_WRITTEN_AHEAD = "-wal"


@contextmanager
def opened(source: Source) -> Iterator[sqlite3.Connection]:
    """Open a database for reading, with its written-ahead log where one lies beside it.

    Raises:
        DamagedSource: It cannot be opened or read.
    """
    name = Path(source.member or source.path).name
    log = source.near(f"{name}{_WRITTEN_AHEAD}")
    try:
        if source.member is None and (log is None or not log.size):
            with closing(_connected(source.path, "mode=ro&immutable=1")) as database:
                yield database
            return
        with tempfile.TemporaryDirectory(prefix="likeness-") as folder:
            path = Path(folder, "chat.db")
            for part, end in ((source, ""), (log, _WRITTEN_AHEAD)):
                if part is not None:
                    with part.open() as file, Path(f"{path}{end}").open("wb") as copy:
                        copyfileobj(file, copy)
            with closing(_connected(path, "mode=rw")) as database:
                yield database
    except (sqlite3.Error, UnicodeDecodeError) as error:  # names in a damaged schema, too
        raise DamagedSource(f"{source.name} is a damaged database: copy it again.") from error
    except OSError as error:
        raise DamagedSource(
            f"{source.name} cannot be copied to {tempfile.gettempdir()}: {error.strerror}."
        ) from error


def _connected(path: Path, how: str) -> sqlite3.Connection:
    database = sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)
    database.text_factory = lambda data: data.decode("utf-8", errors="replace")
    database.row_factory = sqlite3.Row
    return database


def columns(database: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of a table's columns, none if there is no such table."""
    return {row["name"] for row in database.execute(f"PRAGMA table_info({table})")}
