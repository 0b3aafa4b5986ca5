"""`likeness check`: what a messages.jsonl holds, and what the model will see of it."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from likeness import masking
from likeness.cli.console import byte_progress, results, table
from likeness.dialogue import (
    CharacterTokenizer,
    encode_turns,
    join,
    newest_that_fit,
    spans,
)
from likeness.files import read_messages
from likeness.messages import Message
from likeness.texts import counted

if TYPE_CHECKING:
    from training.config import TrainConfig
    from training.portions import Portion
    from training.survey import Survey

SHOWN_ROWS = 20
SHOWN_CHARACTERS = 1_200


@dataclass(slots=True)
class Counts:
    """What a file holds, counted in one pass.

    Attributes:
        chats: Messages by (platform, chat id, chat).
        speakers: Messages by speaker's name.
        kinds: Messages by kind.
        first: When the first was sent.
        last: When the last was.
    """

    chats: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    speakers: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None

    def count(self, message: Message) -> None:
        """Count one message."""
        self.chats[message.platform, message.chat_id, message.chat] += 1
        self.speakers[message.speaker] += 1
        self.kinds[message.kind] += 1
        self.first = min(self.first or message.sent_at, message.sent_at)
        self.last = max(self.last or message.sent_at, message.sent_at)


@dataclass(slots=True)
class Sample:
    """Some portions of all.

    Attributes:
        drawn: Their messages.
        portions: How many there are in all.
        conversations: Of how many conversations: a very long one is taken in several.
    """

    drawn: list[list[Message]] = field(default_factory=list)
    portions: int = 0
    conversations: int = 0


@click.command()
@click.argument("messages", type=click.Path(path_type=Path))
@click.option("--as", "speaker", metavar="SPEAKER", help="Look at it as this speaker's.")
@click.option("--show", default=10, show_default=True, help="How many conversations to print.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="As for `train`.")
@click.option("--seed", default=0, show_default=True, help="Which conversations to print.")
def check(
    messages: Path, speaker: str | None, show: int, settings: tuple[str, ...], seed: int
) -> None:
    """Count what MESSAGES holds, and print conversations as the model will see them.

    A dry run before hours of training.
    """
    from training.config import TrainConfig
    from training.portions import portions
    from training.survey import survey

    config = TrainConfig.from_settings(settings)
    console = results()
    counts = _count(messages)
    _print_counts(console, messages, counts)
    found = survey(messages, speaker, masking=bool(config.mask))
    _print_mine(console, found, config)
    dice = random.Random(seed)  # noqa: S311 - which examples are printed is no secret
    sample = _draw(portions(messages, found, config), show, dice)
    _print_sample(console, sample, config)


def _count(path: Path) -> Counts:
    counts = Counts()
    with byte_progress() as progress:
        task = progress.add_task("Reading", total=path.stat().st_size if path.is_file() else None)
        for message in read_messages(path, lambda count: progress.advance(task, count)):
            counts.count(message)
    return counts


def _draw(portions: Iterable["Portion"], most: int, dice: random.Random) -> Sample:
    """Return a few of many, each as likely as any other, and how many there were.

    Source: reservoir sampling, Vitter's algorithm R (1985).
    """
    sample = Sample()
    for portion in portions:
        sample.portions += 1
        sample.conversations += not portion.goes_on
        if len(sample.drawn) < most:
            sample.drawn.append(portion.messages)
        elif (place := dice.randrange(sample.portions)) < most:
            sample.drawn[place] = portion.messages
    return sample


def _print_counts(console: Console, path: Path, counts: Counts) -> None:
    total = counts.chats.total()
    platforms: Counter[str] = Counter()
    for (platform, _, _), number in counts.chats.items():
        platforms[platform] += number
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in counts.kinds.most_common())
    said = f": {counted(total, 'message')} ({kinds})"
    console.print(Text(str(path), style="bold") + Text(said, style=""))
    if counts.first and counts.last:
        console.print(f"from {counts.first:%Y-%m-%d} to {counts.last:%Y-%m-%d}")
    console.print()
    console.print(table("By platform", ["platform", "#messages"], platforms.most_common()))
    console.print()
    chats = [(chat, platform, number) for (platform, _, chat), number in counts.chats.most_common()]
    _print_top(console, "By chat", ["chat", "platform", "#messages"], chats)
    _print_top(console, "By speaker", ["speaker", "#messages"], counts.speakers.most_common())


def _print_top(
    console: Console, title: str, columns: list[str], rows: Sequence[tuple[object, ...]]
) -> None:
    console.print(table(title, columns, rows[:SHOWN_ROWS]))
    if len(rows) > SHOWN_ROWS:
        console.print(f"… and {len(rows) - SHOWN_ROWS:,} more")
    console.print()


def _print_mine(console: Console, found: "Survey", config: "TrainConfig") -> None:
    mine, targets = found.names.total(), found.targets.total()
    held_out = found.held_out(config).total()
    console.print(
        f"As {found.me}: {mine:,} of {counted(found.messages, 'message')} "
        f"({mine / found.messages:.1%})",
        markup=False,
    )
    reasons = "".join(f" + {number:,} {why}" for why, number in found.left_out.most_common())
    console.print(
        f"{mine:,} mine = {targets - held_out:,} that teach + {held_out:,} held out{reasons}"
    )
    if found.masked:
        console.print(masking.account(found.masked), markup=False)
    gap = timedelta(seconds=round(found.usual_gap_seconds(config)))
    usual = "" if config.gap_seconds else "; that is the usual one, each chat has its own"
    console.print(f"A silence of {gap} ends a conversation{usual}\n")


def _print_sample(console: Console, sample: Sample, config: "TrainConfig") -> None:
    parts = ""
    if sample.portions > sample.conversations:
        parts = f"{sample.portions:,} parts of the "
    console.print(
        f"{len(sample.drawn)} of the {parts}{sample.conversations:,} conversations in which I "
        "speak, as the model will see them.\nIt learns to write what stands in «», and others' "
        f"words with weight {config.context_weight:g}:\n"
    )
    tokenizer = CharacterTokenizer()
    for number, conversation in enumerate(sample.drawn, start=1):
        turns = encode_turns(conversation, tokenizer, config.context_weight)
        window = newest_that_fit(turns, SHOWN_CHARACTERS)
        head = f"{number}. {conversation[0].sent_at:%Y-%m-%d %H:%M} {conversation[0].chat}"
        console.print(head, style="bold", markup=False)
        if len(window) < len(turns):
            console.print(f"(after {len(turns) - len(window):,} earlier turns)", style="dim")
        console.print(_marked(spans(join(window, tokenizer), tokenizer)))


def _marked(pieces: Iterable[tuple[str, float]]) -> Text:
    """Return text in which whatever carries the whole loss stands in «», line by line."""
    marked = Text()
    for piece, weight in pieces:
        style = "green" if weight == 1 else "dim" if weight == 0 else ""
        lines = piece.replace("\n", "⏎\n").split("\n")
        for number, line in enumerate(lines):
            if number:
                marked.append("\n")
            if line:
                marked.append(f"«{line}»" if weight == 1 else line, style=style)
    return marked
