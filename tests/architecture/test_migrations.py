"""Models say what migrations make: a column, a type or a constraint that differs turns this red."""

import asyncio
import importlib
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from chassis.database import Database
from chassis.migrations import upgrade
from chassis.revisions import head

SERVICES = ("order-service", "inventory-service", "user-service")


@pytest.fixture(params=SERVICES)
def service(request):
    return request.param


async def test_models_and_migrations_agree(root, database, service):
    url = database()
    await upgrade(url, root / "services" / service / "migrations")
    metadata = importlib.import_module(f"{service.replace('-', '_')}.models").Table.metadata

    def ours(item, name, kind, reflected, compare_to):
        return kind != "table" or name in metadata.tables

    def compare(connection):
        options = {"include_object": ours, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()


async def test_two_migrations_at_once_wait_for_each_other(root, database, service):
    url, folder = database(), root / "services" / service / "migrations"
    await asyncio.gather(*(asyncio.to_thread(asyncio.run, upgrade(url, folder)) for _ in range(3)))
    async with Database(url) as opened:
        assert await opened.revision() == head(folder)


def test_revisions_are_numbered_in_order(root):
    for folder in root.glob("services/*/migrations/versions"):
        names = sorted(file.name[:4] for file in Path(folder).glob("[0-9]*.py"))
        assert names == [f"{number:04}" for number in range(1, len(names) + 1)]
