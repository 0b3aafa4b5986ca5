"""The plain text of DiscordChatExporter, cut into its messages.

A message is its head, its words, a blank line, blocks such as `{Attachments}` each with a blank
line behind, and one more blank line. So what stands before a head is two blank lines, or one behind
the reactions: that tells most heads that somebody pasted from true ones.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from exporters.discord_dates import DateReader, DateSurvey
from exporters.streaming import BrokenJSON
from likeness.messages import Rejected

_RULE = re.compile(r"={30,70}")
_FIELD = re.compile(r"(Guild|Channel|Topic|After|Before): (.*)")
_HEAD = re.compile(r"\[([^\[\]]{4,60})\] (.+)")
_COUNT = re.compile(r"Exported [^\n]{1,20} message\(s\)")
_REACTIONS = "{Reactions}"
_FORWARDED = "{Forwarded Message}"
_FILES = frozenset({"{Attachments}", "{Stickers}"})
_BLOCKS = _FILES | {_FORWARDED, "{Embed}", _REACTIONS}
_SENT = "Originally sent: "
_PINNED = " (pinned)"
_MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class TextEntry:
    """One message.

    Attributes:
        moment: When it was sent.
        author: Who wrote it: the name, with the number behind it that names once had.
        text: The words, of another person if it was forwarded.
        blocks: The lines of its blocks.
        forwarded: Whether it was forwarded.
        media: Whether it has files or stickers.
    """

    moment: datetime
    author: str
    text: str
    blocks: tuple[str, ...]
    forwarded: bool
    media: bool


class TextPage:
    """Reads a text from top to bottom.

    Attributes:
        header: What stands between the rules at its top, by its name; empty if it is no such text.
        ended: Whether the lines at its bottom were there.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.header: dict[str, str] = {}
        self.ended = False
        self._lines = enumerate(lines, 1)
        self._read_header()

    def _read_header(self) -> None:
        _, first = next(self._lines, (0, ""))
        if not _RULE.fullmatch(first):
            return
        for number, line in self._lines:
            if _RULE.fullmatch(line) or number > _MOST_LINES:
                return
            if found := _FIELD.fullmatch(line):
                self.header.setdefault(found[1], found[2])
            elif number == 2:
                return

    def heads(self) -> Iterator[tuple[int, str, re.Match[str] | None, bool]]:
        """Yield each line: its number, itself, the head it could be, whether it must be one.

        A line that only could be one has a single blank line before it.
        """
        blanks, last, before_last, first = 0, "", "", True
        ruled = False
        for number, line in self._lines:
            if ruled and _COUNT.fullmatch(line):
                self.ended = True
                return
            ruled = blanks > 0 and _RULE.fullmatch(line) is not None
            head = _HEAD.fullmatch(line) if blanks else None
            yield number, line, head, first or blanks > 1 or before_last == _REACTIONS
            first &= head is None
            if line:
                blanks, before_last, last = 0, last, line
            else:
                blanks += 1

    def entries(self, dates: DateReader, strict: bool) -> Iterator[TextEntry | Rejected]:
        """Yield every message, and what stands where none can be.

        Args:
            dates: What reads the dates.
            strict: Whether a line that only could be a head is none.

        Raises:
            BrokenJSON: A message has no end.
        """
        begun: tuple[datetime, str] | None = None
        body: list[str] = []
        for number, line, head, certain in self.heads():
            moment = dates.moment(head[1]) if head and (certain or not strict) else None
            if head and moment:
                if begun:
                    yield _entry(*begun, body)
                begun, body = (moment, head[2].removesuffix(_PINNED)), []
            elif begun is None:
                if line and not _RULE.fullmatch(line):
                    yield Rejected(f"line {number}", "text before the first message")
            else:
                body.append(line)
                if len(body) > _MOST_LINES:
                    raise BrokenJSON
        if begun:
            yield _entry(*begun, body[:-1] if self.ended else body)
        for number, line in self._lines:
            if line and not _RULE.fullmatch(line):
                yield Rejected(f"line {number}", "text after the end of the export")


def survey_of(page: TextPage) -> tuple[DateSurvey, bool]:
    """Return the dates of a text, and whether its messages are parted as the app parts them."""
    sure, other = DateSurvey(), DateSurvey()
    count_sure = count_other = 0
    for _, _, head, certain in page.heads():
        if head and certain:
            count_sure += sure.add(head[1])
        elif head:
            count_other += other.add(head[1])
    strict = count_sure > count_other
    return (sure if strict else other), strict


def _entry(moment: datetime, author: str, body: list[str]) -> TextEntry:
    starts = (
        index
        for index, line in enumerate(body)
        if line in _BLOCKS and index and not body[index - 1]
    )
    start = next(starts, len(body))
    text, blocks = "\n".join(body[:start]).strip("\n"), body[start:]
    forwarded = blocks[:1] == [_FORWARDED]
    if forwarded:
        ends = (index for index, line in enumerate(blocks) if line.startswith(_SENT))
        text = text or "\n".join(blocks[1 : next(ends, len(blocks))]).strip("\n")
    media = not _FILES.isdisjoint(blocks)
    return TextEntry(moment, author, text, tuple(filter(None, blocks)), forwarded, media)
