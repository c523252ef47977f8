"""The composition root of role `api`: settings become parts, parts become an application. Telemetry closes last."""

import json
from contextlib import AsyncExitStack

import httpx2
from fastapi import FastAPI

from chassis import settings
from chassis.database import Database
from chassis.foundation import opened
from chassis.http import create_app
from chassis.server import serve
from chassis.shutdown import Shutdown
from chassis.tokens import KeySet, TokenVerifier
from inventory_service import NAME, SOURCE, VERSION
from inventory_service.handlers import HANDLERS
from inventory_service.routes import Door, router
from inventory_service.settings import ApiSettings
from inventory_service.use_cases import Inventory
from messaging import Outbox


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


def print_openapi() -> None:
    """Role `openapi`: the document of this service's HTTP interface."""
    print(json.dumps(blank().openapi(), indent=2))
