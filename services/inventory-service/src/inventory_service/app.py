"""The composition root: settings become parts, parts become roles. Stacks unwind in reverse, telemetry last."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import httpx2
from fastapi import FastAPI

from chassis import migrations, settings
from chassis.database import Database, is_transient
from chassis.foundation import Foundation, opened
from chassis.http import create_app
from chassis.server import serve
from chassis.shutdown import Shutdown
from chassis.tokens import KeySet, TokenVerifier
from inventory_service import NAME, VERSION
from inventory_service.handlers import HANDLERS, subscriptions
from inventory_service.routes import Door, router
from inventory_service.settings import ApiSettings, MigrateSettings, WorkerSettings
from inventory_service.use_cases import Inventory
from messaging import Kafka, Outbox, Relay, operator
from messaging import worker as work

SOURCE = f"/{NAME}"


def blank() -> FastAPI:
    """The application without its parts: enough for its OpenAPI document."""
    return create_app(NAME, VERSION, [router], description="The catalogue and its stock.")


def composed(database: Database, verifier: TokenVerifier) -> FastAPI:
    """The application with its parts."""
    app = blank()
    app.state.door = Door(database, Inventory(Outbox(SOURCE), HANDLERS))
    app.state.token_verifier = verifier
    return app


async def api(shutdown: Shutdown) -> None:
    """Role `api`: HTTP until asked to stop."""
    config = settings.load(ApiSettings)
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(opened(NAME, config, config.migrations_dir))
        client = await stack.enter_async_context(httpx2.AsyncClient())
        verifier = TokenVerifier(KeySet(config.jwks_url, client), config.token_issuer, config.token_audience)
        await serve(
            composed(foundation.database, verifier),
            host=config.http_host,
            port=config.http_port,
            shutdown=shutdown,
            probes=foundation.probes,
            drain_seconds=config.drain_seconds,
        )


async def worker(shutdown: Shutdown) -> None:
    """Role `worker`: consumer and relay until asked to stop."""
    config = settings.load(WorkerSettings)
    async with opened(NAME, config, config.migrations_dir, also_required=("kafka",)) as foundation:
        if await foundation.until_schema_ready(shutdown.requested):
            await _work(config, foundation, shutdown.requested)


async def _work(config: WorkerSettings, foundation: Foundation, stop: asyncio.Event) -> None:
    database, wake = foundation.database, asyncio.Event()
    listening = subscriptions(Inventory(Outbox(SOURCE, wake), HANDLERS))
    kafka = Kafka(config.kafka_bootstrap_servers, config.consumer_session_seconds, config.consumer_heartbeat_seconds)
    relay = Relay(config.database_url, kafka.producer, wake)
    consumer = kafka.consumer(NAME, listening, database.transaction, is_transient)
    chores = (
        partial(work.keep_partitions, database.transaction, is_transient),
        partial(work.report, foundation.probes, relay, consumer),
    )
    await work.run(stop, relay, consumer, chores)


def migrate() -> None:
    """Role `migrate`: the schema to its newest revision."""
    config = settings.load(MigrateSettings)
    migrations.run(config.database_url, config.migrations_dir)


async def messages(arguments: Sequence[str]) -> int:
    """Role `messages`: what an operator does about dead letters and parked keys; returns the exit code."""
    config = settings.load(MigrateSettings)
    async with Database(config.database_url, pool_size=2, name=f"{NAME} messages") as database:
        listening = subscriptions(Inventory(Outbox(SOURCE), HANDLERS))
        return await operator.main(arguments, NAME, listening, database.transaction)


def print_openapi() -> None:
    """Role `openapi`: the document of this service's HTTP interface."""
    print(json.dumps(blank().openapi(), indent=2))
