"""The replay: customers place the plan's orders side by side, some cancel, some send a key twice; all are followed."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devstack.demo.options import CUSTOMERS
from devstack.demo.plan import Plan, Wish
from devstack.demo.shop import Customer, Shop

SEEDERS, PLACERS, FOLLOWERS = 16, 16, 64
AHEAD = 400
"""Orders that may be under way before placing waits: fewer than all customers together may have pending."""


@dataclass(slots=True)
class Tally:
    """What has happened so far; the live view reads it. Times are seconds."""

    listed: int = 0
    registered: int = 0
    placed: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    accept: list[float] = field(default_factory=list)
    decide: list[float] = field(default_factory=list)
    repeated: int = 0
    mistaken: list[str] = field(default_factory=list)
    sample: tuple[Customer, str] | None = None
    began: float = 0.0
    ended: float = 0.0

    @property
    def done(self) -> int:
        """Orders that have come to an end."""
        return sum(self.statuses.values())


class Replay:
    """One run through a plan."""

    def __init__(self, shop: Shop, plan: Plan, tally: Tally, seconds: float | None) -> None:
        self._shop, self._plan, self._tally, self._seconds = shop, plan, tally, seconds
        self.over = asyncio.Event()
        """The time of a run by time is over: from now on orders are only followed to their ends."""
        self._under_way = asyncio.Semaphore(AHEAD)
        self._following = asyncio.Semaphore(FOLLOWERS)

    async def seed(self, keeper: Customer) -> None:
        """The catalogue with its stock."""
        products = iter(self._plan.products)

        async def list_on() -> None:
            for product in products:
                await self._shop.list_product(keeper, product, self._plan.stock[product.sku])
                self._tally.listed += 1

        await _side_by_side([list_on() for _ in range(SEEDERS)])

    async def register(self, run: str) -> list[Customer]:
        """The customers; their addresses are new in each run."""

        async def one(number: int) -> Customer:
            customer = await self._shop.register(
                f"customer-{number}-{run}@waybill.example", f"Customer {number}", f"a password of {number}, {run}"
            )
            self._tally.registered += 1
            return customer

        return list(await asyncio.gather(*(one(number) for number in range(CUSTOMERS))))

    async def run(self, customers: list[Customer]) -> None:
        """Place and follow everything."""
        tally = self._tally
        tally.began = time.monotonic()
        if self._seconds:
            asyncio.get_running_loop().call_later(self._seconds, self.over.set)
        wishes = self._wishes()
        async with asyncio.TaskGroup() as following:

            async def place_on() -> None:
                for wish in wishes:
                    await self._under_way.acquire()
                    customer = customers[wish.customer]
                    order = await self._place(customer, wish)
                    following.create_task(self._follow(customer, wish, order))

            await _side_by_side([place_on() for _ in range(PLACERS)])
        self.over.set()
        tally.ended = time.monotonic()

    def _wishes(self) -> Iterator[Wish]:
        """One generator for all placers; in a run by time it ends when the time is over."""
        for wish in self._plan.wishes(forever=self._seconds is not None):
            if self.over.is_set():
                return
            yield wish

    async def _place(self, customer: Customer, wish: Wish) -> dict[str, Any]:
        order, took = await self._shop.place(customer, wish.key, wish.basket)
        self._tally.accept.append(took)
        self._tally.placed += 1
        if wish.repeat:
            again, _ = await self._shop.place(customer, wish.key, wish.basket)
            self._tally.repeated += 1
            if again != order:
                self._tally.mistaken.append(f"key {wish.key} gave two answers")
        return order

    async def _follow(self, customer: Customer, wish: Wish, order: dict[str, Any]) -> None:
        """To its end, and past it when its customer cancels later."""
        try:
            async with self._following:
                if wish.cancel == "at once":
                    await self._shop.cancel(customer, order["id"])
                ended = await self._shop.follow(customer, order["id"])
                self._measure(wish, ended)
                if wish.cancel == "later" and await self._shop.cancel(customer, order["id"]):
                    ended = await self._shop.follow(customer, order["id"], until_terminal=False)
        finally:
            self._under_way.release()
        self._tally.statuses[ended["status"]] += 1
        if ended["status"] == "confirmed" and not wish.cancel and not wish.repeat:
            self._tally.sample = (customer, order["id"])

    def _measure(self, wish: Wish, ended: dict[str, Any]) -> None:
        """By the database's clock, both ends."""
        if wish.cancel != "at once":
            created, terminal = (datetime.fromisoformat(ended[name]) for name in ("created_at", "terminal_at"))
            self._tally.decide.append((terminal - created).total_seconds())


async def _side_by_side(works: list[Any]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for work in works:
            tasks.create_task(work)
