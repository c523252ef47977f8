"""The shop as a customer's program sees it: HTTP through the gateway, with the one retry that is always safe.

A request without an answer is sent again with the same Idempotency-Key: whatever became of the first one, the order
exists once.
"""

import asyncio
import itertools
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

import httpx2

from devstack.demo.baskets import Basket, Product
from devstack.demo.client_log import ClientLog
from devstack.errors import StageError

RETRIED = frozenset({None, 409, 429, 502, 503, 504})
PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
PATIENCE_SECONDS = 120.0
"""Twice the longest time for which `make demo FOR=60 KILL=2` keeps a slow machine busy with restarts."""
WAIT_SECONDS = 30
CONNECTIONS = 200


@dataclass(frozen=True, slots=True)
class Customer:
    """A logged-in user."""

    id: str
    token: str


class Refused(StageError):
    """The shop said no to something that had to succeed."""


class Shop:
    """A client of one gateway; `async with Shop(url, log)`."""

    def __init__(self, gateway: str, log: ClientLog) -> None:
        limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._client = httpx2.AsyncClient(base_url=gateway, timeout=WAIT_SECONDS + 10, limits=limits)
        self._log = log
        self.retries = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def register(self, email: str, name: str, password: str) -> Customer:
        """A new customer, logged in."""
        body = {"email": email, "name": name, "password": password}
        user = _json(await self._sure("POST", "/users", json=body), 201, 409)
        return await self.log_in(email, password, user.get("id", ""))

    async def log_in(self, email: str, password: str, user_id: str = "") -> Customer:
        """With a password."""
        form = {"grant_type": "password", "username": email, "password": password}
        return Customer(user_id, _json(await self._sure("POST", "/oauth/token", data=form), 200)["access_token"])

    async def list_product(self, keeper: Customer, product: Product, pieces: int) -> None:
        """Put it into the catalogue and restock it."""
        path = f"/products/{quote(product.sku, safe='')}"
        body = {"name": product.name, "price_minor": product.price_minor, "currency": product.currency}
        _json(await self._sure("PUT", path, keeper, json={**body, "active": True}), 200)
        for part in _parts(pieces):
            key = {"idempotency-key": str(uuid4())}
            _json(await self._sure("POST", f"{path}/restocks", keeper, headers=key, json={"quantity": part}), 201)

    async def place(self, customer: Customer, key: str, basket: Basket) -> tuple[dict[str, Any], float]:
        """The accepted order, and seconds from the last attempt's first byte to its answer."""
        body = {"items": [{"sku": sku, "quantity": quantity} for sku, quantity in basket.items()]}
        deadline = time.monotonic() + PATIENCE_SECONDS
        for number in itertools.count(1):
            began = time.perf_counter()
            answer = await self._once("POST", "/orders", customer, headers={"idempotency-key": key}, json=body)
            took = time.perf_counter() - began
            order = answer.json() if answer is not None and answer.status_code == 201 else {}
            self._log.attempt(customer.id, key, number, _status(answer), order.get("id"))
            if _status(answer) not in RETRIED or time.monotonic() > deadline:
                accepted: dict[str, Any] = _json(answer, 201)
                return accepted, took
            await self._pause(number)
        raise AssertionError

    async def follow(self, customer: Customer, order_id: str, until_terminal: bool = True) -> dict[str, Any]:
        """The order once it is decided, or as it is now."""
        prefer = {"prefer": f"wait={WAIT_SECONDS}"} if until_terminal else {}
        while True:
            answer = await self._sure("GET", f"/orders/{order_id}", customer, headers=prefer)
            order: dict[str, Any] = _json(answer, 200)
            if order["status"] != "pending" or not until_terminal:
                return order

    async def cancel(self, customer: Customer, order_id: str) -> bool:
        """Whether it was cancelled; a rejected order cannot be."""
        answer = await self._sure("POST", f"/orders/{order_id}/cancel", customer, final={409})
        return _status(answer) == 200

    async def history(self, customer: Customer, order_id: str) -> list[dict[str, Any]]:
        """Its steps."""
        steps: list[dict[str, Any]] = _json(await self._sure("GET", f"/orders/{order_id}/history", customer), 200)
        return steps

    async def _sure(
        self, method: str, path: str, who: Customer | None = None, *, final: set[int] | None = None, **more: Any
    ) -> httpx2.Response | None:
        """Again and again until there is an answer that a repetition would not change."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        for number in itertools.count(1):
            answer = await self._once(method, path, who, **more)
            settled = _status(answer) not in RETRIED or _status(answer) in (final or set())
            if settled or time.monotonic() > deadline:
                return answer
            await self._pause(number)
        raise AssertionError

    async def _once(
        self, method: str, path: str, who: Customer | None, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx2.Response | None:
        """None when no answer came."""
        bearer = {"authorization": f"Bearer {who.token}"} if who else {}
        try:
            return await self._client.request(method, path, headers={**bearer, **(headers or {})}, **more)
        except httpx2.TransportError:
            return None

    async def _pause(self, number: int) -> None:
        self.retries += 1
        await asyncio.sleep(PAUSES[min(number, len(PAUSES)) - 1])


def _status(answer: httpx2.Response | None) -> int | None:
    return answer.status_code if answer is not None else None


def _json(answer: httpx2.Response | None, *wanted: int) -> Any:
    if answer is None:
        raise Refused(f"the gateway gave no answer for {PATIENCE_SECONDS:.0f} s")
    if answer.status_code not in wanted:
        raise Refused(f"{answer.request.method} {answer.request.url.path} -> {answer.status_code}: {answer.text[:200]}")
    return answer.json()


def _parts(pieces: int) -> list[int]:
    """A restock takes a million at most."""
    return [min(1_000_000, pieces - start) for start in range(0, pieces, 1_000_000)]
