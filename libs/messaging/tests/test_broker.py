"""One suite for both brokers: what handlers' tests learn from the double must hold for Kafka."""

import asyncio
import itertools
from types import SimpleNamespace

import pytest

from contracts import Record, Topic
from devstack import topics
from messaging import KafkaProducer, KafkaSource, Place, Unsendable
from messaging.broker import Unsent
from messaging.memory import MemoryBroker

NUMBER = itertools.count(1)
PARTITIONS = 3


@pytest.fixture(params=["memory", "kafka"])
async def broker(request):
    """A topic of its own; makers of producers and of members of one group."""
    name = f"suite-{next(NUMBER)}"
    if request.param == "memory":
        double = MemoryBroker(PARTITIONS)
        yield SimpleNamespace(topic=name, producer=double.producer, source=lambda: double.source("g", [name]))
        return
    kafka = request.getfixturevalue("kafka")
    await topics.create(kafka.bootstrap, [Topic(name, "any", (), partitions=PARTITIONS)])
    yield SimpleNamespace(
        topic=name,
        producer=lambda: KafkaProducer(kafka.bootstrap),
        source=lambda: KafkaSource(kafka.bootstrap, name, [name], session_seconds=2, heartbeat_seconds=0.5),
    )


async def nothing():
    """A revocation that has nothing to finish."""


async def send(broker, *records):
    producer = broker.producer()
    await producer.start()
    outcomes = await producer.send_batch(records, 10)
    await producer.stop()
    return outcomes


async def joined(broker):
    source = broker.source()
    await source.start(nothing)
    return source


async def take(source, count, seconds=15):
    """Poll until `count` records have come."""
    found = []
    async with asyncio.timeout(seconds):
        while len(found) < count:
            found += await source.poll(0.2, 500)
    return found


def records(broker, count, key=b"k"):
    return [Record(broker.topic, key, str(n).encode(), (("n", str(n).encode()),)) for n in range(count)]


async def test_records_come_in_order_per_key_with_their_headers(broker):
    sent = records(broker, 50)
    assert await send(broker, *sent) == [None] * 50
    source = await joined(broker)
    found = await take(source, 50)
    assert [one.record for one in found] == sent
    assert [one.offset for one in found] == list(range(50))
    await source.stop()


async def test_a_null_value_stays_null(broker):
    await send(broker, Record(broker.topic, b"k", None, ()))
    source = await joined(broker)
    assert (await take(source, 1))[0].record.value is None
    await source.stop()


async def test_what_is_not_committed_comes_again_and_what_is_does_not(broker):
    await send(broker, *records(broker, 4))
    first = await joined(broker)
    found = await take(first, 4)
    await first.commit({found[0].place: 2})
    await first.stop()
    second = await joined(broker)
    assert [one.offset for one in await take(second, 2)] == [2, 3]
    await second.stop()


async def test_ends_and_committed_offsets_cover_every_partition(broker):
    await send(broker, *records(broker, 3))
    source = await joined(broker)
    found = await take(source, 3)
    await source.commit({found[0].place: 3})
    ends, committed = await source.end_offsets(), await source.committed()
    assert set(ends) == set(committed) == {Place(broker.topic, n) for n in range(PARTITIONS)}
    assert ends == committed
    await source.stop()


async def test_a_paused_partition_is_silent_until_resumed_and_a_seek_goes_back(broker):
    await send(broker, *records(broker, 3))
    source = await joined(broker)
    place = (await take(source, 3))[0].place
    source.seek({place: 1})
    source.pause([place])
    assert await source.poll(0.5, 10) == []
    source.resume([place])
    assert [one.offset for one in await take(source, 2)] == [1, 2]
    await source.stop()


async def test_a_poll_brings_no_more_than_asked_for(broker):
    await send(broker, *records(broker, 10))
    source = await joined(broker)
    assert 0 < len(await source.poll(5, 4)) <= 4
    await source.stop()


async def test_a_record_that_is_too_large_is_unsendable_and_a_fresh_producer_goes_on(broker):
    outcomes = await send(broker, Record(broker.topic, b"k", b"x" * 3_000_000, ()))
    assert isinstance(outcomes[0], Unsendable)
    assert await send(broker, *records(broker, 1)) == [None]


async def test_nothing_overtakes_an_unsendable_record_of_its_key(broker):
    large = Record(broker.topic, b"k", b"x" * 3_000_000, ())
    outcomes = await send(broker, large, *records(broker, 1), *records(broker, 1, b"other"))
    assert [type(outcome) for outcome in outcomes] == [Unsendable, Unsent, type(None)]


async def test_two_members_share_the_partitions_and_one_inherits_all(broker):
    first, second = broker.source(), broker.source()
    revoked = asyncio.Event()

    async def note():
        revoked.set()

    await first.start(note)
    while not first.assignment():
        await first.poll(0.2, 1)
    await second.start(nothing)
    async with asyncio.timeout(15):
        while not (first.assignment() and second.assignment() and not first.assignment() & second.assignment()):
            await asyncio.gather(first.poll(0.2, 1), second.poll(0.2, 1))
    assert revoked.is_set()
    assert len(first.assignment() | second.assignment()) == PARTITIONS
    assert await first.members() == 2
    await second.stop()
    async with asyncio.timeout(15):
        while len(first.assignment()) < PARTITIONS:
            await first.poll(0.2, 1)
    await first.stop()
