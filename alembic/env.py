"""Runs the steps in `versions`: for `bot.store`, or for `alembic` in a checkout."""

import asyncio
import os

from sqlalchemy import Connection

from alembic import context
from bot.store.databases import make_engine
from bot.store.tables import Table


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_by_hand() -> None:
    url = os.environ.get("LIKENESS_DATABASE", "sqlite+aiosqlite:///likeness.db")
    engine = make_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(run_by_hand())
else:
    run(given)
