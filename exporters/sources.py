"""What an exporter reads: a file on disk or inside a zip."""

import io
import os
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from exporters.folders import by_number, worth_a_look
from exporters.names import composed
from exporters.zips import fitting_members, is_named, open_zip, refuse_harm
from likeness.errors import DamagedSource, SourceError

HEAD_BYTES = 65_536
_FIRST_LOOK_BYTES = 512
_ZIP_MARK = b"PK\x03\x04"
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError)


@dataclass(frozen=True, slots=True)
class Source:
    """One file to be recognised and read.

    Attributes:
        name: What to call it before people: `export.zip/_chat.txt`, `ChatExport/result.json`.
        path: Where it lies on disk; for a member of a zip, the zip.
        member: Its name inside the zip, None for a plain file.
        head: Its first HEAD_BYTES bytes, read once for all exporters; fewer if it looks binary.
        size: Its size in bytes, uncompressed.
        archive: The opened zip, shared by all its members: its list of them is read but once.
    """

    name: str
    path: Path
    member: str | None
    head: bytes = field(repr=False)
    size: int
    archive: zipfile.ZipFile | None = field(default=None, repr=False, compare=False, kw_only=True)

    @property
    def place(self) -> PurePosixPath:
        """Its path in the zip or on disk, with composed letters, which a Mac's file names part."""
        return PurePosixPath(composed(self.member or self.path.as_posix()))

    @property
    def holder(self) -> tuple[Path, str] | None:
        """The zip that it lies in: the file on disk, and inside it which zip; None outside any."""
        if self.member is None:
            return None
        return self.path, self.name.removesuffix(self.member)

    @contextmanager
    def open(self, on_bytes: Callable[[int], None] | None = None) -> Iterator[BinaryIO]:
        """Open it for reading bytes; `on_bytes` is told how many were read, as they are.

        Raises:
            DamagedSource: It cannot be opened, or turns out unreadable on the way.
        """
        with ExitStack() as opened:
            with _plain_errors(self.name):
                file: IO[bytes]
                if self.archive is None or self.member is None:
                    file = opened.enter_context(self.path.open("rb", buffering=0))
                else:
                    file = opened.enter_context(self.archive.open(self.member))
            yield io.BufferedReader(_Counted(self.name, file, on_bytes), HEAD_BYTES)

    def near(self, relative: str) -> "Source | None":
        """Return the file at a path relative to this one's folder, on disk or in the same zip.

        Args:
            relative: Such as `channel.json` or `../users.json`; upper and lower case are one.

        Raises:
            DamagedSource: It is there and cannot be opened.
        """
        return next(self.all_near(relative), None)

    def all_near(self, pattern: str) -> "Iterator[Source]":
        """Yield the files at the paths relative to this one's folder that fit a pattern.

        Args:
            pattern: Such as `../*/channel.json` or `messages*.html`, where a `*` is any part of one
                name; upper and lower case are one.

        Raises:
            DamagedSource: One of them cannot be opened.
        """
        if self.archive is None or self.member is None:
            for path in _fitting(self.path.parent.resolve(), pattern.split("/")):
                yield from sources_in(path, path.name)
            return
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(self.member), pattern))
        with _plain_errors(self.name):
            for info in fitting_members(self.archive, wanted):
                yield _member(self.archive, info, self.path, info.filename)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, name: str) -> Source:
    with archive.open(info) as member:
        head = _head(member)
    return Source(name, path, info.filename, head, info.file_size, archive=archive)


