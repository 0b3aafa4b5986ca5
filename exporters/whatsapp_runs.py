"""Runs of WhatsApp's entries that are one line of words each, taken without a look at each part.

Nearly all entries are: a head of a date and a time that were each read before, parted as before, a
name that is known, and words that nothing but their wording could tell from what the app writes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from json.encoder import encode_basestring as _quoted

from exporters.blocks import Block, Guess, Sender
from exporters.clock import LocalClock
from exporters.cuts import Cuts
from exporters.ids import MadeIds
from exporters.whatsapp_names import Names
from likeness.messages import speaker_part

_MOST_TAKEN = 1000
_MOST_HEADS = 100_000
_MOST_KNOWN = 20_000
_A_DAY = 86_400
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # local times are naive
_SECOND = timedelta(seconds=1)
_YEARS = range(1970, 9000)
_CLOCK = [f":{second // 60:02}:{second % 60:02}" for second in range(3600)]
_MINUTE = [clock[: -len(":00")] for clock in _CLOCK]
_BEGINS = '+00:00", "text": '
_END = ', "reply_to": null, "kind": "text"}\n'

Told = tuple[int, str, str, str]
"""A line: its local time in seconds since 1970, its name, its words, and all of it."""


def seconds_of(when: datetime) -> int:
    """Return a naive time in seconds since 1970."""
    return (when - _EPOCH) // _SECOND


def time_of(seconds: int) -> datetime:
    """Return the naive time that lies so many seconds behind 1970."""
    return _EPOCH + seconds * _SECOND


class Runs:
    """Takes runs of such lines out of a text."""

    def __init__(
        self, cuts: Cuts[datetime, timedelta], names: Names, is_words: Callable[[str], bool]
    ) -> None:
        """Begin.

        Args:
            cuts: What is known of the heads of the most frequent shape.
            names: The names of the file.
            is_words: Tells of a text at the first glance that it is nothing but words.
        """
        self._cuts = cuts
        self._names = names
        self._is_words = is_words
        self._form = "", ""
        self._firsts: dict[str, int] = {}
        self._seconds: dict[str, int] = {}
        self._speakers: set[str] = set()

    def take(self, lines: Iterator[str], when: datetime, left: list[str]) -> list[Told]:
        """Return the next lines as far as they are such; there may be more of them.

        None of them lies more than a day before the one ahead of it.

        Args:
            lines: What to take them from.
            when: The time of the entry before them.
            left: Where to leave the line that ends them, if it is of another sort.
        """
        taken: list[Told] = []
        if self._form != self._cuts.form:
            self._form = self._cuts.form
            self._firsts, self._seconds = {}, {}
        joint, closing = self._form
        if not joint:
            return taken
        firsts, seconds, speakers = self._firsts, self._seconds, self._speakers
        is_words = self._is_words
        earliest = seconds_of(when) - _A_DAY
        for line in lines:
            begun, _, other = line.partition(joint)
            ended, _, rest = other.partition(closing)
            name, _, text = rest.partition(": ")
            if name not in speakers and not self._is_speaker(name):
                break
            first, second = firsts.get(begun), seconds.get(ended)
            if first is None or second is None:
                learned = self._learn(line, begun, ended)
                if learned is None:
                    break
                first, second = learned
            moment = first + second
            if moment < earliest or not is_words(text):
                break
            earliest = moment - _A_DAY
            taken.append((moment, name, text, line))
            if len(taken) >= _MOST_TAKEN:
                return taken
        else:
            return taken
        left.append(line)
        return taken

    def _is_speaker(self, name: str) -> bool:
        if name[:1].isalnum() and self._names.is_plain(name):
            self._speakers.add(name)
            return True
        return False

    def _learn(self, line: str, begun: str, ended: str) -> tuple[int, int] | None:
        """Learn what the two texts of a head mean, as what both come to in seconds; None if not."""
        cut = self._cuts.cut(line)
        if cut is None:
            return None
        midnight, time_of_day, seconds, announced, _ = cut
        if announced or midnight.year not in _YEARS:
            return None
        if len(self._firsts) + len(self._seconds) >= _MOST_HEADS:
            self._firsts.clear()
            self._seconds.clear()
        date, passed = seconds_of(midnight), (time_of_day + seconds) // _SECOND
        first, second = (passed, date) if self._cuts.time_first else (date, passed)
        self._firsts[begun], self._seconds[ended] = first, second
        return first, second


@dataclass(frozen=True, slots=True)
class _Speaker:
    sender: Sender
    part: bytes


class RunLines:
    """Puts together the lines that the messages of a run are written as."""

    def __init__(
        self,
        start: str,
        clock: LocalClock,
        ids: MadeIds,
        sender_of: Callable[[str], Sender],
        guess: Guess,
    ) -> None:
        """Begin with a chat.

        Args:
            start: How its lines begin, made by `likeness.messages.place_part`.
            clock: Its clock.
            ids: Makes the ids of its messages.
            sender_of: Tells the id and the name of who is written down under a name.
            guess: Who is me.
        """
        self._start = f'{start}"'.encode()
        self._clock = clock
        self._ids = ids
        self._sender_of = sender_of
        self._guess = guess
        self._speakers: dict[str, _Speaker] = {}
        self._offsets: dict[int, int | None] = {}
        self._hours: dict[int, str] = {}

    def add(self, run: list[Told], block: Block) -> None:
        """Put the messages of a run into a block, as `likeness.messages.line_of` does."""
        start, speakers, offsets, hours = self._start, self._speakers, self._offsets, self._hours
        parts, add_id, add_moment = block.parts, block.ids.append, block.moments.append
        add_sender, made = block.senders.append, self._ids.made
        before: int | None = None
        for when, name, text, _ in run:
            hour, passed = when // 3600, when % 3600
            offset = offsets[hour] if hour in offsets else self._offset(hour)
            moment = self._moment(when, before) if offset is None else when - offset
            speaker = speakers.get(name) or self._meet(name)
            local = hours.get(hour) or self._hour(hour)
            utc = hours.get(moment // 3600) or self._hour(moment // 3600)
            id_ = made(f"{local}{_MINUTE[passed]}\0{text}".encode())
            add_id(id_)
            add_moment(moment)
            add_sender(speaker.sender)
            sent_at = f"{utc}{_CLOCK[moment % 3600]}{_BEGINS}{_quoted(text)}{_END}".encode()
            parts += start, id_, speaker.part, sent_at
            before = when
        self._pass_on(before)

    def _pass_on(self, before: int | None) -> None:
        """Let the clock know of the last message for which it was not asked."""
        if before is not None:
            self._clock.utc(time_of(before))

    def _moment(self, when: int, before: int | None) -> int:
        self._pass_on(before)
        return seconds_of(self._clock.utc(time_of(when)).replace(tzinfo=None))

    def _meet(self, name: str) -> _Speaker:
        sender = self._sender_of(name)
        part = f'"{speaker_part(*sender, self._guess(*sender))}'.encode()
        self._speakers[name] = _Speaker(sender, part)
        return self._speakers[name]

    def _offset(self, hour: int) -> int | None:
        if len(self._offsets) >= _MOST_KNOWN:
            self._offsets.clear()
        offset = self._clock.offset(time_of(hour * 3600))
        self._offsets[hour] = None if offset is None else offset // _SECOND
        return self._offsets[hour]

    def _hour(self, hour: int) -> str:
        if len(self._hours) >= _MOST_KNOWN:
            self._hours.clear()
        self._hours[hour] = time_of(hour * 3600).isoformat()[: -len(":00:00")]
        return self._hours[hour]
