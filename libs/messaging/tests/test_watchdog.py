"""The watchdog judges progress: lag that does not move, a member without partitions, and nothing else."""

import asyncio
import time

import pytest

from contracts import Record
from messaging.memory import MemoryBroker
from messaging.watchdog import Watchdog

TOPIC = "t"


@pytest.fixture
def broker():
    return MemoryBroker(2)


async def nothing():
    """A revocation that has nothing to finish."""


def watchdog(source, paused=None):
    return Watchdog(source, paused or {}, "g", 0.05, check=0.02, stuck=0.1)


async def verdict(dog, seconds=0.5):
    try:
        return await asyncio.wait_for(dog.run(), seconds)
    except TimeoutError:
        return None


async def test_lag_that_does_not_move_is_named(broker):
    source = broker.source("g", [TOPIC])
    await source.start(nothing)
    broker.append(Record(TOPIC, b"k", b"", ()))
    assert "has lag and does not move" in await verdict(watchdog(source))


async def test_a_partition_paused_on_purpose_is_not_judged(broker):
    source = broker.source("g", [TOPIC])
    await source.start(nothing)
    place = broker.append(Record(TOPIC, b"k", b"", ()))
    assert await verdict(watchdog(source, {place: 1e12})) is None


async def test_progress_is_healthy(broker):
    source = broker.source("g", [TOPIC])
    await source.start(nothing)
    place = broker.append(Record(TOPIC, b"k", b"", ()))
    await source.commit({place: 1})
    assert await verdict(watchdog(source)) is None


async def test_a_member_that_never_gets_a_partition_is_replaced(broker):
    assert "no partition" in await verdict(watchdog(broker.source("g", [TOPIC])))


async def test_an_idle_member_is_healthy_where_members_outnumber_partitions(broker):
    members = [broker.source("g", [TOPIC]) for _ in range(3)]
    for member in members:
        await member.start(nothing)
    idle = next(member for member in members if not member.assignment())
    assert await verdict(watchdog(idle)) is None


async def test_a_broker_that_is_away_is_no_fault_of_the_client(broker):
    source = broker.source("g", [TOPIC])
    await source.start(nothing)
    broker.append(Record(TOPIC, b"k", b"", ()))
    broker.away = True
    assert await verdict(watchdog(source)) is None


async def test_a_try_after_a_pause_has_time_of_its_own(broker):
    source = broker.source("g", [TOPIC])
    await source.start(nothing)
    place = broker.append(Record(TOPIC, b"k", b"", ()))
    dog = watchdog(source, {place: time.monotonic() + 0.3})
    started = time.monotonic()
    assert "does not move" in await verdict(dog, 2)
    assert time.monotonic() - started > 0.4


async def test_it_is_content_only_with_a_member_that_has_read_everything(broker):
    source = broker.source("g", [TOPIC])
    await source.start(nothing)
    place = broker.append(Record(TOPIC, b"k", b"", ()))
    lagging = watchdog(source)
    await verdict(lagging, 0.08)
    assert not lagging.content
    await source.commit({place: 1})
    done = watchdog(source)
    await verdict(done, 0.08)
    assert done.content
