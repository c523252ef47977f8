"""The composition root of the processes without HTTP: role `worker`, and what an operator does about its messages.

Apart from `app`, so that a worker starts without the web framework: a third of its start and of its memory.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from chassis import settings
from chassis.database import Database, is_transient
from chassis.foundation import Foundation, opened
from chassis.shutdown import Shutdown
from messaging import Kafka, Outbox, Relay, operator
from messaging import worker as work
from order_service import NAME, SOURCE
from order_service.handlers import HANDLERS, subscriptions
from order_service.settings import MigrateSettings, WorkerSettings
from order_service.sweeper import Sweeper
from order_service.use_cases import Limits, Orders


async def worker(shutdown: Shutdown) -> None:
    """Role `worker`: consumer, relay and sweeper until asked to stop."""
    config = settings.load(WorkerSettings)
    async with opened(NAME, config, config.migrations_dir, also_required=("kafka",)) as foundation:
        if await foundation.until_schema_ready(shutdown.requested):
            await _work(config, foundation, shutdown.requested)


async def _work(config: WorkerSettings, foundation: Foundation, stop: asyncio.Event) -> None:
    database, wake = foundation.database, asyncio.Event()
    orders = Orders(Outbox(SOURCE, wake), Limits(), HANDLERS)
    timing = config.consumer_session_seconds, config.consumer_heartbeat_seconds
    kafka = Kafka(config.kafka_bootstrap_servers, *timing, config.kafka_tls_files)
    relay = Relay(config.database_url, kafka.producer, wake, password=config.current_password)
    consumer = kafka.consumer(NAME, subscriptions(orders), database.transaction, is_transient)
    chores = (
        Sweeper(orders, consumer, database.transaction, is_transient).run,
        partial(work.keep_partitions, database.transaction, is_transient),
        partial(work.report, foundation.probes, relay, consumer),
    )
    await work.run(stop, relay, consumer, chores)


async def messages(arguments: Sequence[str]) -> int:
    """Role `messages`: what an operator does about dead letters and parked keys; returns the exit code."""
    config = settings.load(MigrateSettings)
    async with Database(config.database_url, pool_size=2, name=f"{NAME} messages") as database:
        orders = Orders(Outbox(SOURCE), Limits(), HANDLERS)
        return await operator.main(arguments, NAME, subscriptions(orders), database.transaction)
