"""Who is asking: bearer tokens checked in every service, whatever the gateway has checked before.

Keys come from the issuer's JWKS through an asynchronous cache: unknown key ids cost at most one fetch per cooldown, and
while the issuer is down known keys go on working.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, NoReturn, Protocol
from uuid import UUID

import httpx2
import jwt
import structlog
from fastapi import Depends, Request

from chassis.problems import Problem, unavailable

ALGORITHMS = ("RS256", "ES256")
REQUIRED = ("exp", "iat", "aud", "iss", "sub")
FRESH_SECONDS = 300.0
COOLDOWN_SECONDS = 10.0
LEEWAY_SECONDS = 5

_LOG = structlog.get_logger("tokens")


class Unfetched(Exception):
    """The issuer's keys could not be had, and none are known."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller: the token's subject and scopes, and the token itself for calls on the caller's behalf."""

    subject: UUID
    scopes: frozenset[str]
    token: str = field(repr=False)


class Keys(Protocol):
    """Where public keys come from: the issuer's JWKS, or the issuer itself."""

    async def get(self, kid: str) -> jwt.PyJWK | None:
        """The key, None when there is none of this id; raises Unfetched."""


class KeySet:
    """The issuer's public keys by key id. Stale keys are kept when a refresh fails."""

    def __init__(
        self, url: str, client: httpx2.AsyncClient, *, cooldown: float = COOLDOWN_SECONDS, fresh: float = FRESH_SECONDS
    ) -> None:
        self._url, self._client, self._cooldown, self._fresh = url, client, cooldown, fresh
        self._keys: dict[str, jwt.PyJWK] = {}
        self._tried_at = self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, kid: str) -> jwt.PyJWK | None:
        """The key, None when the issuer has no such key; raises Unfetched when nothing is known at all."""
        if kid not in self._keys or time.monotonic() - self._fetched_at > self._fresh:
            async with self._lock:
                if self._due(kid):
                    await self._refresh()
        if not self._keys:
            raise Unfetched
        return self._keys.get(kid)

    def _due(self, kid: str) -> bool:
        """Whether to fetch now; those who waited for the lock find the answer already there."""
        now = time.monotonic()
        wanted = kid not in self._keys or now - self._fetched_at > self._fresh
        # With no key at all, every request would fail for a whole cooldown after a cold start: try each second.
        return wanted and now - self._tried_at >= (self._cooldown if self._keys else min(1.0, self._cooldown))

    async def _refresh(self) -> None:
        self._tried_at = time.monotonic()
        try:
            answer = await self._client.get(self._url, timeout=2)
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        except (httpx2.HTTPError, jwt.PyJWTError, ValueError) as error:
            _LOG.warning("jwks not fetched", url=self._url, error=str(error))
            return
        self._keys = {key.key_id: key for key in keys if key.key_id}
        self._fetched_at = time.monotonic()


class TokenVerifier:
    """Checks signature, algorithm, issuer, audience and times of a token."""

    def __init__(self, keys: Keys, issuer: str, audience: str = "waybill") -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience

    async def verify(self, token: str) -> Principal:
        """The caller; raises a 401 problem for a bad token and 503 when no key can be had."""
        try:
            key = await self._key(token)
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm_name],  # the key's own: a token cannot choose
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": list(REQUIRED)},
            )
            return Principal(UUID(claims["sub"]), frozenset(str(claims.get("scope", "")).split()), token)
        except (jwt.PyJWTError, ValueError) as error:
            raise unauthorized("The access token is not valid.", "invalid_token") from error
        except Unfetched as error:
            raise unavailable("Tokens cannot be verified at the moment.") from error

    async def _key(self, token: str) -> jwt.PyJWK:
        header: dict[str, Any] = jwt.get_unverified_header(token)
        kid = header.get("kid")
        key = await self._keys.get(kid) if isinstance(kid, str) and header.get("alg") in ALGORITHMS else None
        if key is None or key.algorithm_name != header["alg"]:
            raise jwt.InvalidTokenError("no key of ours signed this")
        return key


def unauthorized(detail: str, error: str | None = None) -> Problem:
    """401 with the challenge that RFC 6750 asks for."""
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return Problem(401, "unauthorized", detail, {"WWW-Authenticate": challenge})


async def principal(request: Request) -> Principal:
    """FastAPI dependency: the verified caller; 401 without a bearer token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthorized("Send a bearer token.")
    verifier: TokenVerifier = request.app.state.token_verifier
    return await verifier.verify(token.strip())


Caller = Annotated[Principal, Depends(principal)]


def require_scope(scope: str) -> Callable[..., Any]:
    """FastAPI dependency: the caller, 403 when the token lacks the scope."""

    async def scoped(caller: Caller) -> Principal:
        if scope not in caller.scopes:
            _refuse(scope)
        return caller

    return scoped


def _refuse(scope: str) -> NoReturn:
    challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
    raise Problem(403, "insufficient-scope", f"This needs the scope {scope}.", challenge)
