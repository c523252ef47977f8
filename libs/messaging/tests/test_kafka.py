"""Where only Kafka itself can misbehave: null headers, logs that expired, and a broker that stops answering."""

import itertools
import os
import signal
import time
from contextlib import asynccontextmanager, contextmanager

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from contracts import Record, Topic
from devstack import topics
from messaging import KafkaProducer, KafkaSource, Place

NUMBER = itertools.count(1)


@pytest.fixture
async def topic(kafka):
    name = f"kafka-{next(NUMBER)}"
    await topics.create(kafka.bootstrap, [Topic(name, "any", (), partitions=1)])
    return name


@asynccontextmanager
async def joined(kafka, topic):
    async def nothing():
        """A revocation that has nothing to finish."""

    source = KafkaSource(kafka.bootstrap, topic, [topic])
    await source.start(nothing)
    try:
        yield source
    finally:
        await source.stop()


@contextmanager
def stopped(kafka):
    """The broker keeps its sockets and says nothing."""
    os.kill(kafka.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(kafka.pid, signal.SIGCONT)


async def write(kafka, topic, count):
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    for _ in range(count):
        await producer.send_and_wait(topic, b"v", headers=[("n", None)])
    await producer.stop()


async def first(source):
    while not (found := await source.poll(0.2, 10)):
        pass
    return found[0]


async def test_null_keys_and_header_values_read_as_empty(kafka, topic):
    await write(kafka, topic, 1)
    async with joined(kafka, topic) as source:
        assert (await first(source)).record == Record(topic, b"", b"v", (("n", b""),))


async def test_what_expired_before_the_group_came_is_no_lag(kafka, topic):
    await write(kafka, topic, 5)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(5)})
    await admin.close()
    async with joined(kafka, topic) as source:
        assert await source.committed() == await source.end_offsets() == {Place(topic, 0): 5}


async def test_a_commit_without_answer_is_bounded_and_paid_later(kafka, topic):
    await write(kafka, topic, 1)
    async with joined(kafka, topic) as source:
        place = (await first(source)).place
        with stopped(kafka):
            started = time.monotonic()
            await source.commit({place: 1})
            assert time.monotonic() - started < 4
        for _ in range(20):
            await source.poll(0.1, 10)
        assert await source.committed() == {place: 1}


async def test_a_batch_without_answer_is_bounded_and_a_new_producer_sends_it(kafka, topic):
    producer = KafkaProducer(kafka.bootstrap)
    await producer.start()
    with stopped(kafka):
        started = time.monotonic()
        (outcome,) = await producer.send_batch([Record(topic, b"k", b"v", ())], 1)
        await producer.stop()
        assert isinstance(outcome, TimeoutError)
        assert time.monotonic() - started < 5
    fresh = KafkaProducer(kafka.bootstrap)
    await fresh.start()
    assert await fresh.send_batch([Record(topic, b"k", b"v", ())], 5) == [None]
    await fresh.stop()
