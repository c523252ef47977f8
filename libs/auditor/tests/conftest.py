"""A small finished run in which every promise holds, and the tools to corrupt a copy of it."""

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from auditor import Facts, Terms, judge
from auditor.facts import (
    Attempt,
    Committed,
    Delivery,
    Effect,
    Line,
    Order,
    Partition,
    Reading,
    Reservation,
    Restock,
    Stock,
    Written,
)
from contracts import SUBSCRIPTIONS, TOPICS

Items = Mapping[str, int]
SOURCES = {
    "order-events": "order-service",
    "inventory-events": "inventory-service",
    "product-events": "inventory-service",
    "user-events": "user-service",
}


class Run:
    """Plays the three services and their customers by hand; `facts()` is what an auditor would find afterwards."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.orders: dict[UUID, Order] = {}
        self.states: dict[UUID, str] = {}
        self._rows: defaultdict[str, list[Any]] = defaultdict(list)
        self._on_hand: Counter[str] = Counter()
        self._reserved: Counter[str] = Counter()
        self._ends: Counter[tuple[str, int]] = Counter()
        self._numbers = count(1)

    def new_id(self) -> UUID:
        return UUID(int=next(self._numbers))

    def tick(self) -> datetime:
        self.now += timedelta(milliseconds=5)
        return self.now

    def say(self, topic: str, key: object, kind: str, version: int, cause: UUID | None = None) -> UUID:
        """An event: written, published."""
        event = self.new_id()
        row = Written(SOURCES[topic], event, topic, str(key), kind, version, cause, self.tick())
        self._rows["history"].append(row)
        self.deliver(row)
        return event

    def deliver(self, row: Written) -> None:
        partition = zlib.crc32(row.key.encode()) % 12
        offset = self._ends[row.topic, partition]
        self._ends[row.topic, partition] += 1
        place = (row.topic, partition, offset, row.key)
        self._rows["deliveries"].append(
            Delivery(*place, row.event_id, row.type, f"/{row.service}", row.version, self.tick(), None)
        )

    def deliver_again(self, event: UUID) -> None:
        self.deliver(next(row for row in self._rows["history"] if row.event_id == event))

    def register(self) -> UUID:
        user = self.new_id()
        self.say("user-events", user, "user.registered.v1", 1)
        return user

    def list_product(self, sku: str, quantity: int) -> None:
        """In the catalogue, and `quantity` pieces delivered."""
        self.say("product-events", sku, "product.listed.v1", 1)
        self._rows["restocks"].append(Restock(self.new_id(), sku, quantity))
        self._effect(None, "restock", {sku: quantity}, 1, 0, None)

    def answer(self, user: UUID, key: str, attempt: int, status: int | None, order: UUID | None) -> None:
        self._rows["client_log"].append(Attempt(self.tick(), user, key, attempt, status, order))

    def place(self, user: UUID, key: str, items: Items) -> tuple[UUID, UUID]:
        """An order and the event that announced it."""
        order = self.new_id()
        self.answer(user, key, 1, 201, order)
        self.orders[order] = Order(order, user, key, "pending", self.tick(), None)
        self._rows["order_lines"] += [Line(order, sku, quantity) for sku, quantity in items.items()]
        return order, self.say("order-events", order, "order.placed.v1", 1)

    def reserve(self, order: UUID, placed: UUID, items: Items) -> UUID:
        self.states[order] = "open"
        self._rows["reserved_lines"] += [Line(order, sku, quantity) for sku, quantity in items.items()]
        self._effect(order, "reserve", items, 0, 1, placed)
        return self.say("inventory-events", order, "stock.reserved.v1", 1, placed)

    def reject(self, order: UUID, placed: UUID) -> None:
        self.states[order] = "rejected"
        rejected = self.say("inventory-events", order, "stock.rejected.v1", 1, placed)
        self._end(order, "rejected", "order.rejected.v1", 2, rejected)

    def confirm(self, order: UUID, reserved: UUID, items: Items) -> None:
        confirmed = self._end(order, "confirmed", "order.confirmed.v1", 2, reserved)
        self.states[order] = "sold"
        self._effect(order, "sell", items, -1, -1, confirmed)

    def cancel(self, order: UUID, items: Items, version: int) -> None:
        """By the customer; what is held or sold goes back."""
        cancelled = self._end(order, "cancelled", "order.cancelled.v1", version, None)
        sold = self.states[order] == "sold"
        self.states[order] = "restocked" if sold else "released"
        self._effect(order, "restock" if sold else "release", items, *((1, 0) if sold else (0, -1)), cancelled)
        self.say("inventory-events", order, "stock.released.v1", 2, cancelled)

    def buy(self, user: UUID, key: str, items: Items) -> UUID:
        """The way of one order, to confirmed."""
        order, placed = self.place(user, key, items)
        self.confirm(order, self.reserve(order, placed, items), items)
        return order

    def _end(self, order: UUID, status: str, kind: str, version: int, cause: UUID | None) -> UUID:
        self.orders[order] = replace(self.orders[order], status=status, terminal_at=self.tick())
        return self.say("order-events", order, kind, version, cause)

    def _effect(
        self, order: UUID | None, kind: str, items: Items, on_hand: int, reserved: int, cause: UUID | None
    ) -> None:
        for sku, quantity in items.items():
            self._on_hand[sku] += on_hand * quantity
            self._reserved[sku] += reserved * quantity
            self._rows["ledger"].append(Effect(sku, order, kind, on_hand * quantity, reserved * quantity, cause))

    def facts(self) -> Facts:
        rows = {name: tuple(found) for name, found in self._rows.items()}
        stock = tuple(Stock(sku, pieces, self._reserved[sku]) for sku, pieces in self._on_hand.items())
        reservations = tuple(Reservation(*one) for one in self.states.items())
        readings = (self._reading(), self._reading())
        known = {"stock": stock, "reservations": reservations, "orders": tuple(self.orders.values())}
        return Facts(self.tick(), readings=readings, **known, **rows)

    def _reading(self) -> Reading:
        self.now += timedelta(seconds=1.2)
        places = [(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]
        committed = tuple(
            Committed(group, *place, self._ends[place])
            for group, topics in SUBSCRIPTIONS.items()
            for place in places
            if place[0] in {topic.name for topic in topics} and self._ends[place]
        )
        return Reading(self.now, tuple(Partition(*place, 0, self._ends[place]) for place in places), committed, 0, 0)


class Tamper:
    """Corrupts a copy; every method insists that there was something to corrupt."""

    def change(self, facts: Facts, name: str, where: Callable[[Any], bool], **changes: Any) -> Facts:
        rows = getattr(facts, name)
        assert any(map(where, rows))
        return replace(facts, **{name: tuple(replace(row, **changes) if where(row) else row for row in rows)})

    def drop(self, facts: Facts, name: str, where: Callable[[Any], bool]) -> Facts:
        rows = getattr(facts, name)
        assert any(map(where, rows))
        return replace(facts, **{name: tuple(row for row in rows if not where(row))})

    def add(self, facts: Facts, name: str, *rows: Any) -> Facts:
        return replace(facts, **{name: (*getattr(facts, name), *rows)})


@pytest.fixture(scope="session")
def new_run() -> type[Run]:
    return Run


@pytest.fixture(scope="session")
def run() -> Run:
    """Confirmed twice, rejected, cancelled before and after the sale; a key replayed, an event delivered again."""
    run = Run()
    run.list_product("tea", 10)
    run.list_product("cup", 5)
    run.say("product-events", "tea", "product.updated.v1", 2)
    ann, bob = run.register(), run.register()
    for attempt, (status, order) in enumerate([(None, None), (503, None)], start=1):
        run.answer(ann, "a1", attempt, status, order)
    bought = run.buy(ann, "a1", {"tea": 2, "cup": 1})
    run.answer(ann, "a1", 4, 201, bought)
    run.buy(bob, "b1", {"tea": 1})
    run.reject(*run.place(bob, "b2", {"cup": 50}))
    early, placed = run.place(bob, "b3", {"tea": 3})
    run.reserve(early, placed, {"tea": 3})
    run.cancel(early, {"tea": 3}, 2)
    run.cancel(run.buy(ann, "a2", {"cup": 2}), {"cup": 2}, 3)
    run.deliver_again(placed)
    return run


@pytest.fixture(scope="session")
def healthy(run: Run) -> Facts:
    """Its facts; compaction has already dropped tea's first version."""
    facts = run.facts()
    return Tamper().drop(facts, "deliveries", lambda row: row.key == "tea" and row.version == 1)


@pytest.fixture(scope="session")
def order_with(run: Run) -> Callable[[str], UUID]:
    """The id of the order with this key: a1 b1 confirmed, b2 rejected, b3 cancelled early, a2 cancelled late."""
    return lambda key: next(order.id for order in run.orders.values() if order.idempotency_key == key)


@pytest.fixture(scope="session")
def tamper() -> Tamper:
    return Tamper()


@pytest.fixture(scope="session")
def broken() -> Callable[..., list[str]]:
    """The promises that do not hold, by name."""
    return lambda facts, terms=None: [v.promise for v in judge(facts, terms or Terms()) if not v.holds]
