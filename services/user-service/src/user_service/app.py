"""The composition root of role `api`: settings become parts, parts become an application. Telemetry closes last."""

import json
import sys
from contextlib import AsyncExitStack

from fastapi import FastAPI

from chassis import settings
from chassis.database import Database
from chassis.foundation import opened
from chassis.http import create_app
from chassis.server import serve
from chassis.shutdown import Shutdown
from chassis.tokens import TokenVerifier
from messaging import Outbox
from user_service import NAME, SOURCE, VERSION, oauth, routes
from user_service.door import Door
from user_service.passwords import Passwords
from user_service.settings import ApiSettings
from user_service.signing import NoKeys, SigningKeys
from user_service.use_cases import Tokens, TokenTerms, Users


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


def print_openapi() -> None:
    """Role `openapi`: the document of this service's HTTP interface."""
    print(json.dumps(blank().openapi(), indent=2))
