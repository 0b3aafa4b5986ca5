"""The whole export: sources in, one file out, and the account of it."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from exporters import Exporter
from exporters.account import Account, ChatAccount, Place, SourceAccount, enter_moves
from exporters.blocks import Block
from exporters.discovery import discover
from exporters.flaws import nothing_read, refuse_flaws
from exporters.lesser import Better, better_first
from exporters.merge import Merge, Settled
from exporters.names import Aliases
from exporters.namesakes import Namesakes
from exporters.options import ExportOptions
from exporters.outputs import refuse_losses, refuse_sources
from exporters.owner import Owner, find_owners
from exporters.report import report_of
from exporters.rows import write_rows
from exporters.selection import NO_ROW, UNHEARD, Speaker, nobody
from exporters.sources import Reading, Source
from exporters.spool import mended
from likeness.errors import SourceError
from likeness.files import whole_file
from likeness.messages import Message

Progress = Callable[[int, int], None]
"""Told how many bytes have been read, and how many there are in all."""


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
        SourceError: No source could be read, none holds a message that is wanted, one would be
            written onto, or, if asked to be strict, anything could not be read.
        OwnerUnknown: Nothing tells who is me in some chat; the error names who speaks.
        NoSuchName: A chat, a speaker or an alias was asked for that nothing bears.
        LikenessError: The output, the report or the temporary folder cannot be written.
        ValueError: An alias has not the form of one.
    """
    run = _Run(options, on_progress)
    with Merge() as merge:
        run.read(paths, merge, output)
        run.select(merge)
        run.find_owners()
        reported = whole_file(options.report) if options.report is not None else nullcontext()
        with reported as report, whole_file(output) as file:
            if options.form == "rows":
                write_rows(run.messages(merge), file)
            else:
                for piece in run.lines(merge):
                    file.buffer.write(piece)
            run.keep_written()
            if report is not None:
                json.dump(report_of(run.account), report, ensure_ascii=False, indent=1)
                report.write("\n")
    return run.account


