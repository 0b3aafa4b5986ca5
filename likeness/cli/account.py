"""The account of an export as it is printed: a table a source, the chats, the balance."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from likeness.cli.console import results, table
from likeness.texts import counted

if TYPE_CHECKING:
    from exporters.account import Account, SourceAccount

_SHOWN_CHATS = 20
_SHOWN_SOURCES = 50
_SHOWN_OWNERS = 3
_WIDTH = len("time zone")
_FROM_EXPORT = "as the export tells it"


def print_account(account: "Account", output: Path) -> None:
    """Print what an export did to standard output."""
    console = results()
    alike = _alike([source for source in account.sources if not source.failed])
    for sources in alike[:_SHOWN_SOURCES]:
        console.print(_named(sources), style="bold", markup=False)
        for name, value in _told(sources[0]):
            console.print(f"  {name:<{_WIDTH}}  {value}", markup=False)
        console.print()
    if len(alike) > _SHOWN_SOURCES:
        console.print(f"… and {len(alike) - _SHOWN_SOURCES:,} more\n")
    _print_chats(console, account)
    _print_balance(console, account, alike)
    console.print(
        f"{output}: {counted(account.messages, 'message')}, {account.outgoing:,} of them mine",
        markup=False,
    )


def _alike(sources: Iterable["SourceAccount"]) -> list[list["SourceAccount"]]:
    """Put sources that follow each other and tell the same of themselves together."""
    groups = groupby(sources, key=lambda source: list(_told(source)))
    return [list(group) for _, group in groups]


def _named(sources: list["SourceAccount"]) -> str:
    more = len(sources) - 1
    return f"{sources[0].name} and {more:,} more like it" if more else sources[0].name


def _told(source: "SourceAccount") -> Iterator[tuple[str, str]]:
    """Yield what a source tells of itself."""
    yield "format", source.exporter
    if source.flavour:
        yield "template", source.flavour
    yield "time zone", source.zone or _FROM_EXPORT
    yield from _listed("me", _shortened([why for why, _ in source.owners.most_common()]))
    yield from _listed("remarks", source.remarks)
    yield from _listed("rejected", (f"{place.where}: {place.reason}" for place in source.places))


def _listed(name: str, values: Iterable[str]) -> Iterator[tuple[str, str]]:
    for number, value in enumerate(values):
        yield "" if number else name, value


def _shortened(owners: list[str]) -> list[str]:
    more = len(owners) - _SHOWN_OWNERS
    return [*owners[:_SHOWN_OWNERS], f"… and {more} more"] if more > 1 else owners


def _print_chats(console: Console, account: "Account") -> None:
    rows = [
        (chat.chat, chat.platform, chat.messages, chat.outgoing, chat.owner_told)
        for chat in sorted(account.chats, key=lambda chat: -chat.messages)
    ]
    columns = ["chat", "platform", "#messages", "#mine", "me"]
    console.print(table("Chats", columns, rows[:_SHOWN_CHATS]))
    if len(rows) > _SHOWN_CHATS:
        console.print(f"… and {len(rows) - _SHOWN_CHATS:,} more")
    console.print()


def _print_balance(
    console: Console, account: "Account", alike: list[list["SourceAccount"]]
) -> None:
    rows = [(_named(sources), *_sums(sources)) for sources in alike[:_SHOWN_SOURCES]]
    if len(account.sources) > 1:
        rows.append(("all", *_sums(account.sources)))
    columns = ["source", "#records", "#= messages", "#+ notices", "#+ rejected"]
    console.print(table("Balance", columns, rows))
    for what in ("notices", "rejected"):
        reasons: Counter[str] = Counter()
        for source in account.sources:
            reasons.update(getattr(source, what))
        if reasons:
            console.print(f"{what}: {_counted(reasons)}", markup=False)
    if account.left_out:
        messages = sum(source.messages for source in account.sources)
        left_out = f"{account.messages:,} written + {account.left_out.total():,} left out"
        console.print(f"{counted(messages, 'message')} = {left_out}", markup=False)
        console.print(f"left out: {_counted(account.left_out)}", markup=False)
    console.print()


def _sums(sources: list["SourceAccount"]) -> tuple[int, int, int, int]:
    return (
        sum(source.records for source in sources),
        sum(source.messages for source in sources),
        sum(source.notices.total() for source in sources),
        sum(source.rejected.total() for source in sources),
    )


def _counted(reasons: "Counter[str]") -> str:
    return ", ".join(f"{number:,} {why}" for why, number in reasons.most_common())
