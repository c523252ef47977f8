"""Who publishes what: each of 16 shards is owned by one relay, by a session lock on the relay's own connection.

The lock lives as long as the session, so that no transaction stays open while the broker is waited for; and the relay
reads and deletes on this very connection, so that losing the lock and losing the ability to act are the same event.
"""

import math
import random
from collections.abc import Callable
from typing import Any, Self

import asyncpg

from messaging.outbox import SHARDS

NAMESPACE = 0x57415942
"""First key of the locks; the second is the shard, or PRESENCE."""
PRESENCE = 1000
PING_SECONDS = 2.0
LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""How a lost session shows; asyncpg's internal error is a connection that went in the middle of a prepare."""
SESSION = {"idle_session_timeout": "10000", "application_name": "relay"}

COUNT_RELAYS = """
SELECT count(DISTINCT pid) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND classid = $1::bigint::oid AND objid = $2::bigint::oid
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Pooled(Exception):
    """The address leads to a pooler that hands sessions around; session locks would mean nothing there."""


class Shards:
    """The locks of one relay. Lost connection = lost shards: build a new one."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self.connection = connection
        self.held: list[int] = []

    @classmethod
    async def connect(cls, dsn: str, password: Callable[[], str] | None = None) -> Self:
        """Open the relay's own session; raises Pooled when it is none."""
        # A stopped process would keep its locks for ever, hence idle_session_timeout; balance() is the ping.
        options: dict[str, Any] = {"password": password, "server_settings": SESSION}
        connection = await asyncpg.connect(dsn, timeout=5, command_timeout=8, **options)
        if await connection.fetchval("SELECT pg_backend_pid()") != connection.get_server_pid():
            await connection.close()
            raise Pooled("the relay needs a direct connection to PostgreSQL, not one through a pooler")
        await connection.execute("SELECT pg_advisory_lock_shared($1, $2)", NAMESPACE, PRESENCE)
        return cls(connection)

    async def balance(self) -> None:
        """Take up to a fair share, ceil(16 / live relays), and give back what is more."""
        relays = await self.connection.fetchval(COUNT_RELAYS, NAMESPACE, PRESENCE)
        share = math.ceil(SHARDS / max(1, relays))
        while len(self.held) > share:
            await self._release(self.held.pop())
        free = [shard for shard in range(SHARDS) if shard not in self.held]
        random.shuffle(free)
        for shard in free:
            if len(self.held) >= share:
                break
            await self._take(shard)

    async def close(self) -> None:
        """End the session, and with it every lock."""
        self.held.clear()
        try:
            await self.connection.close(timeout=2)
        except LOST:
            self.connection.terminate()

    async def _take(self, shard: int) -> None:
        if await self.connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", NAMESPACE, shard):
            self.held.append(shard)

    async def _release(self, shard: int) -> None:
        await self.connection.execute("SELECT pg_advisory_unlock($1, $2)", NAMESPACE, shard)
