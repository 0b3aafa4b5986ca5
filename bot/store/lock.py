"""One process a database file: a lock that the system lets go of when its holder dies."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from bot.store.databases import file_of
from likeness.errors import InstanceRunning


@contextmanager
def only_process(url: str) -> Iterator[None]:
    """Be the only process that answers from a database file, until left.

    A database server is shared by several processes instead, which keep out of each other's way.

    Args:
        url: Any async URL of SQLAlchemy.

    Raises:
        BadSettings: The URL is none.
        InstanceRunning: Another process is at it.
    """
    database = file_of(url)
    if database is None or not database.parent.is_dir():
        yield
        return
    # A file of its own: SQLite's own locks would be lost with any other handle of the database.
    lock = FileLock(database.with_name(f"{database.name}.lock"), mode=0o600, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise InstanceRunning(
            f"Another Likeness is already at work on {database}: stop it, or give this one a "
            "database of its own in LIKENESS_DATABASE."
        ) from None
    except OSError:  # a folder that cannot be written: opening the database says so better
        yield
        return
    try:
        yield
    finally:
        lock.release()
