"""`likeness export`: exports of any app to one file, and the account of what became of them."""

from collections import Counter
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from rich.console import Console

from likeness.cli.console import byte_progress, remarks, results, table

if TYPE_CHECKING:
    from exporters.account import Account, ChatAccount, SourceAccount

SHOWN_CHATS = 20


@click.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write, whole or not at all.",
)
@click.option("--me", multiple=True, metavar="NAME", help="Who you are, if nothing else tells.")
@click.option(
    "--tz",
    "zone",
    metavar="ZONE",
    help="Zone of exports with local times, such as Europe/Berlin; this computer's otherwise.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["messages", "rows"]),
    default="messages",
    show_default=True,
    help="messages.jsonl, or the workshop's rows.",
)
def export(
    sources: tuple[Path, ...], output: Path, me: tuple[str, ...], zone: str | None, form: str
) -> None:
    """Turn exports of Telegram, WhatsApp and Discord into one file of messages.

    SOURCES are files, folders or zips; what they are is recognised from what they hold.
    """
    from exporters.run import ExportOptions
    from exporters.run import export as run_export

    local_zone, zone_name = _zone(zone)
    options = ExportOptions(
        local_zone=local_zone,
        zone_name=zone_name,
        me=me,
        form="rows" if form == "rows" else "messages",
    )
    with byte_progress() as progress:
        task = progress.add_task("Reading", total=None)
        account = run_export(
            sources,
            output,
            options,
            lambda read, total: progress.update(task, completed=read, total=total),
        )
    _print_account(results(), account, output)
    for source in account.sources:
        if source.failed:
            remarks().print(f"Not read: {source.failed}", style="red", markup=False)


def _zone(name: str | None) -> tuple[tzinfo, str]:
    if name is None:
        import tzlocal

        local = tzlocal.get_localzone()
        return local, f"{local}, this computer's zone"
    try:
        return ZoneInfo(name), name
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise click.BadParameter(
            f"there is no time zone {name!r}; they look like Europe/Berlin.", param_hint="--tz"
        ) from error


def _print_account(console: Console, account: "Account", output: Path) -> None:
    for source in account.sources:
        if not source.failed:
            _print_source(console, source)
    _print_chats(console, account)
    _print_balance(console, account)
    console.print(
        f"{output}: {account.messages:,} messages, {account.outgoing:,} of them mine", markup=False
    )


def _print_source(console: Console, source: "SourceAccount") -> None:
    console.print(source.name, style="bold", markup=False)
    flavour = f" ({source.flavour})" if source.flavour else ""
    console.print(f"  {source.exporter}{flavour}", markup=False)
    for remark in source.remarks:
        console.print(f"  {remark}", markup=False)
    for place in source.places:
        console.print(f"  rejected {place.where}: {place.reason}", markup=False, style="yellow")
    console.print()


def _print_chats(console: Console, account: "Account") -> None:
    rows = [
        (chat.chat, chat.platform, chat.messages, chat.outgoing, _who(chat))
        for chat in sorted(account.chats, key=lambda chat: -chat.messages)
    ]
    columns = ["chat", "platform", "#messages", "#mine", "me"]
    console.print(table("Chats", columns, rows[:SHOWN_CHATS]))
    if len(rows) > SHOWN_CHATS:
        console.print(f"… and {len(rows) - SHOWN_CHATS:,} more")
    console.print()


def _who(chat: "ChatAccount") -> str:
    return f"{' or '.join(chat.owner) or '–'} ({chat.evidence})"


def _print_balance(console: Console, account: "Account") -> None:
    rows = [
        (
            source.name,
            source.records,
            source.messages,
            source.notices.total(),
            source.rejected.total(),
        )
        for source in account.sources
    ]
    columns = ["source", "#records", "#= messages", "#+ notices", "#+ rejected"]
    console.print(table("Balance", columns, rows))
    for what in ("notices", "rejected"):
        reasons: Counter[str] = Counter()
        for source in account.sources:
            reasons.update(getattr(source, what))
        if reasons:
            listed = ", ".join(f"{number:,} {why}" for why, number in reasons.most_common())
            console.print(f"{what}: {listed}", markup=False)
    console.print()
