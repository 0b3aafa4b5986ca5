"""Bringing a database to the newest revision, by the steps in `alembic/versions`."""

from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select

from alembic import command
from bot.store.tables import Table
from likeness.errors import BadSettings, DatabaseTooNew


def config() -> Config:
    """Return what Alembic needs to know, wherever this package lies."""
    found = Config()
    found.set_main_option("script_location", str(_steps()).replace("%", "%%"))
    return found


def migrate(connection: Connection, place: str) -> None:
    """Bring a database to the newest revision, all steps in the connection's transaction.

    On a database server one process does so at a time, and the others see what it has done.

    Args:
        connection: To any database, in a transaction that the caller commits.
        place: The database's name for an error.

    Raises:
        DatabaseTooNew: A newer Likeness migrated it.
        BadSettings: It holds tables of these names that are not ours.
    """
    if connection.dialect.name == "postgresql":  # until the end of the transaction
        lock = func.hashtextextended("likeness migrations", 0)
        connection.execute(select(func.pg_advisory_xact_lock(lock)))
    steps = config()
    script = ScriptDirectory.from_config(steps)
    known = {revision.revision for revision in script.walk_revisions()}
    found = MigrationContext.configure(connection).get_current_heads()
    if not known.issuperset(found):
        raise DatabaseTooNew(
            f"The database {place} was made by a newer Likeness: update Likeness, or name "
            "another database in LIKENESS_DATABASE."
        )
    if not found and not Table.metadata.tables.keys().isdisjoint(
        inspect(connection).get_table_names()
    ):
        raise BadSettings(
            f"The database {place} belongs to another program: name another one in "
            "LIKENESS_DATABASE."
        )
    if list(found) != script.get_heads():
        steps.attributes["connection"] = connection
        command.upgrade(steps, "head")


def _steps() -> Path:
    """Return Alembic's folder: an installed package has it inside, a checkout beside `bot`."""
    inside = Path(__file__).parents[1] / "migrations"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "alembic"
