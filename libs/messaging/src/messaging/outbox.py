"""The outbox: an event is a row in the transaction of its effect. The relay publishes it; the history keeps it.

Id, time, headers (the trace context too) and body are made here, once, and stored: publishing a row again is the same
event. The verb raises its aggregate's version before it stores, so that outbox order is commit order per aggregate.
"""

import asyncio
import json
import zlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import uuid_utils

from contracts import Envelope, Event, Record, encode

SHARDS = 16

DDL: tuple[str, ...] = (
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
        shard smallint NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        event_id uuid NOT NULL,
        value bytea NOT NULL,
        headers jsonb NOT NULL,
        parked boolean NOT NULL DEFAULT false,
        parked_reason text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
            autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
            autovacuum_vacuum_cost_delay = 0)
    """,
    "CREATE INDEX outbox_of_shard ON outbox (shard, id)",
    "CREATE INDEX outbox_parked ON outbox (topic, key) WHERE parked",
    """
    CREATE TABLE event_history (
        event_id uuid PRIMARY KEY,
        topic text NOT NULL,
        key text NOT NULL,
        type text NOT NULL,
        version integer NOT NULL,
        cause_event_id uuid,
        trace_id text,
        written_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
)

INSERT_OUTBOX = """
INSERT INTO outbox (shard, topic, key, event_id, value, headers)
SELECT shard, topic, key, event_id, value, headers::jsonb
FROM unnest($1::smallint[], $2::text[], $3::text[], $4::uuid[], $5::bytea[], $6::text[])
     WITH ORDINALITY AS row (shard, topic, key, event_id, value, headers, place)
ORDER BY place
"""
INSERT_HISTORY = """
INSERT INTO event_history (event_id, topic, key, type, version, cause_event_id, trace_id)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::uuid[], $7::text[])
"""


class Transaction(Protocol):
    """What messaging needs of an open transaction: asyncpg's connection."""

    @property
    def raw(self) -> "asyncpg.Connection[Any]":
        """Inside BEGIN .. COMMIT."""


class Transactions(Protocol):
    """Opens one transaction: commits when the block ends, rolls back when it raises."""

    def __call__(self) -> AbstractAsyncContextManager[Transaction]:
        """A new transaction."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event that a verb wants to become known. `version` counts the aggregate's events from 1."""

    event: Event
    subject: str
    version: int
    cause: UUID | None
    correlation_id: str
    traceparent: str | None


class Outbox:
    """Stores announcements for one source, e.g. `/order-service`; `wake` tells a relay of this process."""

    def __init__(self, source: str, wake: asyncio.Event | None = None) -> None:
        self._source, self._wake = source, wake

    async def store(self, raw: "asyncpg.Connection[Any]", announcements: Sequence[Announcement]) -> list[Envelope]:
        """Insert in the given order, one statement per table; returns what was stored, ids and times included."""
        envelopes = [self._envelope(announcement) for announcement in announcements]
        if envelopes:
            records = [encode(envelope) for envelope in envelopes]
            await raw.execute(INSERT_OUTBOX, *_outbox_columns(envelopes, records))
            await raw.execute(INSERT_HISTORY, *_history_columns(envelopes, records))
            if self._wake:
                self._wake.set()
        return envelopes

    def _envelope(self, announcement: Announcement) -> Envelope:
        return Envelope(
            event=announcement.event,
            id=UUID(int=uuid_utils.uuid7().int),
            source=self._source,
            subject=announcement.subject,
            time=datetime.now(UTC),
            version=announcement.version,
            correlation_id=announcement.correlation_id,
            causation_id=announcement.cause,
            traceparent=announcement.traceparent,
        )


def shard_of(key: str) -> int:
    """The shard that owns an aggregate: computed here, so that no database function has to stay stable."""
    return zlib.crc32(key.encode()) % SHARDS


def dump_headers(record: Record) -> str:
    """Headers as they are stored: `[[name, value], ...]`."""
    return json.dumps([[name, value.decode()] for name, value in record.headers])


def load_headers(stored: str) -> tuple[tuple[str, bytes], ...]:
    """The same headers, byte for byte."""
    return tuple((name, value.encode()) for name, value in json.loads(stored))


def trace_id_of(traceparent: str | None) -> str | None:
    """The second field of a W3C traceparent."""
    return traceparent.split("-")[1] if traceparent else None


def _outbox_columns(envelopes: Sequence[Envelope], records: Sequence[Record]) -> tuple[list[Any], ...]:
    return (
        [shard_of(envelope.subject) for envelope in envelopes],
        [record.topic for record in records],
        [envelope.subject for envelope in envelopes],
        [envelope.id for envelope in envelopes],
        [record.value for record in records],
        [dump_headers(record) for record in records],
    )


def _history_columns(envelopes: Sequence[Envelope], records: Sequence[Record]) -> tuple[list[Any], ...]:
    return (
        [envelope.id for envelope in envelopes],
        [record.topic for record in records],
        [envelope.subject for envelope in envelopes],
        [envelope.type for envelope in envelopes],
        [envelope.version for envelope in envelopes],
        [envelope.causation_id for envelope in envelopes],
        [trace_id_of(envelope.traceparent) for envelope in envelopes],
    )
