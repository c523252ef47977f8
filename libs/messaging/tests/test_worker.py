"""The worker process: parts side by side, stopped in the order that loses nothing."""

import asyncio

import pytest

from messaging import Relay, worker


class Consumer:
    """Announces something at the very end, as a last batch does."""

    connected, healthy = True, True

    def __init__(self, last):
        self.last = last

    async def run(self, stop):
        await stop.wait()
        await self.last()


async def test_what_the_last_batch_announced_is_published(store, broker, announcement, keys, eventually):
    stop, relay, ended = asyncio.Event(), Relay(store.dsn, broker.producer), []

    async def chore():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("chore")

    async def connected():
        return relay.connected

    consumer = Consumer(lambda: store.announce(announcement(keys(1)[0])))
    running = asyncio.create_task(worker.run(stop, relay, consumer, [chore]))
    await eventually(connected)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert len(broker.records("inventory-events")) == 1
    assert ended == ["chore"]


async def test_an_error_that_nobody_expected_ends_the_process(store, broker):
    async def broken():
        raise ValueError("nobody expected this")

    with pytest.raises(ExceptionGroup) as raised:
        await asyncio.wait_for(worker.run(asyncio.Event(), Relay(store.dsn, broker.producer), None, [broken]), 5)
    assert raised.group_contains(ValueError, match="nobody expected")


async def test_probes_hear_who_is_missing():
    said = []

    class Probes:
        """Notes what is reported."""

        def ready(self, name, ok, reason=""):
            said.append((name, ok, reason))

        def alive(self, name, ok, reason=""):
            said.append((name, ok))

    relay, consumer = Relay("", None), Consumer(None)
    consumer.healthy = False
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(worker.report(Probes(), relay, consumer), 0.05)
    assert said == [("kafka", False, "relay not connected"), ("consumer", False)]


async def test_partitions_are_made_once_the_database_is_back(store, is_transient, eventually, monkeypatch):
    monkeypatch.setattr(worker, "RETRY_SECONDS", 0.01)
    store.down = True
    chore = asyncio.create_task(worker.keep_partitions(store.transactions, is_transient))
    await asyncio.sleep(0.05)
    store.down = False

    async def made():
        query = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'inbox'::regclass"
        return await store.column(query) == [9]

    await eventually(made)
    chore.cancel()
    await asyncio.gather(chore, return_exceptions=True)
