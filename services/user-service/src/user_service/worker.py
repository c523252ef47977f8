"""The composition root of role `worker`: the relay. Apart from `app`, so that it starts without the web framework."""

from functools import partial

from chassis import settings
from chassis.database import is_transient
from chassis.foundation import opened
from chassis.shutdown import Shutdown
from messaging import Kafka, Relay
from messaging import worker as work
from user_service import NAME
from user_service.settings import WorkerSettings


async def worker(shutdown: Shutdown) -> None:
    """Role `worker`: the relay until asked to stop; this service consumes nothing."""
    config = settings.load(WorkerSettings)
    async with opened(NAME, config, config.migrations_dir, also_required=("kafka",)) as foundation:
        if await foundation.until_schema_ready(shutdown.requested):
            kafka = Kafka(config.kafka_bootstrap_servers, tls_files=config.kafka_tls_files)
            relay = Relay(config.database_url, kafka.producer, password=config.current_password)
            chores = (
                partial(work.keep_partitions, foundation.database.transaction, is_transient),
                partial(work.report, foundation.probes, relay, None),
            )
            await work.run(shutdown.requested, relay, None, chores)
