"""One process a run: a lock that the system lets go of when its holder dies."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from likeness.errors import RunExists, TrainingError


@contextmanager
def only_trainer(run: Path) -> Iterator[None]:
    """Be the only process that writes into a run's folder, until left.

    Raises:
        RunExists: Another process trains there, or it is the root of a disk.
        TrainingError: The folder around it cannot be written.
    """
    if not run.name:
        raise RunExists(f"{run} cannot become a run: give --run a name.")
    # Beside the folder: what is in it is swept, copied and looked at.
    path = run.with_name(f".{run.name}.lock")
    missing = [folder for folder in path.parents if not folder.exists()]
    lock = FileLock(path, mode=0o600, blocking=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise RunExists(
            f"Another process trains {run} just now: let it end, or give --run another name."
        ) from None
    except OSError as error:
        raise TrainingError(f"{run} cannot be written: {error.strerror}.") from error
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file.
            path.unlink()
        lock.release()
        with suppress(OSError):  # The run is in them.
            for folder in missing:
                folder.rmdir()
