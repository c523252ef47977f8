"""Asking the owners when a projection has no row yet: inventory-service for products, user-service for the caller.

The answer is used for one order and never stored: a stale one would let a deactivated user order for ever.
"""

import asyncio
from urllib.parse import quote
from uuid import UUID

from chassis.lookup import Lookup
from order_service.domain import InactiveUser, NotProjected, Price, UnknownProduct
from order_service.use_cases import Known

CONCURRENCY = 16


class Owners:
    """Look-ups with the caller's own token. Raises chassis.lookup.Unavailable when an owner does not answer."""

    def __init__(self, products: Lookup, users: Lookup) -> None:
        self._products, self._users = products, users
        self._free = asyncio.Semaphore(CONCURRENCY)

    async def ask(self, missing: NotProjected, user: UUID, token: str) -> Known:
        """Everything that is missing; raises UnknownProduct or InactiveUser when its owner does not know it either."""
        skus = sorted(missing.skus)
        prices = await asyncio.gather(*(self._price(sku, token) for sku in skus))
        active = await self._is_active(user, token) if missing.user else None
        return Known(dict(zip(skus, prices, strict=True)), active)

    async def _price(self, sku: str, token: str) -> Price:
        async with self._free:
            product = await self._products.get(f"/products/{quote(sku, safe='')}", token)
        if product is None:
            raise UnknownProduct(f"There is no product {sku}.")
        return Price(product["price_minor"], product["currency"], product["active"])

    async def _is_active(self, user: UUID, token: str) -> bool:
        found = await self._users.get(f"/users/{user}", token)
        if found is None:
            raise InactiveUser("This user is not known.")
        return bool(found["status"] == "active")
