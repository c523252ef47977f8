"""The composition root of role `api`: settings become parts, parts become an application. Telemetry closes last."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
from fastapi import FastAPI

from chassis import settings
from chassis.database import Database, is_transient
from chassis.foundation import opened
from chassis.http import create_app
from chassis.intake import Intake
from chassis.lookup import Lookup
from chassis.server import serve
from chassis.shutdown import Shutdown
from chassis.tokens import KeySet, TokenVerifier
from messaging import Backlog, Outbox
from order_service import NAME, SOURCE, VERSION
from order_service.handlers import HANDLERS
from order_service.owners import Owners
from order_service.repository import Stored
from order_service.routes import Door, router
from order_service.settings import ApiSettings
from order_service.use_cases import Draft, Limits, Orders


def blank() -> FastAPI:
    """The application without its parts: enough for its OpenAPI document."""
    return create_app(NAME, VERSION, [router], description="Places orders and follows them to their end.")


def composed(door: Door, verifier: TokenVerifier) -> FastAPI:
    """The application with its parts."""
    app = blank()
    app.state.door, app.state.token_verifier = door, verifier
    app.state.draining = asyncio.Event()
    return app


@asynccontextmanager
async def opened_door(database: Database, owners: Owners, limits: Limits, backlog_limit: int) -> AsyncIterator[Door]:
    """What the routes work with, its tasks running."""
    orders = Orders(Outbox(SOURCE), limits, HANDLERS)

    async def place(drafts: Sequence[Draft]) -> Sequence[Stored | Exception]:
        async with database.transaction() as tx:
            return await orders.place_orders(tx, drafts)

    backlog = Backlog(database.transaction, is_transient, backlog_limit)
    async with Intake(place) as intake, asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(backlog.run(), name="backlog")
        yield Door(database, orders, intake, owners, backlog)
        watching.cancel()


async def api(shutdown: Shutdown) -> None:
    """Role `api`: HTTP until asked to stop."""
    config = settings.load(ApiSettings)
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(opened(NAME, config, config.migrations_dir))
        client = await stack.enter_async_context(httpx2.AsyncClient())
        verifier = TokenVerifier(KeySet(config.jwks_url, client), config.token_issuer, config.token_audience)
        owners = await stack.enter_async_context(_owners(config))
        limits = Limits(config.order_deadline_seconds, config.pending_limit)
        door = await stack.enter_async_context(opened_door(foundation.database, owners, limits, config.backlog_limit))
        await serve(
            composed(door, verifier),
            host=config.http_host,
            port=config.http_port,
            shutdown=shutdown,
            probes=foundation.probes,
            drain_seconds=config.drain_seconds,
        )


@asynccontextmanager
async def _owners(config: ApiSettings) -> AsyncIterator[Owners]:
    async with (
        Lookup(config.products_url, "inventory-service") as products,
        Lookup(config.users_url, "user-service") as users,
    ):
        yield Owners(products, users)


def print_openapi() -> None:
    """Role `openapi`: the document of this service's HTTP interface."""
    print(json.dumps(blank().openapi(), indent=2))
