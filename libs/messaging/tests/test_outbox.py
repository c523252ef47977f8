"""The outbox: what is stored is what is published, twice the same, and nothing without its transaction."""

import asyncio

import pytest

from contracts import decode
from messaging import Outbox
from messaging.outbox import SHARDS, load_headers, shard_of
from messaging.relay import READ, _record

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


async def test_a_stored_row_is_the_record_byte_for_byte(store, announcement, keys):
    (key,) = keys(1)
    (envelope,) = await store.announce(announcement(key, 3, TRACE))
    row = await store.pool.fetchrow("SELECT * FROM outbox")
    assert decode(_record(row)) == envelope
    assert dict(load_headers(row["headers"]))["traceparent"].decode() == TRACE


async def test_history_keeps_the_event_with_its_trace_and_cause(store, announcement, keys):
    (envelope,) = await store.announce(announcement(keys(1)[0], 1, TRACE))
    row = await store.pool.fetchrow("SELECT * FROM event_history")
    assert (row["event_id"], row["version"], row["trace_id"]) == (envelope.id, 1, "a" * 32)


async def test_a_rollback_takes_the_event_with_it(store, announcement, keys):
    async def fail():
        async with store.transactions() as tx:
            await Outbox("/x").store(tx.raw, [announcement(keys(1)[0])])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await store.column("SELECT count(*) FROM outbox") == [0]
    assert await store.column("SELECT count(*) FROM event_history") == [0]


async def test_ids_rise_in_the_order_of_the_announcements(store, announcement, keys):
    (key,) = keys(1)
    envelopes = await store.announce(*(announcement(key, n) for n in range(1, 40)))
    assert await store.column("SELECT event_id FROM outbox ORDER BY id") == [e.id for e in envelopes]


async def test_the_relay_of_the_same_process_is_woken(store, announcement, keys):
    wake = asyncio.Event()
    await store.announce(announcement(keys(1)[0]), wake=wake)
    assert wake.is_set()


def test_shards_are_stable_and_all_used(keys):
    assert [shard_of("a"), shard_of("b"), shard_of("order-1")] == [3, 9, 15]
    assert {shard_of(key) for key in keys(2000)} == set(range(SHARDS))


async def test_rows_behind_a_parked_one_wait(store, announcement, keys):
    stuck, free = keys(2)
    await store.announce(announcement(stuck, 1), announcement(stuck, 2), announcement(free, 1))
    await store.pool.execute("UPDATE outbox SET parked = true WHERE key = $1 AND id = 1", stuck)
    rows = await store.pool.fetch(READ, list(range(SHARDS)), 10)
    assert [row["key"] for row in rows] == [free]
