"""`likeness export`: exports of any app to one file, and the account of what became of them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from likeness.cli.account import print_account
from likeness.cli.console import byte_progress, remarks
from likeness.cli.signals import HANG_UP, handled, heeded

if TYPE_CHECKING:
    from exporters.options import ExportOptions
    from exporters.selection import Selection


class _Day(click.DateTime):
    """A day as ISO 8601 writes it."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return its beginning."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is no day: write it as 2024-01-31.", param, ctx)


_DAY = _Day()


class _File(click.Path):
    """A path that is not empty, as a variable without a value leaves it."""

    def __init__(self, *, dir_okay: bool = True) -> None:
        super().__init__(path_type=Path, dir_okay=dir_okay)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, which would be this folder if nothing were given."""
        if value == "":
            self.fail("it is empty.", param, ctx)
        if value == "-":
            self.fail("it is read and written whole: name a file.", param, ctx)
        return super().convert(value, param, ctx)


@click.command()
@click.argument("sources", nargs=-1, required=True, type=_File())
@click.option(
    "-o",
    "--output",
    required=True,
    type=_File(dir_okay=False),
    help="The file to write, whole or not at all.",
)
@click.option("--me", multiple=True, metavar="NAME", help="Who you are, if nothing else tells.")
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="'NAME=OTHER,…'",
    help="One person's names and ids, on any platform; once for each person.",
)
@click.option("--since", type=_DAY, metavar="DAY", help="Only from this day on, as 2024-01-31.")
@click.option("--until", type=_DAY, metavar="DAY", help="Only up to this day, and with it.")
@click.option(
    "--chat",
    "chats",
    multiple=True,
    metavar="CHAT",
    help="Only this chat: its name, its id, or a pattern with * and ?.",
)
@click.option("--not-chat", "not_chats", multiple=True, metavar="CHAT", help="Not this chat.")
@click.option(
    "--not-speaker",
    "not_speakers",
    multiple=True,
    metavar="NAME",
    help="Nothing that this person said; once for each.",
)
@click.option(
    "--min-messages",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Only chats with so many messages.",
)
@click.option(
    "--include",
    multiple=True,
    type=click.Choice(["bots", "channels", "saved"]),
    help="Also what is no conversation with people; once for each.",
)
@click.option(
    "--tz",
    "zone",
    metavar="ZONE",
    help="Zone of exports with local times, such as Europe/Berlin; this computer's otherwise.",
)
@click.option(
    "--day-first/--month-first",
    default=None,
    help="What 3/4/24 is; otherwise the file's own evidence decides, and is told.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["messages", "rows"]),
    default="messages",
    show_default=True,
    help="messages.jsonl, or the workshop's rows.",
)
@click.option(
    "--report",
    type=_File(dir_okay=False),
    metavar="FILE",
    help="Write the whole account there as JSON.",
)
@click.option("--strict", is_flag=True, help="Fail if anything cannot be read; write nothing.")
def export(sources: tuple[Path, ...], output: Path, **chosen: Any) -> None:
    """Turn exports of any app into one file of messages.

    SOURCES are files, folders or zips; what they are is recognised from what they hold.
    """
    from exporters.run import export as run_export

    options = _options(**chosen)
    with _ending_tidily(), byte_progress() as progress:
        task = progress.add_task("Reading", total=None)
        account = run_export(
            sources,
            output,
            options,
            lambda read, total: progress.update(task, completed=read, total=total),
        )
    print_account(account, output)
    for source in account.sources:
        if source.failed:
            remarks().print(f"Not read: {source.failed}", style="red", markup=False)
    if account.left_alone:
        told = f"Left alone, as no export that Likeness reads: {account.left_alone_told}"
        remarks().print(told, style="yellow", markup=False)


@contextmanager
def _ending_tidily() -> Iterator[None]:
    """Let SIGTERM and a terminal that closes take away what is half written, as Ctrl-C does."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    ending = [number for number in (signal.SIGTERM, HANG_UP) if number and heeded(number)]
    with handled(dict.fromkeys(ending, end)):
        yield


def _options(
    *,
    zone: str | None,
    form: str,
    aliases: tuple[str, ...],
    include: tuple[str, ...],
    **chosen: Any,
) -> "ExportOptions":
    from exporters.names import Aliases
    from exporters.options import ExportOptions

    try:
        Aliases(aliases)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--alias") from error
    local_zone, zone_name = _zone(zone)
    limits = {name: chosen.pop(name) for name in ("since", "until")}
    wanted = {
        name: chosen.pop(name) for name in ("chats", "not_chats", "not_speakers", "min_messages")
    }
    return ExportOptions(
        local_zone=local_zone,
        zone_name=zone_name,
        form="rows" if form == "rows" else "messages",
        aliases=aliases,
        include=frozenset(include),
        selection=_selection(local_zone, **limits, **wanted),
        **chosen,
    )


def _selection(
    zone: tzinfo, *, since: datetime | None, until: datetime | None, **wanted: Any
) -> "Selection":
    """Return what is wanted; days are those of the zone, and both of them are within."""
    from exporters.selection import Selection

    if since is not None and until is not None and since > until:
        raise click.BadParameter("--since is a later day than --until.", param_hint="--until")
    return Selection(
        since=_midnight(since, zone, "--since"),
        until=_midnight(until, zone, "--until", days_later=1),
        **wanted,
    )


def _midnight(
    day: datetime | None, zone: tzinfo, option: str, days_later: int = 0
) -> datetime | None:
    if day is None:
        return None
    try:
        return (day + timedelta(days=days_later)).replace(tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        raise click.BadParameter("no such day in any chat.", param_hint=option) from error


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
