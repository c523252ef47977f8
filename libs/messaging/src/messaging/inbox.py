"""The inbox: which events have had their effect. Its row and the effect share a transaction: effects are exactly-once.

Partitioned by the event's own id: a UUIDv7 holds its day. By day of arrival, a redelivery after midnight would be new.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

DAYS_AHEAD = 7
REPLAY_AGE = timedelta(days=14)
"""Older events, by their own date, are never executed: their inbox row may be gone (kept 30 days)."""

RETENTION = timedelta(days=30)

DDL: tuple[str, ...] = (
    """
    CREATE TABLE inbox (
        consumer_group text NOT NULL,
        event_id uuid NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('applied', 'stale', 'parked', 'dead')),
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (consumer_group, event_id)
    ) PARTITION BY RANGE (event_id)
    """,
    "CREATE TABLE inbox_default PARTITION OF inbox DEFAULT",
)

CLAIM = """
INSERT INTO inbox (consumer_group, event_id, outcome)
SELECT $1, id, $3 FROM unnest($2::uuid[]) AS event (id) ORDER BY id
ON CONFLICT DO NOTHING RETURNING event_id
"""
SETTLE = """
INSERT INTO inbox (consumer_group, event_id, outcome)
SELECT $1, id, $3 FROM unnest($2::uuid[]) AS event (id) ORDER BY id
ON CONFLICT (consumer_group, event_id) DO UPDATE SET outcome = excluded.outcome
"""
REVIVE = """
INSERT INTO inbox (consumer_group, event_id, outcome) VALUES ($1, $2, 'applied')
ON CONFLICT (consumer_group, event_id) DO UPDATE SET outcome = excluded.outcome
WHERE inbox.outcome IN ('parked', 'dead') RETURNING event_id
"""


PARTITIONS = """
SELECT relname AS name FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid
WHERE inhparent = 'inbox'::regclass AND relname ~ '^inbox_[0-9]{8}$'
"""


async def claim(
    raw: "asyncpg.Connection[Any]", group: str, events: Collection[UUID], outcome: str = "applied"
) -> set[UUID]:
    """Give the events their first outcome, sorted by id so that two batches cannot deadlock; returns the new ones."""
    return {row["event_id"] for row in await raw.fetch(CLAIM, group, list(events), outcome)}


async def revive(raw: "asyncpg.Connection[Any]", group: str, event: UUID) -> bool:
    """Move `parked` or `dead` to `applied`; False when the event has had its effect already."""
    return await raw.fetchval(REVIVE, group, event) is not None


async def settle(raw: "asyncpg.Connection[Any]", group: str, events: Sequence[UUID], outcome: str) -> None:
    """Write the outcome `applied | stale | parked | dead`, whether there is a row yet or not."""
    if events:
        await raw.execute(SETTLE, group, list(events), outcome)


def too_old(event_id: UUID, now: datetime | None = None) -> bool:
    """Whether a UUIDv7's own date lies before the replay age; ids of other versions have no date and pass."""
    if event_id.version != 7:
        return False
    # Compared as milliseconds, since 48 bits of them reach beyond the last year that a datetime can hold.
    floor = (now or datetime.now(UTC)) - REPLAY_AGE
    return event_id.int >> 80 < floor.timestamp() * 1000


def first_id_of(day: datetime) -> UUID:
    """The smallest UUIDv7 of a day: its upper 48 bits are Unix milliseconds."""
    return UUID(int=int(day.timestamp() * 1000) << 80)


async def create_partitions(raw: "asyncpg.Connection[Any]", now: datetime, days: int = DAYS_AHEAD) -> None:
    """One partition a day, today and `days` ahead, where there is none; the default partition takes the rest."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    # The advisory lock keeps two workers from creating the same table at once.
    await raw.execute("SELECT pg_advisory_xact_lock(hashtext('inbox partitions'))")
    for day in (midnight + timedelta(days=n) for n in range(days + 1)):
        name = f"inbox_{day:%Y%m%d}"
        if await raw.fetchval("SELECT to_regclass($1)", name) is None and not await _in_default(raw, day):
            low, high = first_id_of(day), first_id_of(day + timedelta(days=1))
            await raw.execute(f"CREATE TABLE {name} PARTITION OF inbox FOR VALUES FROM ('{low}') TO ('{high}')")


async def drop_partitions(raw: "asyncpg.Connection[Any]", now: datetime) -> None:
    """Forget whole days that are older than the retention: nothing as old as that is ever executed again."""
    oldest = f"inbox_{now.astimezone(UTC) - RETENTION:%Y%m%d}"
    for row in await raw.fetch(PARTITIONS):
        if row["name"] < oldest:
            await raw.execute(f"DROP TABLE {row['name']}")


async def _in_default(raw: "asyncpg.Connection[Any]", day: datetime) -> bool:
    """Whether the default partition already holds rows of that day, which PostgreSQL would refuse to move."""
    query = "SELECT EXISTS (SELECT FROM inbox_default WHERE event_id >= $1 AND event_id < $2)"
    found: bool = await raw.fetchval(query, first_id_of(day), first_id_of(day + timedelta(days=1)))
    return found