class _Run:
    """One export on its way."""

    def __init__(self, options: ExportOptions, on_progress: Progress | None) -> None:
        self.account = Account()
        self._options = options
        self._on_progress = on_progress
        self._aliases = Aliases(options.aliases)
        self._chats: dict[Place, ChatAccount] = {}
        self._evidence: defaultdict[Place, dict[str, str]] = defaultdict(dict)
        self._left_out: dict[Place, str] = {}
        self._unheard: frozenset[Speaker] = frozenset()
        self._owners: dict[Place, Owner] = {}
        self._remaining: Counter[Place] = Counter()
        self._failures: list[SourceError] = []
        self._better = Better(())
        self._namesakes = Namesakes()
        self._bytes_read = 0
        self._bytes = 0

    def read(self, paths: Sequence[Path], merge: Merge, output: Path) -> None:
        """Read every source into the merge.

        Raises:
            SourceError: None could be read, none holds a message, not all is whole if it must, or
                what is to be written would take the place of one.
            NoSuchName: Nobody bears a name that is to be joined.
        """
        sources, self.account.left_alone = discover(paths, self._fail_to_open)
        if self._options.strict:
            refuse_flaws(self.account, self._failures)
        found = better_first(sources)
        refuse_sources(paths, sources, output, self._options)
        self._better = Better(found)
        self._bytes = sum(source.size for source, _ in found)
        for source, exporter in found:
            self._read(source, exporter, merge)
        if not self._chats:
            raise nothing_read(self.account, self._failures)
        refuse_losses(found, self.account.sources[-len(found) :], output)
        if self._options.strict:
            refuse_flaws(self.account, self._failures)
        if strangers := self._aliases.unseen:
            raise nobody(strangers[0], self._chats.values())

    def _fail_to_open(self, name: str, error: SourceError) -> None:
        self.account.sources.append(SourceAccount(name))
        self._fail(self.account.sources[-1], error)

    def _fail(self, account: SourceAccount, error: SourceError) -> None:
        account.failed = str(error)
        self._failures.append(error)

    def _read(self, source: Source, exporter: Exporter, merge: Merge) -> None:
        number = len(self.account.sources)
        account = SourceAccount(source.name, exporter.name)
        self.account.sources.append(account)
        reading = self._reading()
        meet = self._better.meeting(source, exporter, replace(self._reading(), on_bytes=None))
        try:
            for read in exporter.read(source, reading):
                record, known = meet(read)
                account.count(record)
                merge.doubles[number] += known
                if isinstance(record, Message) and known:
                    self._aliases.meet(record)
                    self._chat(record).mark(record)
                elif isinstance(record, Message):
                    self._namesakes.note(record, number)
                    self._take(mended(record), merge, number)
                elif isinstance(record, Block) and record.messages:
                    self._namesakes.note(record, number)
                    self._chat(record).count_block(record)
                    merge.add_block(record, number)
        except SourceError as error:
            self._fail(account, error)
        account.flavour = reading.flavour
        account.remarks = reading.remarks
        account.zone = reading.zone_name if reading.local_times else None
        for place in account.chats:
            if place[1] in reading.owner:
                id_, why = reading.owner[place[1]]
                self._evidence[place][id_] = why

    def _reading(self) -> Reading:
        return Reading(
            self._options.local_zone,
            self._count_bytes,
            zone_name=self._options.zone_name,
            day_first=self._options.day_first,
            include=self._options.include,
            blocks=self._options.selection.any_time and not (self._aliases or self._better),
            me=self._options.me,
        )

    def _take(self, message: Message, merge: Merge, source: int) -> None:
        self._chat(message).count(message)
        self._aliases.meet(message)
        if reason := self._options.selection.out_of_time(message.sent_at):
            self.account.left_out[reason] += 1
        else:
            merge.add(message, source)

    def _chat(self, found: Message | Block) -> ChatAccount:
        place = found.platform, found.chat_id
        if place not in self._chats:
            self._chats[place] = ChatAccount(*place, found.chat)
        return self._chats[place]

    def _count_bytes(self, count: int) -> None:
        self._bytes_read += count
        if self._on_progress is not None:
            self._on_progress(self._bytes_read, self._bytes)

    def select(self, merge: Merge) -> None:
        """Let doubles give way, and find which chats are wanted.

        Raises:
            NoSuchName: A chat or a speaker was asked for that does not exist.
            SourceError: Nothing is wanted.
        """
        remaining = self._remaining = merge.settle()
        enter_moves(merge.moved, self._chats, self.account.sources)
        for old, new in merge.moved:
            self._evidence[new].update(self._evidence[old])
        for chat in self._chats.values():
            self._aliases.join(chat)
        self._namesakes.tell(self.account.sources)
        for number, source in enumerate(self.account.sources):
            source.give_way(merge.doubles[number])
            source.tell_apart(merge.apart[number])
        chats, selection = self._chats.values(), self._options.selection
        self._left_out = selection.left_out(chats, remaining)
        self._unheard = selection.unheard(chats, self._aliases.target)
        self._keep(
            chat
            for place, chat in self._chats.items()
            if remaining[place] and place not in self._left_out
        )

    def keep_written(self) -> None:
        """Leave in the account the chats of which anything was written.

        Raises:
            SourceError: There is none.
        """
        self._keep(chat for chat in self.account.chats if chat.messages)

    def _keep(self, chats: Iterable[ChatAccount]) -> None:
        self.account.chats = list(chats)
        if not self.account.chats:
            count = sum(source.messages for source in self.account.sources)
            are = "The only message is" if count == 1 else f"All {count:,} messages are"
            raise SourceError(f"{are} left out by what you asked for.")

    def find_owners(self) -> None:
        """Find who is me in each chat that is wanted, and enter it into the account.

        Raises:
            OwnerUnknown: Nothing tells it.
        """
        evidence = {
            place: {self._aliases.id_of(place[0], id_): why for id_, why in found.items()}
            for place, found in self._evidence.items()
        }
        me = [self._aliases.target(name) for name in self._options.me]
        wanted = {chat.place for chat in self.account.chats}
        chats = list(self._chats.values())
        self._owners = find_owners(chats, evidence, me, wanted.__contains__)
        for chat in self.account.chats:
            owner = self._owners[chat.place]
            chat.owner = chat.names_of(owner.ids or ())
            chat.evidence = owner.evidence
        for source in self.account.sources:
            source.owners.update(self._chats[place].owner_told for place in source.chats & wanted)

    def messages(self, merge: Merge) -> Iterator[Message]:
        """Yield the messages as they are to be written, and count them."""
        for settled in self._wanted(merge):
            yield from self._finished(settled)

    def lines(self, merge: Merge) -> Iterator[bytes]:
        """Yield the same as the lines that they are written as, in pieces."""
        for settled in self._wanted(merge):
            if settled.lines is None or self._aliases or self._unheard:
                for message in self._finished(settled):
                    yield f"{message.to_json()}\n".encode()
                continue
            chat, owner = self._chats[settled.place], self._owners[settled.place]
            chat.messages += self._remaining[settled.place]
            for piece, mine in settled.lines(owner.owns):
                chat.outgoing += mine
                yield piece

    def _wanted(self, merge: Merge) -> Iterator[Settled]:
        for settled in merge.chats():
            reason = self._left_out.get(settled.place)
            if reason is None:
                yield settled
            else:
                self.account.left_out[reason] += self._remaining[settled.place]

    def _finished(self, settled: Settled) -> Iterator[Message]:
        chat, owner = self._chats[settled.place], self._owners[settled.place]
        for message in settled.messages:
            id_, name = self._aliases.speaker(message)
            if reason := self._unwanted(message, id_):
                self.account.left_out[reason] += 1
                continue
            mine = owner.owns(id_, message.outgoing)
            chat.messages += 1
            chat.outgoing += bool(mine)
            if (id_, name, mine) == (message.speaker_id, message.speaker, message.outgoing):
                yield message
            else:
                yield replace(message, speaker_id=id_, speaker=name, outgoing=mine)

    def _unwanted(self, message: Message, speaker_id: str) -> str | None:
        """Return why a message of a wanted chat is not to be written, None if it is."""
        if (message.platform, speaker_id) in self._unheard:
            return UNHEARD
        return NO_ROW if self._options.form == "rows" and not message.shown else None
