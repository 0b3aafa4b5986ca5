"""`likeness db`: looking after the bot's database over years."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from likeness.cli.console import remarks, results
from likeness.texts import counted

_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
OLDEST = timedelta(days=100 * _DAYS["y"])


class Age(click.ParamType[timedelta]):
    """A length of time, such as 90d, 12w, 6m or 1y."""

    name = "age"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it."""
        found = re.fullmatch(r"([1-9]\d{0,4})([dwmy])", str(value))
        if found is None:
            self.fail("write days, weeks, months or years, such as 90d, 12w, 6m or 1y", param, ctx)
        age = timedelta(days=int(found[1]) * _DAYS[found[2]])
        if age > OLDEST:
            self.fail("nobody wrote to a bot so long ago: write 100y at the most", param, ctx)
        return age


@click.group()
def db() -> None:
    """Look after the database that LIKENESS_DATABASE names (likeness.db if it names none).

    Everything but `downgrade` can be done while the bot is at work.
    """


def _url() -> str:
    from bot.settings import Settings

    return Settings.read().database


@db.command()
def upgrade() -> None:
    """Bring it to the newest revision, as `likeness serve` does at its start."""
    from bot.store import upkeep

    results().print(f"It is of revision {asyncio.run(upkeep.upgrade(_url()))}.")


@db.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask.")
def downgrade(revision: str, *, yes: bool) -> None:
    """Bring it back to REVISION, for an older Likeness; what only newer ones keep is lost."""
    from bot.store import upkeep

    yes or click.confirm("What only newer revisions keep is lost. Go on?", abort=True, err=True)
    asyncio.run(upkeep.downgrade(_url(), revision))
    results().print(f"It is of revision {revision}.")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy it to FILE, which only you may read; a PostgreSQL database has pg_dump for that."""
    from bot.store import upkeep

    upkeep.backup(_url(), file)
    results().print(f"{file}: {file.stat().st_size:,} bytes, and whole", markup=False)


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
def export(file: Path) -> None:
    """Write all that was heard and said to FILE, as messages.jsonl, which only you may read."""
    from bot.store import upkeep

    with remarks().status("Writing"):
        count = asyncio.run(upkeep.export(_url(), file))
    results().print(f"{file}: {counted(count, 'message')}", markup=False)


@db.command()
def vacuum() -> None:
    """Give the room of what was deleted back to the disk."""
    from bot.store import upkeep

    with remarks().status("Tidying up"):
        asyncio.run(upkeep.vacuum(_url()))


@db.command()
@click.option("--older", type=Age(), required=True, help="Than 90d, 12w, 6m or 1y.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def prune(*, older: timedelta, yes: bool) -> None:
    """Delete what was said longer ago than that, but for what still waits for an answer."""
    from bot.store import upkeep

    before = datetime.now(UTC) - older
    asked = f"All that was said before {before:%Y-%m-%d} will be gone. Go on?"
    yes or click.confirm(asked, abort=True, err=True)
    with remarks().status("Deleting"):
        count = asyncio.run(upkeep.prune(_url(), before))
    gone = f"{counted(count, 'message')} {'is' if count == 1 else 'are'} gone"
    results().print(f"{gone}; `likeness db vacuum` gives the room back.")
