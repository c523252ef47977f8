"""Parking: bytes survive, and no event is stranded when a key is emptied while another event follows into it."""

import asyncio
from dataclasses import replace

from contracts import Record, encode
from messaging import parking
from messaging.parking import COLUMNS, Kept, record_of
from messaging.replay import LOCK, UNPARK

GROUP = "order-service"


async def test_a_record_survives_byte_for_byte(store, new_id):
    record = Record("t", b"\x00\xff", b"\xfe\x00", (("a\x00", b"\x00\xff"), ("a\x00", b"")))
    async with store.transactions() as tx:
        await parking.bury(tx.raw, GROUP, Kept(record, 1, 2, new_id(), "X", "\x00 \ud800", 1))
        row = await tx.raw.fetchrow(f"SELECT {COLUMNS} FROM dead_letters")
    assert record_of(row) == record
    assert row["error_text"] == "\\x00 \\ud800"


async def test_an_event_that_follows_into_a_key_being_emptied_keeps_it_parked(store, park, announcement, keys):
    (key,) = keys(1)
    await park(key, 1)
    (envelope,) = await store.announce(announcement(key, 2))
    place = (GROUP, "inventory-events", key)

    async def follow():
        async with store.transactions() as tx:
            await parking.park(tx.raw, GROUP, [Kept(encode(envelope), 0, 1, envelope.id, "X", "y", 0)])

    async with store.transactions() as tx:
        await tx.raw.execute(LOCK, *place)
        following = asyncio.create_task(follow())
        await asyncio.sleep(0.2)
        await tx.raw.execute(UNPARK, *place)
    await following
    assert await store.column("SELECT key FROM parked_keys") == [key]


async def test_a_rebuilt_projection_may_park_an_event_again(store, announcement, keys):
    (envelope,) = await store.announce(announcement(keys(1)[0]))
    kept = Kept(encode(envelope), 0, 0, envelope.id, "X", "y", 3)
    async with store.transactions() as tx:
        await parking.park(tx.raw, GROUP, [kept])
        await tx.raw.execute("UPDATE dead_letters SET state = 'replayed'")
        await parking.bury(tx.raw, GROUP, kept)
    assert await store.column("SELECT state FROM dead_letters") == ["replayed"]
    async with store.transactions() as tx:
        await parking.park(tx.raw, GROUP, [replace(kept, tries=0)])
    assert await store.column("SELECT state FROM dead_letters") == ["parked"]
