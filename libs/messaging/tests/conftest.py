"""One database per test with messaging's own tables, a table of effects, and makers of events."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from uuid import UUID, uuid4

import asyncpg
import pytest
import uuid_utils

from contracts import INVENTORY_EVENTS, StockReserved, encode
from messaging import Announcement, Consumer, Outbox, Subscription, parking, schema
from messaging.memory import MemoryBroker
from messaging.parking import Kept

GROUP = "order-service"
EFFECTS = (
    "CREATE TABLE effects (event_id uuid PRIMARY KEY, key text, version int, place bigint GENERATED ALWAYS AS IDENTITY)"
)


@dataclass
class Store:
    """A migrated database: `transactions` opens one, as a service's would."""

    dsn: str
    pool: asyncpg.Pool
    down: bool = False

    @asynccontextmanager
    async def transactions(self):
        if self.down:
            raise ConnectionError("the database is away")
        async with self.pool.acquire() as connection, connection.transaction():
            yield SimpleNamespace(raw=connection)

    async def column(self, query, *arguments):
        return [row[0] for row in await self.pool.fetch(query, *arguments)]

    async def applied(self, key):
        """Versions of a key's effects in the order in which they happened."""
        return await self.column("SELECT version FROM effects WHERE key = $1 ORDER BY place", key)

    async def outcomes(self):
        """Event id -> outcome."""
        return dict(await self.pool.fetch("SELECT event_id, outcome FROM inbox"))

    async def announce(self, *announcements, wake=None):
        async with self.transactions() as tx:
            return await Outbox("/inventory-service", wake).store(tx.raw, announcements)


@pytest.fixture
async def store(database):
    dsn = database()
    async with asyncpg.create_pool(dsn, min_size=1, max_size=6) as pool:
        for statement in (*schema.STATEMENTS, EFFECTS):
            await pool.execute(statement)
        yield Store(dsn, pool)


@pytest.fixture
def announcement():
    """Maker of stock.reserved announcements for a key (an order id) and version."""

    def make(key, version=1, traceparent=None):
        event = StockReserved(order_id=UUID(key))
        return Announcement(event, key, version, None, key, traceparent)

    return make


@pytest.fixture
def keys():
    """Fresh order ids as text."""
    return lambda count: [str(uuid4()) for _ in range(count)]


@dataclass
class Recorder:
    """A verb that stores each event as an effect; `broken` names keys whose events it cannot bear, `stale` versions."""

    broken: set = field(default_factory=set)
    stale: set = field(default_factory=set)
    batches: list = field(default_factory=list)
    error: Exception = field(default_factory=lambda: RuntimeError("cannot bear this key"))

    async def __call__(self, tx, received):
        self.batches.append(len(received))
        for one in received:
            if one.envelope.subject in self.broken:
                raise self.error
            if one.envelope.version not in self.stale:
                row = (one.envelope.id, one.envelope.subject, one.envelope.version)
                await tx.raw.execute("INSERT INTO effects (event_id, key, version) VALUES ($1, $2, $3)", *row)
        return [one.envelope.id for one in received if one.envelope.version in self.stale]


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def subscription(recorder):
    return Subscription(INVENTORY_EVENTS, recorder, frozenset({StockReserved}))


@pytest.fixture
def is_transient():
    return lambda error: isinstance(error, OSError | TimeoutError | asyncpg.DeadlockDetectedError)


@pytest.fixture
def eventually():
    """Waits until an asynchronous condition holds."""

    async def wait(condition, seconds=10):
        async with asyncio.timeout(seconds):
            while not await condition():
                await asyncio.sleep(0.02)

    return wait


@pytest.fixture
def new_id():
    return lambda: UUID(int=uuid_utils.uuid7().int)


@pytest.fixture
def broker():
    return MemoryBroker()


@pytest.fixture
def consuming(store, broker, subscription, is_transient):
    """Runs a consumer for the length of a block."""

    @asynccontextmanager
    async def run(subscriptions=None):
        chosen = subscriptions or [subscription]
        consumer = Consumer(
            GROUP,
            chosen,
            source=lambda: broker.source(GROUP, [s.topic.name for s in chosen]),
            producer=broker.producer,
            transactions=store.transactions,
            is_transient=is_transient,
        )
        stop = asyncio.Event()
        task = asyncio.create_task(consumer.run(stop))
        try:
            yield consumer
        finally:
            stop.set()
            await task

    return run


@pytest.fixture
def publish(store, broker, announcement):
    """Puts events straight onto the topic and returns their envelopes."""

    async def send(key, *versions):
        envelopes = await store.announce(*(announcement(key, version) for version in versions))
        for envelope in envelopes:
            broker.append(encode(envelope))
        return envelopes

    return send


@pytest.fixture
def park(store, announcement):
    """Parks a key with events of these versions."""

    async def run(key, *versions):
        envelopes = await store.announce(*(announcement(key, version) for version in versions))
        kept = [Kept(encode(e), 0, n, e.id, "RuntimeError", "broken", 3) for n, e in enumerate(envelopes)]
        async with store.transactions() as tx:
            await parking.park(tx.raw, GROUP, kept)
        return envelopes

    return run
