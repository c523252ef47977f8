"""Asking another service over REST on a caller's behalf: with a deadline, bounded retry and a breaker.

Used before a transaction starts, never inside one. Retries live here and nowhere above.
"""

from types import TracebackType
from typing import Any, Self

import httpx2
import stamina
from prometheus_client import Counter

from chassis.breaker import Breaker, Open
from chassis.telemetry import current_traceparent

ANSWERS = Counter("lookup_answers_total", "Look-ups by outcome", ["target", "outcome"])
KEEPALIVE = httpx2.Limits(max_connections=50, keepalive_expiry=30)


class Unavailable(Exception):
    """The other service could not be asked in time."""


class _Retryable(Exception):
    """Worth one more try: no answer, or 5xx."""


class Lookup:
    """GETs of one service. `deadline` is seconds per try."""

    def __init__(
        self,
        base_url: str,
        name: str,
        *,
        deadline: float = 1.0,
        attempts: int = 2,
        breaker: Breaker | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._name, self._attempts = name, attempts
        self._breaker = breaker or Breaker(name)
        self._client = httpx2.AsyncClient(base_url=base_url, timeout=deadline, limits=KEEPALIVE, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, path: str, token: str) -> dict[str, Any] | None:
        """The JSON object, None for 404; raises Unavailable."""
        try:
            answer = await self._ask(path, token)
        except (Open, _Retryable) as error:
            ANSWERS.labels(self._name, "unavailable").inc()
            raise Unavailable(f"{self._name} does not answer") from error
        ANSWERS.labels(self._name, str(answer.status_code)).inc()
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return None
        if answer.is_error:
            raise Unavailable(f"{self._name} answered {answer.status_code}")
        found: dict[str, Any] = answer.json()
        return found

    async def _ask(self, path: str, token: str) -> httpx2.Response:
        retries = stamina.retry_context(on=_Retryable, attempts=self._attempts, wait_initial=0.05, wait_max=0.2)
        async for attempt in retries:
            with attempt:
                return await self._try(path, token)
        raise AssertionError  # stamina either returned or raised

    async def _try(self, path: str, token: str) -> httpx2.Response:
        self._breaker.check()
        headers = {"authorization": f"Bearer {token}"}
        if traceparent := current_traceparent():
            headers["traceparent"] = traceparent
        try:
            answer = await self._client.get(path, headers=headers)
        except httpx2.HTTPError as error:
            self._breaker.failed()
            raise _Retryable from error
        if answer.is_server_error:
            self._breaker.failed()
            raise _Retryable
        self._breaker.succeeded()
        return answer
