"""The plan of a replay: who orders what, who cancels, which keys come twice, and how much stock there is for it all."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from devstack.demo import baskets
from devstack.demo.baskets import SEED, Basket, Product
from devstack.demo.options import CUSTOMERS, Options

SCARCE_SHARE = 0.01
"""Of the SKUs; they get half of what is asked for, so that some orders must be rejected."""
CANCEL_AT_ONCE, CANCEL_LATER, REPEAT_KEY = 0.04, 0.03, 0.05
ROUNDS = 200
"""How often the baskets may come again when the replay is limited by time instead of number."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One order to place. `cancel` says when its customer changes their mind; `repeat` sends the key a second time."""

    customer: int
    key: str
    basket: Basket
    cancel: Literal["at once", "later"] | None
    repeat: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Catalogue, stock by SKU, and the baskets."""

    products: list[Product]
    stock: dict[str, int]
    baskets: list[Basket]

    def wishes(self, forever: bool) -> Iterator[Wish]:
        """Once through the baskets, or again and again."""
        draw = random.Random(SEED + 2)
        while True:
            for basket in self.baskets:
                yield _wish(draw, basket)
            if not forever:
                return


def made(options: Options) -> Plan:
    """From the options' files or from our own catalogue; raises StageError."""
    if options.orders and options.products:
        products = baskets.read_products(options.products)
        bought = baskets.read_baskets(options.orders, frozenset(p.sku for p in products), options.limit)
    else:
        products = baskets.built_in_products()
        bought = baskets.built_in_baskets(products, options.limit)
    demand = Counter[str]()
    for basket in bought:
        demand.update(basket)
    wanted = [product for product in products if demand[product.sku]]
    return Plan(wanted, _stock(demand, ROUNDS if options.seconds else 1), bought)


def _stock(demand: Counter[str], rounds: int) -> dict[str, int]:
    """Enough of everything, but for a few SKUs that are asked for most: half."""
    scarce = {sku for sku, _ in demand.most_common(max(2, round(len(demand) * SCARCE_SHARE)))[::2]}
    return {sku: max(1, pieces // 2 if sku in scarce else pieces * rounds) for sku, pieces in demand.items()}


def _wish(draw: random.Random, basket: Basket) -> Wish:
    chance = draw.random()
    cancel: Literal["at once", "later"] | None = None
    if chance < CANCEL_AT_ONCE + CANCEL_LATER:
        cancel = "at once" if chance < CANCEL_AT_ONCE else "later"
    return Wish(draw.randrange(CUSTOMERS), str(uuid4()), basket, cancel, draw.random() < REPEAT_KEY)
