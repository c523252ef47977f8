"""The service's own PostgreSQL: one pool, one visible Transaction, and what is known about failures.

Doors open a transaction and commit it by leaving the block; verbs receive it and never commit.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

import asyncpg
from asyncpg.connect_utils import SessionAttribute

TRANSIENT_CLASSES = ("08", "53", "57P", "58")
# 28P01 among them: between a password's rotation and the renewal of its mounted file the old one is refused.
TRANSIENT_STATES = {"40P01", "40001", "55P03", "25006", "28P01"}
FAILOVER_STATES = {"25006", "57P01", "57P02", "57P03"}
CONNECT_SECONDS = 5
COMMAND_SECONDS = 30
SESSION = {"idle_in_transaction_session_timeout": "30000", "lock_timeout": "3000", "timezone": "UTC"}


DRIVER_ERRORS = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg itself raises on a connection that is gone; internal ones when it goes in the middle of a prepare."""


class RolledBack(Exception):
    """The block ended well and nothing was stored: an error inside it was swallowed."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction, on asyncpg's connection `raw`."""

    raw: "asyncpg.Connection[Any]"


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later without anybody mending anything."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state in TRANSIENT_STATES or state.startswith(TRANSIENT_CLASSES)
    return isinstance(error, (OSError, TimeoutError, *DRIVER_ERRORS))


def is_failover(error: BaseException) -> bool:
    """Whether the pool's sockets lead to a server that is gone or demoted, which no ping of them would notice."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state in FAILOVER_STATES or state.startswith("08")
    return isinstance(error, (ConnectionError, *DRIVER_ERRORS))


def is_lock_timeout(error: BaseException) -> bool:
    """Whether a row was held by another transaction for longer than `lock_timeout`."""
    return isinstance(error, asyncpg.LockNotAvailableError)


async def _as_it_is(_: object) -> None:
    """Nothing outlives a transaction here (SET LOCAL, transaction locks): a return to the pool costs no round trip."""


class Database:
    """A pool of at most `pool_size` connections, opened when needed; `async with Database(url) as database`.

    `password` is asked at each new connection, so that a rotated one is used; without it the URL's own is.
    """

    is_transient = staticmethod(is_transient)

    def __init__(
        self, url: str, *, pool_size: int = 10, name: str = "waybill", password: Callable[[], str] | None = None
    ) -> None:
        self._url, self._size, self._name, self._password = url, pool_size, name, password

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(
            self._url,
            password=self._password,
            min_size=0,
            max_size=self._size,
            reset=_as_it_is,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            target_session_attrs=SessionAttribute.read_write,
            server_settings={"application_name": self._name, **SESSION},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit when the block ends, roll back when it raises. A failed COMMIT means: outcome unknown."""
        try:
            async with self._pool.acquire(timeout=CONNECT_SECONDS) as pooled:
                raw = cast("asyncpg.Connection[Any]", pooled)
                async with _begun(raw):
                    yield Transaction(raw)
        except BaseException as error:
            if is_failover(error):
                await self._pool.expire_connections()
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
async def _begun(raw: "asyncpg.Connection[Any]") -> AsyncIterator[None]:
    """Plain statements: asyncpg's own transaction object would go on counting after a rollback that it did not make."""
    await raw.execute("BEGIN")
    try:
        yield
        if (outcome := await raw.execute("COMMIT")) != "COMMIT":
            # A statement had failed and somebody swallowed its error: PostgreSQL rolls back and calls it a success.
            raise RolledBack(f"COMMIT answered {outcome}")
    except BaseException:
        await asyncio.shield(_abandon(raw))
        raise


async def _abandon(raw: "asyncpg.Connection[Any]") -> None:
    """Roll back; a connection that cannot is ended, and the pool opens another."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            if raw.is_in_transaction():
                await raw.execute("ROLLBACK")
    except Exception:
        with suppress(Exception):
            raw.terminate()
