"""WhatsApp's "Export chat": one text a chat, from Android or iOS, in any language.

The text is read twice: the first pass learns the shape of its heads and gathers the evidence, the
second gives out the records. A chat's id is derived from its name, and a message has for id what
its minute, words and place among its equals come to: so both are the same in every later export of
the chat, whatever its people are called by then, and on a phone that writes no seconds.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache, partial
from pathlib import PurePosixPath

from exporters.blocks import Block, Sender
from exporters.clock import LocalClock
from exporters.heads import HeadReader
from exporters.ids import MadeIds, digest
from exporters.lines import Lines, first_lines
from exporters.names import composed
from exporters.sources import Reading, Source
from exporters.whatsapp_bodies import Bodies
from exporters.whatsapp_entries import Entry, EntryReader, Run
from exporters.whatsapp_names import chat_name, clean, spoken
from exporters.whatsapp_runs import RunLines, Runs
from exporters.whatsapp_survey import Survey
from likeness.errors import DamagedSource
from likeness.messages import (
    Kind,
    Message,
    Notice,
    Record,
    Rejected,
    place_part,
)

PLATFORM = "whatsapp"
_MOST_BEFORE = 20
_LINES_A_HEAD = 50
_CUTS = (40_000, 10_000)
_NEAR_A_CUT = 10
_LOG_LEVEL = re.compile(
    r"(?:.*[.\s])?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE)\s*"
)
_DISCORD_RULE = b"=" * 62
_SIGNAL_FILE = "chat.md"
_RUN = 1000

_Said = tuple[str, Sender, datetime, Kind, str]


class _WhatsApp:
    name = "WhatsApp chat text"

    def recognises(self, source: Source) -> bool:
        if source.head.startswith(_DISCORD_RULE) or source.place.name == _SIGNAL_FILE:
            return False
        lines = first_lines(source)
        survey = Survey().read(lines)
        if not survey.named or survey.heads * _LINES_A_HEAD < len(lines):
            return False
        return _begins_soon(survey, lines) and not _is_of_others(survey)

    def read(self, source: Source, reading: Reading) -> Iterator[Record | Block]:
        survey = Survey().read(Lines(source))
        if not survey.heads:
            raise DamagedSource(f"{source.name} holds no line that begins a WhatsApp message.")
        chat = _Chat(source, survey, reading)
        yield from chat.records(source)


WHATSAPP = _WhatsApp()


def _begins_soon(survey: Survey, lines: list[str]) -> bool:
    first = survey.shapes[0].first
    before = sum(bool(line.strip()) for line in lines[: first - 1])
    return before <= (_MOST_BEFORE if survey.heads > 1 else 2)


def _is_of_others(survey: Survey) -> bool:
    """Tell a log, and what Signal's tools write, from a chat of WhatsApp.

    Words before the dates of a log are not the days of the week.
    Signal's forms are bracketed with an ISO date: without seconds, which WhatsApp never leaves out
    in brackets, behind a comma; or with an owner called "Me", which WhatsApp never does.
    """
    people = survey.people()
    if people and all(_LOG_LEVEL.fullmatch(name) for name in people):
        return True
    shape = survey.shapes[0].shape
    if not survey.shapes[0].of_days:
        return True
    if shape.end != "]" or shape.separators[:1] != ("-",) or shape.widths[0] != 4:
        return False
    return (shape.join == "," and not shape.seconds) or "Me" in people


class _Chat:
    """One chat: what is the same for all of its messages."""

    def __init__(self, source: Source, survey: Survey, reading: Reading) -> None:
        self._survey = survey
        self._reading = reading
        self._clock = LocalClock(reading.local_zone)
        reading.local_times = True
        self._bodies = Bodies(
            marked=survey.marks_tell, edited=survey.edited_tags, deleted=survey.deletions
        )
        self._ids = MadeIds()
        people = survey.people()
        self._name = chat_name(_files(source), people)
        self._id = digest(self._name.casefold()).hex()
        readers = self._head_readers()
        self._entries = EntryReader(readers, survey.names)
        self._tell_owner(people)
        self._guess = partial(reading.guess, self._id)
        if reading.blocks:
            self._entries.runs = Runs(readers[0].cuts, survey.names, self._bodies.is_words)
        place = place_part(PLATFORM, self._id, self._name)
        self._lines = RunLines(place, self._clock, self._ids, _speaker, self._guess)

    def _head_readers(self) -> list[HeadReader]:
        reading = self._reading
        now = datetime.now(reading.local_zone)
        readers = []
        for found in self._survey.shapes:
            order = found.order(reading.day_first)
            names = {"d": "day", "m": "month", "y": "year"}
            spelled = ", ".join(names[place] for place in order.places)
            reading.remarks.append(f"Dates are read as {spelled}: {order.why}.")
            if "y" not in order.places:
                reading.remarks.append(
                    f"The dates have no year: the last is taken to be of {now.year}."
                )
            reading.flavour = reading.flavour or found.shape.look(order.places)
            readers.append(HeadReader(found, order.places, now.year))
        return readers

    def _tell_owner(self, people: dict[str, int]) -> None:
        others = [person for person in people if composed(spoken(person)) != self._name]
        if len(people) == 2 and len(others) == 1:
            why = "the file is named after the other one of the two"
            self._reading.owner[self._id] = (others[0], why)

    def records(self, source: Source) -> Iterator[Record | Block]:
        lines = Lines(source, self._reading.on_bytes)
        count = 0
        block = Block(PLATFORM, self._id, self._name)
        for entry in self._entries.read(lines):
            if isinstance(entry, Run):
                count += len(entry.told)
                self._lines.add(entry.told, block)
                continue
            count += 1
            record = self._record(entry)
            if not self._reading.blocks:
                yield record
            else:
                block.add(record, self._guess)
            if block.records >= _RUN:
                yield block.closed(self._guess)
                block = Block(PLATFORM, self._id, self._name)
        if block.records:
            yield block.closed(self._guess)
        if lines.damaged:
            yield Rejected(f"after record {count}", "the file breaks off or is damaged here")
        self._remark_on(count)

    def _record(self, entry: Entry | Rejected) -> Record:
        said = self._said(entry)
        if not isinstance(said, tuple):
            return said
        id_, (speaker, shown), sent_at, kind, text = said
        return Message(
            platform=PLATFORM,
            chat_id=self._id,
            chat=self._name,
            id=id_,
            speaker_id=speaker,
            speaker=shown,
            outgoing=None,
            sent_at=sent_at,
            text=text,
            kind=kind,
        )

    def _said(self, entry: Entry | Rejected) -> _Said | Notice | Rejected:
        """Return what a message has of its own: id, speaker, time, kind and words."""
        if isinstance(entry, Rejected):
            return entry
        if entry.name is None:
            return Notice("group or chat event")
        lines = entry.lines
        body = lines[0] if len(lines) == 1 else "\n".join(lines)
        found = self._bodies.read(body, announced=entry.announced)
        if isinstance(found, Notice):
            return found
        kind, text = found
        sender = _speaker(entry.name)
        id_ = self._ids.of(entry.when.isoformat(timespec="minutes"), text or kind)
        return id_, sender, self._clock.utc(entry.when), kind, text

    def _remark_on(self, count: int) -> None:
        remarks = self._reading.remarks
        shapes = self._survey.shapes
        if len(shapes) > 1:
            remarks.append(f"The heads have {len(shapes)} shapes, one after the other.")
        pasted = self._entries.pasted + self._survey.heads - sum(one.count for one in shapes)
        if pasted:
            remarks.append(f"Left as text, though they look like heads: {pasted} pasted lines.")
        if self._bodies.by_rule:
            remarks.append(f"Known as files by their shape: {self._bodies.by_rule}.")
        if self._bodies.learned:
            remarks.append(f"Known as deleted by a sentence that recurs: {self._bodies.learned}.")
        if any(abs(count - cut) <= _NEAR_A_CUT for cut in _CUTS):
            remarks.append(
                "WhatsApp cuts exports at about 40,000 messages, at 10,000 with media, and this "
                f"one has {count:,}: its beginning is probably missing."
            )


@lru_cache(maxsize=4096)
def _speaker(name: str) -> tuple[str, str]:
    """Return the id of who wrote, and the name that people see."""
    return clean(name), spoken(clean(name))


def _files(source: Source) -> list[str]:
    """Return what a text lies under, the nearest first: its name, its folders, and its zip.

    A zip of zips holds several chats and bears the name of none.
    """
    if source.member is None:
        return [source.path.name, source.path.parent.name]
    inside = PurePosixPath(source.member).parts
    return list(reversed(PurePosixPath(source.name).parts[-1 - len(inside) :]))
