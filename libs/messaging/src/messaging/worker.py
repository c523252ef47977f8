"""What a worker process runs: consumer, relay and chores side by side, stopped in the order that loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

import structlog

from messaging import inbox
from messaging.consumer import Consumer
from messaging.outbox import Transactions
from messaging.relay import Relay

PARTITION_SECONDS = 3600.0
RETRY_SECONDS = 5.0
REPORT_SECONDS = 1.0
_LOG = structlog.get_logger("worker")


async def run(
    stop: asyncio.Event, relay: Relay, consumer: Consumer | None, chores: Sequence[Callable[[], Awaitable[None]]]
) -> None:
    """Until `stop`: then the consumer finishes its batch and leaves, and the relay publishes what that batch announced.

    An exception that nobody expected ends the process: its supervisor starts a clean one.
    """
    consumed = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_until_stopped(chore)) for chore in chores]
        tasks.create_task(relay.run(consumed), name="relay")
        if consumer:
            await tasks.create_task(consumer.run(stop), name="consumer")
        else:
            await stop.wait()
        for task in running:
            task.cancel()
        consumed.set()


async def _until_stopped(chore: Callable[[], Awaitable[None]]) -> None:
    with suppress(asyncio.CancelledError):
        await chore()


class Probes(Protocol):
    """Where readiness and liveness are reported; chassis has one."""

    def ready(self, name: str, ok: bool, reason: str = ...) -> None:
        """Report one of the required things."""

    def alive(self, name: str, ok: bool, reason: str = ...) -> None:
        """Report a watchdog's judgement of this process."""


async def report(probes: Probes, relay: Relay, consumer: Consumer | None) -> None:
    """Chore: tell the probes each second whether Kafka serves us, and whether the watchdog has given up."""
    while True:
        missing = [name for name, part in (("relay", relay), ("consumer", consumer)) if part and not part.connected]
        probes.ready("kafka", not missing, f"{' and '.join(missing)} not connected")
        probes.alive("consumer", consumer is None or consumer.healthy, "rebuilt and still without progress")
        await asyncio.sleep(REPORT_SECONDS)


async def keep_partitions(transactions: Transactions, is_transient: Callable[[BaseException], bool]) -> None:
    """Chore: make the inbox's partitions a week ahead and drop those past retention, each hour."""
    while True:
        try:
            async with transactions() as tx:
                await inbox.create_partitions(tx.raw, datetime.now(UTC))
                await inbox.drop_partitions(tx.raw, datetime.now(UTC))
            await asyncio.sleep(PARTITION_SECONDS)
        except Exception as error:
            if not is_transient(error):
                raise
            _LOG.warning("partitions not made", error=str(error))
            await asyncio.sleep(RETRY_SECONDS)
