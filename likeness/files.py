"""messages.jsonl on disk: streamed in, streamed out, whole or not at all."""

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from likeness.errors import BadLine, LikenessError, MessagesError
from likeness.messages import Message


def read_messages(path: Path, on_bytes: Callable[[int], None] | None = None) -> Iterator[Message]:
    """Yield the messages of a `messages.jsonl`, in the file's order, in constant memory.

    Args:
        path: The file.
        on_bytes: Told after each line how many bytes it had, for a progress bar.

    Raises:
        BadLine: A line is not a message; the error names the file and the line.
        UnknownVersion: The file was written by a newer Likeness.
        MessagesError: The file cannot be opened, or holds no message.
    """
    count = 0
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if on_bytes is not None:
                    on_bytes(len(line))
                if line.strip():
                    yield _message(path, number, line)
                    count += 1
    except OSError as error:
        raise MessagesError(f"{path} cannot be read: {error.strerror}.") from error
    if count == 0:
        raise MessagesError(f"{path} holds no message: write it with `likeness export`.")


def _message(path: Path, number: int, line: bytes) -> Message:
    try:
        return Message.from_json(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadLine(f"{path}, line {number}: it is not UTF-8.") from error
    except MessagesError as error:
        raise type(error)(f"{path}, line {number}: {error}.{_hint(number, error)}") from error


def _hint(number: int, error: MessagesError) -> str:
    """Return what to do about a file whose very first line is no message: it may be an export."""
    if number > 1 or not isinstance(error, BadLine):
        return ""
    return " If it is an export, make a messages.jsonl of it with `likeness export`."


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_what_is_no_file(path: Path) -> None:
    """Pass a path at which a file may be written.

    Raises:
        LikenessError: A folder or a device stands there, whose place no file may take, or a link to
            itself.
    """
    _target(path)
    try:
        taken = path.exists() and not path.is_file()
    except OSError as error:
        raise _not_written(path, error) from error
    if taken:
        raise LikenessError(f"{path} is a folder or a device: give the name of a file.")


def _target(path: Path) -> Path:
    """Return what a path, if it is a link, leads to."""
    try:
        target = path.resolve()
    except RuntimeError:  # before Python 3.13 at a loop of links
        target = path
    if target.is_symlink():
        raise LikenessError(f"{path} cannot be written: it is a link to itself.")
    return target


@contextmanager
def whole_file(path: Path, *, newline: str | None = "\n") -> Iterator[io.TextIOWrapper]:
    """Open a text file for writing that appears under its name only when all went well.

    The words go to a temporary file in the same folder, reach the disk, and take the name in one
    step; on any error, Ctrl-C included, the temporary file goes and what stood there before stays.
    A link stays one: what it points to is written.

    Raises:
        LikenessError: The folder cannot be written, or what stands there is no file.
    """
    refuse_what_is_no_file(path)
    target = _target(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise _not_written(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o600)
        temporary.replace(target)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _not_written(path: Path, error: OSError) -> LikenessError:
    return LikenessError(f"{path} cannot be written: {error.strerror}.")
