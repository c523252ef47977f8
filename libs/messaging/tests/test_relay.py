"""The relay against real PostgreSQL: nothing lost, nothing out of order inside an aggregate, whatever fails."""

import asyncio
import random
from contextlib import asynccontextmanager

from messaging import Outbox, Relay, Unsendable
from messaging.outbox import shard_of

TOPIC = "inventory-events"


@asynccontextmanager
async def relaying(*relays):
    """Relays that run until the block ends."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(relay.run(stop)) for relay in relays]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


def versions(broker, key):
    return [int(dict(r.headers)["ce_aggregateversion"]) for r in broker.records(TOPIC) if r.key == key.encode()]


async def drained(store):
    return await store.column("SELECT count(*) FROM outbox WHERE NOT parked") == [0]


async def test_everything_is_published_once_and_deleted(store, announcement, keys, broker, eventually):
    names = keys(20)
    await store.announce(*(announcement(key, version) for version in (1, 2, 3) for key in names))
    async with relaying(Relay(store.dsn, broker.producer)):
        await eventually(lambda: drained(store))
    assert all(versions(broker, key) == [1, 2, 3] for key in names)


async def test_three_relays_keep_every_aggregate_in_order(store, announcement, keys, broker, eventually):
    names = keys(200)

    class Slow:
        """A producer whose acknowledgements come late and unevenly."""

        def __init__(self):
            self.inner = broker.producer()

        async def start(self):
            await self.inner.start()

        async def stop(self):
            await self.inner.stop()

        async def send_batch(self, records, deadline):
            await asyncio.sleep(random.random() * 0.02)
            return await self.inner.send_batch(records, deadline)

    async def write():
        for version in range(1, 9):
            for start in range(0, len(names), 40):
                await store.announce(*(announcement(key, version) for key in names[start : start + 40]))

    async with relaying(*(Relay(store.dsn, Slow) for _ in range(3))):
        await write()
        await eventually(lambda: drained(store), 30)
    assert all(versions(broker, key) == list(range(1, 9)) for key in names)


async def test_exactly_the_acknowledged_rows_are_deleted(store, announcement, keys, broker, eventually):
    good, bad = keys(2)
    failing = {bad}

    class Picky:
        """Refuses to acknowledge one key, the first time."""

        async def start(self):
            """Connected."""

        async def stop(self):
            """Dropped: the next one is made anew."""
            failing.clear()

        async def send_batch(self, records, deadline):
            out = []
            for record in records:
                lost = record.key.decode() in failing
                out.append(TimeoutError("lost") if lost else await self._sent(record, deadline))
            return out

        async def _sent(self, record, deadline):
            return (await broker.producer().send_batch([record], deadline))[0]

    await store.announce(*(announcement(key, version) for version in (1, 2) for key in (good, bad)))
    async with relaying(Relay(store.dsn, Picky)):
        await eventually(lambda: drained(store))
    assert versions(broker, good) == [1, 2]
    assert versions(broker, bad) == [1, 2]


async def test_an_unsendable_row_parks_its_aggregate_and_nothing_else(store, announcement, keys, broker, eventually):
    stuck, free = keys(2)

    class Choking:
        """Cannot send one key."""

        async def start(self):
            """Connected."""

        async def stop(self):
            """Dropped."""

        async def send_batch(self, records, deadline):
            sent = await broker.producer().send_batch([r for r in records if r.key != stuck.encode()], deadline)
            return [Unsendable("too large") if r.key == stuck.encode() else sent.pop(0) for r in records]

    await store.announce(announcement(stuck, 1), announcement(free, 1))
    async with relaying(Relay(store.dsn, Choking)):
        await eventually(lambda: _parked(store))
        await store.announce(announcement(stuck, 2), announcement(free, 2))
        await eventually(lambda: _published(broker, free, [1, 2]))
    assert await store.column("SELECT count(*) FROM outbox WHERE key = $1", stuck) == [2]


async def _parked(store):
    return await store.column("SELECT count(*) FROM outbox WHERE parked") == [1]


async def _published(broker, key, wanted):
    return versions(broker, key) == wanted


async def test_a_broker_that_was_away_gets_everything_in_order(store, announcement, keys, broker, eventually):
    (key,) = keys(1)
    broker.away = True
    async with relaying(relay := Relay(store.dsn, broker.producer)):
        await store.announce(*(announcement(key, n) for n in range(1, 6)))
        await asyncio.sleep(0.3)
        assert not relay.connected
        broker.away = False
        await eventually(lambda: drained(store))
    assert versions(broker, key) == [1, 2, 3, 4, 5]


async def test_a_lost_session_gives_the_shards_to_another_relay(store, announcement, keys, broker, eventually):
    relay, heir = Relay(store.dsn, broker.producer), Relay(store.dsn, broker.producer)
    async with relaying(relay, heir):
        await eventually(lambda: _connected(relay, heir))
        await store.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'relay'"
            " AND datname = current_database() LIMIT 1"
        )
        names = keys(50)
        await store.announce(*(announcement(key) for key in names))
        await eventually(lambda: drained(store))
    assert all(versions(broker, key)[:1] == [1] for key in names)


async def _connected(*relays):
    return all(relay.connected for relay in relays)


async def test_a_row_that_commits_late_is_not_lost(store, announcement, keys, broker, eventually):
    early = keys(1)[0]
    late = next(key for key in keys(500) if shard_of(key) == shard_of(early))
    async with relaying(Relay(store.dsn, broker.producer)), store.pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await Outbox("/inventory-service").store(slow, [announcement(late)])
        await store.announce(announcement(early))
        await eventually(lambda: _published(broker, early, [1]))
        await transaction.commit()
        await eventually(lambda: _published(broker, late, [1]))


async def test_each_interruption_starts_with_the_shortest_pause(
    store, announcement, keys, broker, eventually, monkeypatch
):
    monkeypatch.setattr("messaging.relay.RECONNECT_SECONDS", (0.01, 60.0))
    (key,) = keys(1)

    class Flaky:
        """Every other batch is lost."""

        batches = 0

        async def start(self):
            """Connected."""

        async def stop(self):
            """Dropped."""

        async def send_batch(self, records, deadline):
            Flaky.batches += 1
            lost = [TimeoutError("lost")] * len(records)
            return lost if Flaky.batches % 2 else await broker.producer().send_batch(records, deadline)

    async with relaying(Relay(store.dsn, Flaky)):
        for version in (1, 2, 3):
            await store.announce(announcement(key, version))
            await eventually(lambda: drained(store))
    assert versions(broker, key) == [1, 2, 3]
