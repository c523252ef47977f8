"""The relay: reads outbox rows of its shards in order, publishes them, deletes exactly what was acknowledged.

It owns the produce deadline, since an idempotent producer never gives up by itself. On the first failure it drops the
producer, builds another and reads the shard again: the rows are still there, and a second copy is the same event.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from contracts import Record
from messaging import metrics, spans
from messaging.broker import Producer, Unsendable
from messaging.outbox import load_headers
from messaging.shards import LOST, PING_SECONDS, Pooled, Shards

READ = """
SELECT row.* FROM unnest($1::smallint[]) AS held (shard)
CROSS JOIN LATERAL (
    SELECT id, topic, key, value, headers::text AS headers FROM outbox o
    WHERE o.shard = held.shard AND NOT EXISTS (
        SELECT FROM outbox stuck WHERE stuck.parked AND stuck.topic = o.topic AND stuck.key = o.key)
    ORDER BY id LIMIT $2
) AS row
"""
DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
PARK = "UPDATE outbox SET parked = true, parked_reason = $2 WHERE id = $1"

PRODUCE_SECONDS = 5.0
ROWS_PER_SHARD = 64
BUSY_SECONDS = 0.02
IDLE_SECONDS = 0.25
RECONNECT_SECONDS = (0.1, 0.5, 1.0, 2.0)
FLUSH_SECONDS = 3.0

_LOG = structlog.get_logger("relay")


class ProduceFailed(Exception):
    """At least one record has no acknowledgement; the producer's state is no longer known."""


class Relay:
    """`run` until stopped. `producer` makes a fresh producer; `wake` is set by an Outbox of the same process.

    `password` is asked at each new session, so that a rotated one is used; without it the DSN's own is.
    """

    def __init__(
        self,
        dsn: str,
        producer: Callable[[], Producer],
        wake: asyncio.Event | None = None,
        *,
        deadline: float = PRODUCE_SECONDS,
        password: Callable[[], str] | None = None,
    ) -> None:
        self._dsn, self._password = dsn, password
        self._make, self._deadline = producer, deadline
        self._wake = wake or asyncio.Event()
        self._producer: Producer | None = None
        self._failures = 0
        self.connected = False

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until `stop`, then publish what is left, bounded; survives a database or broker that goes away."""
        while not stop.is_set():
            try:
                await self._session(stop)
            except Pooled:
                raise
            except (*LOST, ProduceFailed) as error:
                _LOG.warning("relay interrupted", error=f"{type(error).__name__}: {error}")
                metrics.RELAY_INTERRUPTIONS.inc()
                pause = RECONNECT_SECONDS[min(self._failures, len(RECONNECT_SECONDS) - 1)]
                self._failures += 1
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
        await self._drop_producer()

    async def _session(self, stop: asyncio.Event) -> None:
        """From taking the locks to losing them."""
        producer = await self._ready_producer()
        shards = await Shards.connect(self._dsn, self._password)
        self.connected = True
        try:
            await self._publish_until(stop, shards, producer)
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    while await self._publish(shards, producer):
                        pass
        finally:
            self.connected = False
            await shards.close()

    async def _publish_until(self, stop: asyncio.Event, shards: Shards, producer: Producer) -> None:
        balanced_at, idle_for = float("-inf"), 0.0
        while not stop.is_set():
            if time.monotonic() - balanced_at > PING_SECONDS:
                await shards.balance()
                balanced_at = time.monotonic()
            self._wake.clear()
            if await self._publish(shards, producer):
                idle_for, self._failures = 0.0, 0
                continue
            idle_for = min(IDLE_SECONDS, max(BUSY_SECONDS, idle_for * 1.5))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), idle_for)

    async def _publish(self, shards: Shards, producer: Producer) -> int:
        """One round over all held shards; returns how many rows were published."""
        rows = await shards.connection.fetch(READ, shards.held, ROWS_PER_SHARD)
        if not rows:
            return 0
        records = [_record(row) for row in rows]
        started = time.perf_counter()
        with spans.producing(records):
            outcomes = await producer.send_batch(records, self._deadline)
        metrics.PRODUCE_SECONDS.observe(time.perf_counter() - started)
        return await self._settle(shards.connection, rows, outcomes)

    async def _settle(
        self,
        connection: "asyncpg.Connection[Any]",
        rows: Sequence[asyncpg.Record],
        outcomes: Sequence[Exception | None],
    ) -> int:
        """Delete exactly the acknowledged ids, park the unsendable, and give up the producer on anything else."""
        acknowledged = [row["id"] for row, outcome in zip(rows, outcomes, strict=True) if outcome is None]
        if acknowledged:
            await connection.execute(DELETE, acknowledged)
            metrics.PUBLISHED.inc(len(acknowledged))
        failed = [(row, outcome) for row, outcome in zip(rows, outcomes, strict=True) if outcome is not None]
        for row, outcome in failed:
            if isinstance(outcome, Unsendable):
                await self._park(connection, row, outcome)
        if failed:
            # Also after an Unsendable: what the client buffered behind it may have overtaken it.
            await self._drop_producer()
            raise ProduceFailed(f"{len(failed)} of {len(rows)} records: {failed[0][1]!r}")
        return len(acknowledged)

    async def _park(self, connection: "asyncpg.Connection[Any]", row: asyncpg.Record, error: Unsendable) -> None:
        """Its aggregate waits from here on; the other aggregates of the shard go on."""
        await connection.execute(PARK, row["id"], str(error)[:500])
        metrics.OUTBOX_PARKED.inc()
        _LOG.error("unsendable event parks its aggregate", topic=row["topic"], key=row["key"], error=str(error))

    async def _ready_producer(self) -> Producer:
        if self._producer is None:
            producer = self._make()
            try:
                await producer.start()
            except Exception as error:
                await producer.stop()
                raise ProduceFailed(f"the broker does not answer: {error}") from error
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer:
            await producer.stop()


def _record(row: asyncpg.Record) -> Record:
    return Record(row["topic"], row["key"].encode(), row["value"], load_headers(row["headers"]))
