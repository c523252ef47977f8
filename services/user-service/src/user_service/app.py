"""The composition root: settings become parts, parts become roles. Stacks unwind in reverse, telemetry last."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from functools import partial

from fastapi import FastAPI

from chassis import migrations, settings
from chassis.database import Database, is_transient
from chassis.foundation import opened
from chassis.http import create_app
from chassis.server import serve
from chassis.shutdown import Shutdown
from chassis.tokens import TokenVerifier
from messaging import Kafka, Outbox, Relay
from messaging import worker as work
from user_service import NAME, VERSION, oauth, routes
from user_service.door import Door
from user_service.passwords import Passwords
from user_service.settings import ApiSettings, MigrateSettings, WorkerSettings
from user_service.signing import NoKeys, SigningKeys
from user_service.use_cases import EmailTaken, Tokens, TokenTerms, Users

SOURCE = f"/{NAME}"
ADMIN_SCOPES = "admin catalog:write"


def blank() -> FastAPI:
    """The application without its parts: enough for its OpenAPI document."""
    return create_app(NAME, VERSION, [routes.router, oauth.router], description="Users and the tokens that name them.")


def composed(database: Database, passwords: Passwords, keys: SigningKeys, terms: TokenTerms) -> FastAPI:
    """The application with its parts."""
    app = blank()
    app.state.door = Door(database, Users(Outbox(SOURCE)), Tokens(keys, terms), keys, passwords)
    app.state.token_verifier = TokenVerifier(keys, terms.issuer, terms.audience)
    app.state.issuer = terms.issuer
    return app


async def api(shutdown: Shutdown) -> None:
    """Role `api`: HTTP until asked to stop."""
    config = settings.load(ApiSettings)
    terms = TokenTerms(config.token_issuer, config.token_audience, config.access_seconds, config.refresh_days)
    try:
        keys = SigningKeys.load(config.signing_keys_dir)
    except NoKeys as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(opened(NAME, config, config.migrations_dir))
        passwords = Passwords()
        stack.callback(passwords.close)
        await serve(
            composed(foundation.database, passwords, keys, terms),
            host=config.http_host,
            port=config.http_port,
            shutdown=shutdown,
            probes=foundation.probes,
            drain_seconds=config.drain_seconds,
        )


async def worker(shutdown: Shutdown) -> None:
    """Role `worker`: the relay until asked to stop; this service consumes nothing."""
    config = settings.load(WorkerSettings)
    async with opened(NAME, config, config.migrations_dir, also_required=("kafka",)) as foundation:
        if await foundation.until_schema_ready(shutdown.requested):
            relay = Relay(config.database_url, Kafka(config.kafka_bootstrap_servers).producer)
            chores = (
                partial(work.keep_partitions, foundation.database.transaction, is_transient),
                partial(work.report, foundation.probes, relay, None),
            )
            await work.run(shutdown.requested, relay, None, chores)


def migrate() -> None:
    """Role `migrate`: the schema to its newest revision, and the first administrator."""
    config = settings.load(MigrateSettings)
    migrations.run(config.database_url, config.migrations_dir)
    if config.admin_email and config.admin_password_file:
        password = config.admin_password_file.read_text(encoding="utf-8").strip()
        asyncio.run(_make_admin(config.database_url, config.admin_email.lower(), password))


async def _make_admin(url: str, email: str, password: str) -> None:
    """Once; an administrator who exists keeps their password."""
    passwords = Passwords()
    hashed = await passwords.hash(password)
    passwords.close()
    async with Database(url, pool_size=1, name=f"{NAME} migrate") as database:
        try:
            async with database.transaction() as tx:
                await Users(Outbox(SOURCE)).register(tx, email, "Administrator", hashed, None, ADMIN_SCOPES)
        except EmailTaken:
            return


def print_openapi() -> None:
    """Role `openapi`: the document of this service's HTTP interface."""
    print(json.dumps(blank().openapi(), indent=2))
