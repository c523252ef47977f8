"""The consumer on the double and real PostgreSQL: every outcome of every event, and trouble that passes."""

import asyncio
from functools import partial

import pytest

from contracts import INVENTORY_EVENTS, OrderConfirmed, Record, StockReserved, encode
from messaging import Announcement, Subscription
from messaging.watchdog import Watchdog

TOPIC = "inventory-events"
GROUP = "order-service"


async def idle(consumer):
    assert await consumer.catch_up(15)


async def test_events_are_applied_in_order_and_remembered(store, consuming, publish, keys):
    (key,) = keys(1)
    envelopes = await publish(key, 1, 2, 3)
    async with consuming() as consumer:
        await idle(consumer)
    assert await store.applied(key) == [1, 2, 3]
    assert await store.outcomes() == {e.id: "applied" for e in envelopes}


async def test_a_second_delivery_changes_nothing(store, broker, consuming, publish, keys):
    (key,) = keys(1)
    (envelope,) = await publish(key, 1)
    broker.append(encode(envelope))
    async with consuming() as consumer:
        await idle(consumer)
        broker.append(encode(envelope))
        await idle(consumer)
    assert await store.applied(key) == [1]


async def test_what_the_verb_calls_stale_is_remembered_so(store, recorder, consuming, publish, keys):
    (key,) = keys(1)
    recorder.stale = {2}
    envelopes = await publish(key, 1, 2)
    async with consuming() as consumer:
        await idle(consumer)
    assert (await store.outcomes())[envelopes[1].id] == "stale"


async def test_poison_becomes_a_dead_letter_and_the_next_record_proceeds(store, broker, consuming, publish, keys):
    (key,) = keys(1)
    broker.append(Record(TOPIC, key.encode(), b"\x00not json", (("ce_id", b"x"),)))
    await publish(key, 1)
    async with consuming() as consumer:
        await idle(consumer)
    assert await store.applied(key) == [1]
    (letter,) = broker.records(f"{GROUP}.dead-letters")
    assert dict(letter.headers)["dead_letter_error_class"] == b"Undecodable"
    assert letter.value == b"\x00not json"
    assert await store.column("SELECT state FROM dead_letters") == ["dead"]


async def test_a_failing_handler_parks_its_key_and_later_events_follow(store, recorder, consuming, publish, keys):
    bad, good = keys(2)
    recorder.broken = {bad}
    await publish(bad, 1)
    await publish(good, 1)
    async with consuming() as consumer:
        await idle(consumer)
        recorder.broken = set()
        await publish(bad, 2)
        await publish(good, 2)
        await idle(consumer)
    assert await store.applied(good) == [1, 2]
    assert await store.applied(bad) == []
    assert await store.column("SELECT key FROM parked_keys") == [bad]
    assert await store.column("SELECT tries FROM dead_letters ORDER BY id") == [3, 0]


async def test_one_bad_of_fifty_harms_no_other(store, recorder, consuming, publish, keys):
    names = keys(50)
    recorder.broken = {names[17]}
    for key in names:
        await publish(key, 1)
    async with consuming() as consumer:
        await idle(consumer)
    assert await store.column("SELECT count(*) FROM effects") == [49]
    assert list((await store.outcomes()).values()).count("parked") == 1


async def test_a_database_that_is_away_pauses_and_loses_nothing(store, broker, consuming, publish, keys, eventually):
    (key,) = keys(1)
    async with consuming() as consumer:
        await eventually(lambda: _connected(consumer))
        envelopes = await publish(key, 1, 2)
        store.down = True
        await asyncio.sleep(0.6)
        before = consumer.recoveries
        store.down = False
        await idle(consumer)
        assert consumer.recoveries > before
    assert await store.applied(key) == [1, 2]
    assert set((await store.outcomes()).values()) == {"applied"}
    assert len(envelopes) == 2
    assert broker.records(f"{GROUP}.dead-letters") == []


async def _connected(consumer):
    return consumer.connected


