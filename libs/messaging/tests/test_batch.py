"""A worker with one batch: whatever a record holds and whoever else is at work, each event has one outcome."""

from contextlib import asynccontextmanager

import pytest
from aiokafka.errors import KafkaConnectionError

from contracts import Record, encode
from messaging import Delivered
from messaging.batch import Batch, Worker

TOPIC = "inventory-events"
GROUP = "order-service"
FAR = "ffffffff-ffff-7fff-bfff-ffffffffffff"


@pytest.fixture
def apply(store, broker, subscription, is_transient):
    """Runs records through a worker, as one poll would bring them."""

    async def run(*records, transactions=store.transactions):
        worker = Worker(GROUP, subscription, transactions, lambda: broker.producer(), is_transient)
        await worker.apply(Batch([Delivered(record, 0, offset) for offset, record in enumerate(records)]))

    return run


@pytest.fixture
def event(store, announcement, keys):
    """A new event of a new key."""

    async def make():
        (envelope,) = await store.announce(announcement(keys(1)[0]))
        return envelope

    return make


def with_header(record, name, value):
    return record._replace(headers=tuple((n, value if n == name else v) for n, v in record.headers))


@pytest.mark.parametrize(
    "poison",
    [
        Record(TOPIC, b"k", b"{", (("a\x00b", b"\x00\xff"),)),
        Record(TOPIC, b"\x00\xff", b"\x00", ()),
        Record(TOPIC, b"k", None, ()),
        Record(TOPIC, b"k", b"{}", (("ce_specversion", b"\x00"),)),
    ],
)
async def test_poison_of_any_bytes_is_kept_as_it_was(store, apply, event, poison):
    envelope = await event()
    await apply(poison, encode(envelope))
    assert await store.column("SELECT state FROM dead_letters") == ["dead"]
    assert await store.applied(envelope.subject) == [1]


async def test_an_id_beyond_the_last_year_is_no_reason_to_stop(store, apply, event):
    envelope = await event()
    await apply(with_header(encode(envelope), "ce_id", FAR.encode()))
    assert await store.applied(envelope.subject) == [1]


async def test_a_trace_that_does_not_parse_costs_no_event(store, apply, event):
    envelope = await event()
    record = encode(envelope)
    await apply(record._replace(headers=(*record.headers, ("traceparent", b"nonsense1"))))
    assert await store.applied(envelope.subject) == [1]


async def test_an_error_with_any_text_parks_its_key(store, recorder, apply, event):
    envelope = await event()

    class Strange(Exception):
        """Says what PostgreSQL's text does not take."""

        def __str__(self):
            return "NUL \x00 here"

    recorder.error = Strange()
    recorder.broken = {envelope.subject}
    await apply(encode(envelope))
    assert await store.column("SELECT error_text FROM dead_letters") == ["NUL \\x00 here"]


async def test_a_broker_that_cannot_be_reached_while_burying_is_transient(store, broker, apply):
    class Away:
        """Fails as the client does: with an error that knows no OSError."""

        async def start(self):
            raise KafkaConnectionError("away")

        async def stop(self):
            """Nothing to close."""

    broker.producer = Away
    with pytest.raises(ConnectionError, match="did not acknowledge"):
        await apply(Record(TOPIC, b"k", b"{", ()))
    assert await store.column("SELECT count(*) FROM dead_letters") == [0]


async def test_a_burial_leaves_an_earlier_effect_as_it_is(store, apply, event):
    envelope = await event()
    await apply(encode(envelope))
    await apply(encode(envelope)._replace(value=b"{"))
    assert await store.outcomes() == {envelope.id: "applied"}


async def test_an_event_that_the_next_owner_has_applied_is_not_parked(store, recorder, apply, event):
    envelope = await event()
    recorder.broken = {envelope.subject}
    opened = []

    @asynccontextmanager
    async def transactions():
        opened.append(1)
        if len(opened) == 5:  # together, three tries, and now the parking
            row = (GROUP, envelope.id, "applied")
            await store.pool.execute("INSERT INTO inbox (consumer_group, event_id, outcome) VALUES ($1, $2, $3)", *row)
        async with store.transactions() as tx:
            yield tx

    await apply(encode(envelope), transactions=transactions)
    assert len(opened) == 5
    assert await store.outcomes() == {envelope.id: "applied"}
    assert await store.column("SELECT count(*) FROM parked_keys") == [0]


async def test_one_event_twice_in_a_batch_has_one_effect(store, apply, event):
    envelope = await event()
    await apply(encode(envelope), encode(envelope))
    assert await store.applied(envelope.subject) == [1]
