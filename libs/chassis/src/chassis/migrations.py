"""Alembic to head under an advisory lock: the role `migrate`, and nobody else imports it.

Three services may migrate in one process one after the other: nothing here is kept between calls.
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

LOCK = 0x77617962
"""Key of the advisory lock that lets one migration of a database run at a time."""


async def upgrade(url: str, script_location: Path) -> None:
    """Bring the schema to the newest revision; waits while somebody else migrates the same database."""
    # SQLAlchemy would not understand the URL's sslmode; asyncpg does.
    connect = partial(asyncpg.connect, url)
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade, script_location)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, script_location: Path) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


def run_environment(context: Any, metadata: MetaData) -> None:
    """The body of every service's `migrations/env.py`: alembic calls it with its context."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
    context.run_migrations()


def run(url: str, script_location: Path) -> None:
    """`upgrade` for a process that does nothing else."""
    asyncio.run(upgrade(url, script_location))