async def test_a_dead_letter_waits_for_a_broker_that_is_away(store, broker, consuming, keys):
    broker.append(Record(TOPIC, b"k", b"{", ()))
    made = broker.producer

    class Failing:
        """The dead-letter topic does not answer once."""

        calls = 0

        async def start(self):
            """Connected."""

        async def stop(self):
            """Dropped."""

        async def send_batch(self, records, deadline):
            Failing.calls += 1
            return [TimeoutError()] if Failing.calls == 1 else await made().send_batch(records, deadline)

    broker.producer = Failing
    async with consuming() as consumer:
        await idle(consumer)
    assert Failing.calls == 2
    assert await store.column("SELECT state FROM dead_letters") == ["dead"]


async def test_known_types_without_a_handler_are_ignored(store, broker, consuming, new_id):
    order = new_id()
    envelope = (await store.announce(_announcement(order)))[0]
    broker.append(encode(envelope)._replace(topic=TOPIC))
    async with consuming() as consumer:
        await idle(consumer)
    assert await store.outcomes() == {}


def _announcement(order):
    return Announcement(OrderConfirmed(order_id=order), str(order), 1, None, str(order), None)


async def test_an_event_older_than_the_inbox_remembers_is_never_executed(store, broker, consuming, publish, keys):
    (key,) = keys(1)
    (envelope,) = await publish(keys(1)[0], 1)
    old = "01000000-0000-7000-8000-000000000001"
    record = encode(envelope)
    headers = tuple((n, old.encode() if n == "ce_id" else v) for n, v in record.headers)
    broker.append(record._replace(headers=headers, key=key.encode()))
    async with consuming() as consumer:
        await idle(consumer)
    assert await store.column("SELECT error_class FROM dead_letters") == ["TooOld"]


async def test_a_projection_needs_no_inbox_and_takes_tombstones(store, broker, recorder, consuming, publish, keys):
    (key,) = keys(1)
    broker.append(Record(TOPIC, b"gone", None, ()))
    await publish(key, 1)
    projection = Subscription(INVENTORY_EVENTS, recorder, frozenset({StockReserved}), projection=True)
    async with consuming([projection]) as consumer:
        await idle(consumer)
    assert await store.applied(key) == [1]
    assert await store.outcomes() == {}
    assert await store.column("SELECT count(*) FROM dead_letters") == [0]


async def test_a_member_that_joins_does_not_disturb_a_batch_under_way(store, broker, consuming, publish, keys):
    for key in keys(30):
        await publish(key, 1, 2)
    async with consuming() as one, consuming() as other:
        await idle(one)
        await idle(other)
    assert await store.column("SELECT count(*) FROM effects") == [60]
    assert len(await store.outcomes()) == 60


async def _eventual(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
def hasty(monkeypatch):
    """A watchdog that judges in fractions of a second."""
    monkeypatch.setattr("messaging.consumer.Watchdog", partial(Watchdog, check=0.02, stuck=0.2))


async def test_a_silent_source_is_replaced_and_nothing_is_lost(store, broker, consuming, publish, keys, hasty):
    (key,) = keys(1)
    await publish(key, 1)
    made, health = broker.source, []

    def silent_at_first(group, topics):
        source = made(group, topics)
        if not health:
            source.poll = _silence
        health.append(consumer.healthy)
        return source

    broker.source = silent_at_first
    async with consuming() as consumer:
        await idle(consumer)
        await _eventual(lambda: consumer.healthy)
        assert consumer.recoveries == 1
    assert health == [True, False]
    assert await store.applied(key) == [1]


async def _silence(seconds, limit):
    await asyncio.sleep(seconds)
    return []


async def test_a_rebuilt_consumer_with_nothing_to_read_is_healthy(broker, consuming, hasty):
    async with consuming() as consumer:
        await _eventual(lambda: consumer.connected)
        consumer.healthy = False
        await _eventual(lambda: consumer.healthy)


async def test_catching_up_outlives_a_broker_that_goes_away(broker, consuming, publish, keys):
    await publish(keys(1)[0], 1)
    async with consuming() as consumer:
        await _eventual(lambda: consumer.connected)
        broker.away = True
        waiting = asyncio.create_task(consumer.catch_up(10))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        broker.away = False
        assert await waiting
        broker.away = True
        assert not await consumer.catch_up(0.2)
