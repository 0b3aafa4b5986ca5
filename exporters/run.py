"""The whole export: sources in, one file out, and the account of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Literal

from exporters import EXPORTERS, Exporter, find_exporter
from exporters.account import Account, ChatAccount, SourceAccount
from exporters.merge import Merge, mended
from exporters.owner import Owner, Place, find_owners
from exporters.rows import write_rows
from exporters.sources import Reading, Source, find_files, sources_in
from likeness.errors import SourceError, UnrecognisedSource
from likeness.files import whole_file
from likeness.messages import Message

Form = Literal["messages", "rows"]
Progress = Callable[[int, int], None]
"""Told how many bytes have been read, and how many there are in all."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the person at the keyboard chose.

    Attributes:
        local_zone: The zone of exports that hold local times only.
        zone_name: What to call it.
        me: The owner's names or ids, where the export cannot tell.
        form: What to write: `messages.jsonl`, or the workshop's rows.
    """

    local_zone: tzinfo
    zone_name: str
    me: tuple[str, ...] = ()
    form: Form = "messages"


def export(
    paths: Sequence[Path],
    output: Path,
    options: ExportOptions,
    on_progress: Progress | None = None,
) -> Account:
    """Read all sources and write their messages as one file, whole or not at all.

    A source that cannot be read is told in the account and does not stop the others.

    Args:
        paths: Files, folders and zips.
        output: The file to write.
        options: What the person chose.
        on_progress: For a progress bar.

    Raises:
        SourceError: No source could be read, or none holds a message.
        OwnerUnknown: Nothing tells who is me in some chat; the error names who speaks.
        LikenessError: The output or the temporary folder cannot be written.
    """
    run = _Run(options, on_progress)
    with Merge() as merge:
        run.read(paths, merge)
        owners = run.owners()
        messages = run.written(merge, owners)
        with whole_file(output) as file:
            if options.form == "rows":
                write_rows(messages, file)
            else:
                file.writelines(f"{message.to_json()}\n" for message in messages)
    for index, source in enumerate(run.account.sources):
        source.give_way(merge.doubles[index])
    return run.account


class _Run:
    """One export on its way."""

    def __init__(self, options: ExportOptions, on_progress: Progress | None) -> None:
        self.account = Account()
        self._options = options
        self._on_progress = on_progress
        self._chats: dict[Place, ChatAccount] = {}
        self._evidence: dict[Place, tuple[str, str]] = {}
        self._failures: list[SourceError] = []
        self._bytes_read = 0
        self._bytes = 0

    def read(self, paths: Sequence[Path], merge: Merge) -> None:
        """Read every source into the merge.

        Raises:
            SourceError: None could be read, or none holds a message.
        """
        found = [pair for path in paths for pair in self._recognised(path)]
        self._bytes = sum(source.size for source, _ in found)
        for source, exporter in found:
            self._read(source, exporter, merge)
        self.account.chats = list(self._chats.values())
        if not self._chats:
            raise self._nothing()

    def _nothing(self) -> SourceError:
        """Return why there is no message at all."""
        sources = self.account.sources
        if any(source.failed is None for source in sources):
            records = sum(source.records for source in sources)
            return SourceError(f"There is no message of a person among {records} records.")
        if len(self._failures) == 1:
            return self._failures[0]
        first = self._failures[0]
        return SourceError(f"None of {len(sources)} sources can be read; the first: {first}")

    def _recognised(self, path: Path) -> Iterator[tuple[Source, Exporter]]:
        """Yield what some exporter reads; a path that leads to nothing of the kind has failed."""
        before = len(self.account.sources)
        recognised = False
        try:
            for file in find_files(path):
                for pair in self._inside(file, _name(path, file)):
                    recognised = True
                    yield pair
            if not recognised and len(self.account.sources) == before:
                raise UnrecognisedSource(_not_recognised(path))
        except SourceError as error:
            self._fail(self._enter(SourceAccount(_name(path, path))), error)

    def _inside(self, file: Path, name: str) -> Iterator[tuple[Source, Exporter]]:
        try:
            for source in sources_in(file, name):
                exporter = find_exporter(source)
                if exporter is not None:
                    yield source, exporter
        except SourceError as error:
            self._fail(self._enter(SourceAccount(name)), error)

    def _enter(self, account: SourceAccount) -> SourceAccount:
        self.account.sources.append(account)
        return account

    def _fail(self, account: SourceAccount, error: SourceError) -> None:
        account.failed = str(error)
        self._failures.append(error)

    def _read(self, source: Source, exporter: Exporter, merge: Merge) -> None:
        number = len(self.account.sources)
        account = self._enter(SourceAccount(source.name, exporter.name))
        reading = Reading(
            self._options.local_zone, self._count_bytes, zone_name=self._options.zone_name
        )
        platform = ""
        try:
            for record in exporter.read(source, reading):
                account.count(record)
                if isinstance(record, Message):
                    message = mended(record)
                    platform = message.platform
                    self._chat(message).count(message)
                    merge.add(message, number)
        except SourceError as error:
            self._fail(account, error)
        account.flavour = reading.flavour
        account.remarks = reading.remarks
        for chat_id, who in reading.owner.items():
            self._evidence[platform, chat_id] = who

    def _chat(self, message: Message) -> ChatAccount:
        place = message.platform, message.chat_id
        if place not in self._chats:
            self._chats[place] = ChatAccount(*place, message.chat)
        return self._chats[place]

    def _count_bytes(self, count: int) -> None:
        self._bytes_read += count
        if self._on_progress is not None:
            self._on_progress(self._bytes_read, self._bytes)

    def owners(self) -> dict[Place, Owner]:
        """Return who is me in each chat, and enter it into the account.

        Raises:
            OwnerUnknown: Nothing tells it.
        """
        owners = find_owners(self.account.chats, self._evidence, self._options.me)
        for chat, owner in zip(self.account.chats, owners, strict=True):
            mine = chat.told or set() if owner.ids is None else owner.ids
            chat.owner = tuple(name for id_, name in chat.names.items() if id_ in mine)
            chat.evidence = owner.evidence
        return dict(zip(self._chats, owners, strict=True))

    def written(self, merge: Merge, owners: dict[Place, Owner]) -> Iterator[Message]:
        """Yield the messages as they are to be written, and count them."""
        for message in merge.messages():
            place = message.platform, message.chat_id
            ids = owners[place].ids
            mine = message.outgoing if ids is None else message.speaker_id in ids
            chat = self._chats[place]
            chat.messages += 1
            chat.outgoing += bool(mine)
            yield message if mine == message.outgoing else replace(message, outgoing=mine)


def _name(path: Path, file: Path) -> str:
    top = path.name or path.resolve().name
    return top if file == path else f"{top}/{file.relative_to(path).as_posix()}"


def _not_recognised(path: Path) -> str:
    formats = ", ".join(exporter.name for exporter in EXPORTERS)
    if path.is_file() and path.stat().st_size == 0:
        return f"{path} is empty: export it again."
    what = "holds no export" if path.is_dir() else "is not an export"
    return f"{path} {what} that Likeness reads; it reads {formats}."
