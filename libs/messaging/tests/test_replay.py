"""What operators do: list, show, replay in order, discard; and what they are refused."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from contracts import ORDER_EVENTS, OrderConfirmed, encode
from messaging import Announcement, Subscription, parking
from messaging.parking import Kept
from messaging.replay import Refused, Replay

GROUP = "order-service"


@pytest.fixture
def replay(store, subscription):
    return Replay(GROUP, {subscription.topic.name: subscription}, store.transactions)


async def test_a_parked_key_is_drained_in_order_and_freed(store, replay, park, keys):
    (key,) = keys(1)
    envelopes = await park(key, 1, 2, 3)
    assert await replay.replay(2) == 3
    assert await store.applied(key) == [1, 2, 3]
    assert await store.outcomes() == {e.id: "applied" for e in envelopes}
    assert await store.column("SELECT count(*) FROM parked_keys") == [0]


async def test_a_replay_that_fails_keeps_everything(store, recorder, replay, park, keys):
    (key,) = keys(1)
    await park(key, 1, 2)
    recorder.broken = {key}
    with pytest.raises(Refused, match="still fails: RuntimeError"):
        await replay.replay(1)
    assert await store.column("SELECT state FROM dead_letters") == ["parked", "parked"]
    assert await store.column("SELECT key FROM parked_keys") == [key]


async def test_a_dead_letter_is_applied_once_its_handler_is_repaired(store, replay, announcement, keys):
    (key,) = keys(1)
    (envelope,) = await store.announce(announcement(key))
    async with store.transactions() as tx:
        await parking.bury(tx.raw, GROUP, Kept(encode(envelope), 0, 0, envelope.id, "X", "y", 1))
    assert await replay.replay(1) == 1
    assert await store.applied(key) == [1]
    with pytest.raises(Refused, match="no dead or parked message 1"):
        await replay.replay(1)


async def test_an_unreadable_record_stays_dead_until_it_is_discarded(store, replay, announcement, keys):
    (envelope,) = await store.announce(announcement(keys(1)[0]))
    broken = encode(envelope)._replace(value=b"{")
    async with store.transactions() as tx:
        await parking.bury(tx.raw, GROUP, Kept(broken, 0, 0, envelope.id, "Undecodable", "y", 1))
    with pytest.raises(Refused, match="still cannot be read"):
        await replay.replay(1)
    await replay.discard(1)
    assert await store.column("SELECT state FROM dead_letters") == ["discarded"]


async def test_saga_events_are_never_discarded(store, recorder, keys):
    (key,) = keys(1)
    event = OrderConfirmed(order_id=UUID(key))
    (envelope,) = await store.announce(Announcement(event, key, 2, None, key, None))
    async with store.transactions() as tx:
        await parking.park(tx.raw, GROUP, [Kept(encode(envelope), 0, 0, envelope.id, "X", "y", 3)])
    confirmed = Subscription(ORDER_EVENTS, recorder, frozenset({OrderConfirmed}))
    with pytest.raises(Refused, match="must not be lost"):
        await Replay(GROUP, {"order-events": confirmed}, store.transactions).discard(1)


async def test_discarding_the_last_message_frees_the_key(store, replay, park, keys):
    await park(keys(1)[0], 1)
    await replay.discard(1)
    assert await store.column("SELECT count(*) FROM parked_keys") == [0]


@pytest.fixture
def bury(store, announcement):
    """A dead letter of a key; its value may be unreadable."""

    async def run(key, version=1, value=None):
        (envelope,) = await store.announce(announcement(key, version))
        record = encode(envelope) if value is None else encode(envelope)._replace(value=value)
        async with store.transactions() as tx:
            await parking.bury(tx.raw, GROUP, Kept(record, 0, 0, envelope.id, "X", "y", 1))
        return envelope

    return run


async def test_two_operators_apply_a_dead_letter_once(store, subscription, recorder, bury, keys):
    (key,) = keys(1)
    await bury(key)

    async def slow(tx, received):
        await asyncio.sleep(0.2)
        return await recorder(tx, received)

    both = Replay(GROUP, {"inventory-events": replace(subscription, verb=slow)}, store.transactions)
    done = await asyncio.gather(both.replay(1), both.replay(1), return_exceptions=True)
    assert sorted(map(str, done)) == ["1", "message 1 has been settled meanwhile"]
    assert recorder.batches == [1]


async def test_what_is_being_replayed_cannot_be_discarded(store, subscription, recorder, bury, keys):
    (key,) = keys(1)
    await bury(key)
    inside = asyncio.Event()

    async def slow(tx, received):
        inside.set()
        await asyncio.sleep(0.2)
        return await recorder(tx, received)

    both = Replay(GROUP, {"inventory-events": replace(subscription, verb=slow)}, store.transactions)
    replaying = asyncio.create_task(both.replay(1))
    await inside.wait()
    with pytest.raises(Refused, match="settled meanwhile"):
        await both.discard(1)
    assert await replaying == 1
    assert await store.column("SELECT state FROM dead_letters") == ["replayed"]


async def test_an_effect_that_was_there_before_is_not_made_again(store, replay, recorder, bury, keys):
    envelope = await bury(keys(1)[0])
    await store.pool.execute("UPDATE inbox SET outcome = 'applied' WHERE event_id = $1", envelope.id)
    await replay.replay(1)
    assert recorder.batches == []
    assert await store.column("SELECT state FROM dead_letters") == ["replayed"]


async def test_an_unreadable_letter_never_stands_before_a_parked_key(store, replay, park, bury, keys):
    (key,) = keys(1)
    await bury(key, 1, b"{")
    await park(key, 2)
    with pytest.raises(Refused, match="still cannot be read"):
        await replay.replay(1)
    assert await replay.replay(2) == 1
    assert await store.applied(key) == [2]


async def test_a_dead_letter_of_a_parked_key_is_applied_in_its_place(store, replay, park, bury, keys):
    (key,) = keys(1)
    await bury(key, 1)
    await park(key, 2)
    assert await replay.replay(1) == 2
    assert await store.applied(key) == [1, 2]
    assert await store.column("SELECT count(*) FROM parked_keys") == [0]
