"""What every role opens first and closes last: logs, telemetry, probes, the database and the readiness it gives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from chassis import logs, revisions, telemetry
from chassis.database import Database
from chassis.probes import Probes
from chassis.settings import DatabaseSettings

CHECK_SECONDS = 1.0
_LOG = structlog.get_logger("foundation")


@dataclass(frozen=True, slots=True)
class Foundation:
    """The opened parts; `schema_ready` is set once the schema is at or past what this code needs."""

    database: Database
    probes: Probes
    schema_ready: asyncio.Event

    async def until_schema_ready(self, stop: asyncio.Event) -> bool:
        """Wait until this code may touch the schema; False when `stop` came first."""
        waits = {asyncio.create_task(event.wait()) for event in (self.schema_ready, stop)}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return not stop.is_set()


@asynccontextmanager
async def opened(
    name: str, settings: DatabaseSettings, script_location: Path, also_required: tuple[str, ...] = ()
) -> AsyncIterator[Foundation]:
    """Open in order, close in reverse, telemetry last."""
    logs.configure(name, settings.log_level)
    async with AsyncExitStack() as stack:
        stack.enter_context(telemetry.started(name, settings.otlp_endpoint, settings.trace_ratio))
        required = ("database", "schema", *also_required)
        probes = await stack.enter_async_context(Probes(settings.probes_host, settings.probes_port, required))
        database = await stack.enter_async_context(pool(name, settings))
        foundation = Foundation(database, probes, asyncio.Event())
        checking = asyncio.create_task(_check(foundation, revisions.head(script_location)), name="readiness")
        stack.callback(checking.cancel)
        yield foundation


def pool(name: str, settings: DatabaseSettings) -> Database:
    """The database that the settings name, still closed."""
    size, password = settings.database_pool_size, settings.current_password
    return Database(settings.database_url, pool_size=size, name=name, password=password)


async def _check(foundation: Foundation, required: str) -> None:
    """Ask the database each second: is it there and writable, and does its schema serve this code?"""
    while True:
        try:
            current = await foundation.database.revision()
        except Exception as error:
            foundation.probes.ready("database", False, type(error).__name__)
        else:
            fits = revisions.at_or_past(current, required)
            foundation.probes.ready("database", True)
            foundation.probes.ready("schema", fits, f"schema is at {current}, this code needs {required}")
            if fits:
                foundation.schema_ready.set()
        await asyncio.sleep(CHECK_SECONDS)
