"""The inbox: claimed once, partitioned by the event's own day, bounded by the event's own age."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from messaging import inbox

NOW = datetime(2026, 5, 6, 7, 8, tzinfo=UTC)


def id_of(moment):
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | 5)


async def test_an_event_is_claimed_once_per_group(store, new_id):
    events = {new_id(), new_id()}
    async with store.transactions() as tx:
        assert await inbox.claim(tx.raw, "a", events) == events
        assert await inbox.claim(tx.raw, "a", events) == set()
        assert await inbox.claim(tx.raw, "b", events) == events


async def test_rows_lie_in_the_partition_of_their_own_day(store):
    async with store.transactions() as tx:
        await inbox.create_partitions(tx.raw, NOW, days=2)
        await inbox.create_partitions(tx.raw, NOW, days=2)
        await inbox.claim(tx.raw, "a", [id_of(NOW), id_of(NOW + timedelta(days=1)), id_of(NOW - timedelta(days=9))])
    names = await store.column("SELECT tableoid::regclass::text FROM inbox ORDER BY 1")
    assert names == ["inbox_20260506", "inbox_20260507", "inbox_default"]


async def test_a_day_that_lies_in_the_default_partition_stays_there(store):
    async with store.transactions() as tx:
        await inbox.claim(tx.raw, "a", [id_of(NOW)])
        await inbox.create_partitions(tx.raw, NOW, days=1)
    tables = await store.column("SELECT relname FROM pg_class WHERE relname LIKE 'inbox_2%' AND relkind = 'r'")
    assert tables == ["inbox_20260507"]


async def test_days_past_retention_are_dropped_and_no_others(store):
    async with store.transactions() as tx:
        await inbox.create_partitions(tx.raw, NOW - timedelta(days=32), days=3)
        await inbox.drop_partitions(tx.raw, NOW)
    tables = await store.column(
        "SELECT relname FROM pg_class WHERE relname LIKE 'inbox_2%' AND relkind = 'r' ORDER BY 1"
    )
    assert tables == ["inbox_20260406", "inbox_20260407"]


def test_the_age_is_the_events_own():
    assert inbox.too_old(id_of(NOW - timedelta(days=15)), NOW)
    assert not inbox.too_old(id_of(NOW - timedelta(days=13)), NOW)
    assert not inbox.too_old(uuid4(), NOW)