def _fitting(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    """Yield the files below a folder whose paths fit a pattern; what cannot be listed has none."""
    if not parts:
        if folder.is_file():
            yield folder
    elif parts[0] == "..":
        yield from _fitting(folder.parent, parts[1:])
    else:
        entries: list[Path] = []
        with suppress(OSError):
            entries = sorted(folder.iterdir())
        for entry in entries:
            if is_named(entry.name.casefold(), parts[0].casefold()):
                yield from _fitting(entry, parts[1:])


@dataclass(slots=True)
class Reading:
    """What a run tells an exporter, and what the exporter tells of its reading.

    Attributes:
        local_zone: The zone of exports that hold local times only.
        on_bytes: To be told of bytes read.
        flavour: What exactly was recognised, for people: "one chat, 2023 layout".
        remarks: Sentences for the account: the template and why, order of dates and why, repairs.
        owner: The exporter's evidence who "me" is: per chat id, the owner's speaker id and why.
        zone_name: What to call `local_zone` before people.
        day_first: Whether a date such as 3/4/24 is of April, as the user says; None if nothing
            was said.
        include: What an export holds beside conversations with people, and the user wants all
            the same: `bots`, `channels`, `saved`.
        local_times: Whether any time was read in `local_zone`; otherwise the export tells all.
        blocks: Whether messages may come many at once, where the exporter has a faster way.
        me: Names and ids of mine, as the user says; whether they fit is found out at the end.
    """

    local_zone: tzinfo
    on_bytes: Callable[[int], None] | None = None
    flavour: str = ""
    remarks: list[str] = field(default_factory=list)
    owner: dict[str, tuple[str, str]] = field(default_factory=dict)
    zone_name: str = "the given zone"
    day_first: bool | None = None
    include: frozenset[str] = frozenset()
    local_times: bool = False
    blocks: bool = False
    me: tuple[str, ...] = ()
    _guesses: dict[tuple[str, str], bool | None] = field(default_factory=dict, repr=False)

    def guess(self, chat_id: str, speaker_id: str, name: str) -> bool | None:
        """Guess, before all is read, whether a speaker is me: always the same, None at a loss."""
        place = chat_id, speaker_id
        if place not in self._guesses:
            told = speaker_id == self.owner[chat_id][0] if chat_id in self.owner else None
            self._guesses[place] = speaker_id in self.me or name in self.me if self.me else told
        return self._guesses[place]


class _Counted(io.RawIOBase):
    """Passes bytes on, tells how many, and speaks of damage in our words."""

    def __init__(self, name: str, file: IO[bytes], on_bytes: Callable[[int], None] | None) -> None:
        self._name = name
        self._file = file
        self._on_bytes = on_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with _plain_errors(self._name):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        if self._on_bytes is not None:
            self._on_bytes(len(data))
        return len(data)


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    try:
        yield
    except NotImplementedError as error:  # Windows' Deflate64 of what is larger than 2 GB
        raise DamagedSource(f"{name} is packed in an unknown way: unpack it first.") from error
    except BROKEN_ZIP as error:
        raise DamagedSource(f"{name} is a broken zip: download or export it again.") from error
    except RuntimeError as error:  # what zipfile raises for a member with a password
        raise DamagedSource(f"{name} is locked with a password: unpack it first.") from error
    except OSError as error:
        raise DamagedSource(f"{name} cannot be read: {error.strerror or error}.") from error


def sources_in(path: Path, name: str) -> Iterator[Source]:
    """Yield a file as one source, or a zip as one for each file inside, opened in place.

    A zip of nothing but zips, as people send several exports at once, is one for each file in them.

    Args:
        path: The file.
        name: What to call it before people.

    Raises:
        DamagedSource: The file, or a part of a zip, cannot be read; what can be came before.
        SourceError: The zip was built to do harm.
    """
    with _plain_errors(name):
        with path.open("rb") as file:
            head = _head(file)
            size = os.fstat(file.fileno()).st_size
        if not head.startswith(_ZIP_MARK):
            yield Source(name, path, None, head, size)
            return
        archive = open_zip(path.open("rb"))
    yield from _inside(archive, path, name, look_into_zips=True)


def _inside(
    archive: zipfile.ZipFile, path: Path, name: str, *, look_into_zips: bool = False
) -> Iterator[Source]:
    """Yield the files in a zip, or those in its zips if it holds nothing else.

    Raises:
        SourceError: Some of them cannot be read; the others came before.
    """
    members = _worthy(archive, name)
    zips = look_into_zips and all(info.filename.lower().endswith(".zip") for info in members)
    failures: list[SourceError] = []
    for info in members:
        full_name = f"{name}/{info.filename}"
        try:
            with _plain_errors(full_name):
                if zips:
                    yield from _inside(open_zip(archive.open(info)), path, full_name)
                else:
                    yield _member(archive, info, path, full_name)
        except SourceError as error:
            failures.append(error)
    if failures:
        more = f" {len(failures) - 1} more in {name} cannot be read either."
        raise DamagedSource(f"{failures[0]}{more * (len(failures) > 1)}") from failures[0]


def _worthy(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Return the files in a zip that may be exports, in order of names.

    Raises:
        SourceError: The zip was built to do harm.
    """
    for info in archive.infolist():
        refuse_harm(info, name)
    return sorted(
        (
            info
            for info in archive.infolist()
            if not info.is_dir() and all(map(worth_a_look, info.filename.split("/")))
        ),
        key=lambda info: by_number(info.filename),
    )


def _head(file: IO[bytes]) -> bytes:
    """Read the beginning; a photo or video shows its zero bytes soon, and is not read on."""
    first = file.read(_FIRST_LOOK_BYTES)
    return first if b"\0" in first else first + file.read(HEAD_BYTES - len(first))
