"""The service's own PostgreSQL: one pool, one visible Transaction, and what is known about failures.

Doors open a transaction and commit it by leaving the block; verbs receive it and never commit.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

TRANSIENT_CLASSES = ("08", "53", "57P", "58")
TRANSIENT_STATES = {"40P01", "40001", "55P03", "25006"}
FAILOVER_STATES = {"25006", "57P01", "57P02", "57P03"}
CONNECT_SECONDS = 5
COMMAND_SECONDS = 30
SESSION = {"idle_in_transaction_session_timeout": "30000", "lock_timeout": "3000", "timezone": "UTC"}


class RolledBack(Exception):
    """The block ended well and nothing was stored: an error inside it was swallowed."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction. `raw` (asyncpg) and `connection` (SQLAlchemy) speak through the same socket."""

    connection: AsyncConnection
    raw: "asyncpg.Connection[Any]"


def cause_of(error: BaseException) -> BaseException:
    """The driver's error behind SQLAlchemy's wrapping; the error itself when it is not wrapped."""
    while isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig.__cause__ or error.orig
    return error


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later without anybody mending anything."""
    cause = cause_of(error)
    if isinstance(cause, asyncpg.PostgresError):
        state = cause.sqlstate or ""
        return state in TRANSIENT_STATES or state.startswith(TRANSIENT_CLASSES)
    return isinstance(cause, OSError | TimeoutError | asyncpg.InterfaceError)


def is_failover(error: BaseException) -> bool:
    """Whether the pool's sockets lead to a server that is gone or demoted. A pre-ping does not notice a demotion."""
    cause = cause_of(error)
    if isinstance(cause, asyncpg.PostgresError):
        state = cause.sqlstate or ""
        return state in FAILOVER_STATES or state.startswith("08")
    return isinstance(cause, ConnectionError | asyncpg.InterfaceError)


def is_lock_timeout(error: BaseException) -> bool:
    """Whether a row was held by another transaction for longer than `lock_timeout`."""
    return isinstance(cause_of(error), asyncpg.LockNotAvailableError)


class Database:
    """A pool of `pool_size` connections; `async with Database(url) as database`."""

    is_transient = staticmethod(is_transient)

    def __init__(self, url: str, *, pool_size: int = 10, name: str = "waybill") -> None:
        self._engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            # Transaction owns BEGIN and COMMIT on asyncpg's own connection. SQLAlchemy's begin() is lazy: a raw
            # statement sent before its first own one would survive a rollback.
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=CONNECT_SECONDS,
            connect_args={
                "timeout": CONNECT_SECONDS,
                "command_timeout": COMMAND_SECONDS,
                "target_session_attrs": "read-write",
                "server_settings": {"application_name": name, **SESSION},
            },
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit when the block ends, roll back when it raises. A failed COMMIT means: outcome unknown."""
        try:
            async with self._engine.connect() as connection:
                pooled = await connection.get_raw_connection()
                raw = cast("asyncpg.Connection[Any]", pooled.driver_connection)
                async with _begun(connection, raw):
                    yield Transaction(connection, raw)
        except BaseException as error:
            if is_failover(error):
                await self._engine.dispose()
            raise

    async def ping(self) -> None:
        """Raises when the database cannot be written."""
        async with self.transaction() as tx:
            await tx.raw.fetchval("SELECT 1")

    async def revision(self) -> str | None:
        """The schema's revision; None before the first migration."""
        async with self.transaction() as tx:
            if await tx.raw.fetchval("SELECT to_regclass('alembic_version')") is None:
                return None
            revision: str | None = await tx.raw.fetchval("SELECT version_num FROM alembic_version")
            return revision


@asynccontextmanager
async def _begun(connection: AsyncConnection, raw: "asyncpg.Connection[Any]") -> AsyncIterator[None]:
    """Plain statements: asyncpg's own transaction object would go on counting after a rollback that it did not make."""
    await raw.execute("BEGIN")
    try:
        yield
        if (outcome := await raw.execute("COMMIT")) != "COMMIT":
            # A statement had failed and somebody swallowed its error: PostgreSQL rolls back and calls it a success.
            raise RolledBack(f"COMMIT answered {outcome}")
    except BaseException:
        await asyncio.shield(_abandon(connection, raw))
        raise


async def _abandon(connection: AsyncConnection, raw: "asyncpg.Connection[Any]") -> None:
    """Roll back; a connection that cannot is thrown away, since the pool's own reset does nothing in AUTOCOMMIT."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            if raw.is_in_transaction():
                await raw.execute("ROLLBACK")
    except Exception:
        with suppress(Exception):
            raw.terminate()
        await connection.invalidate()
