"""A small finished run, healthy by construction: every way an order can end, told by all witnesses alike."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from auditor.facts import (
    Attempt,
    Committed,
    Delivery,
    Effect,
    Facts,
    Line,
    Order,
    Partition,
    Reading,
    Reservation,
    Restock,
    Stock,
    Written,
)
from contracts import SUBSCRIPTIONS

BEGAN = datetime(2026, 5, 1, 12, tzinfo=UTC)
USER = UUID(int=1)
ORDERS, INVENTORY = "order-service", "inventory-service"
SKU = "lamp"
SALES = {
    "confirmed": ("sold", 3),
    "restocked": ("restocked", 2),
    "released": ("released", 2),
    "rejected": ("rejected", 1),
}


class Story:
    """Writes down what happens; `facts` is what an auditor would find."""

    def __init__(self):
        self.number = 100
        self.orders, self.lines, self.reservations, self.reserved = [], [], [], []
        self.ledger, self.history, self.deliveries, self.log = [], [], [], []
        self.on_hand = 0

    def id(self):
        self.number += 1
        return UUID(int=self.number)

    def event(self, service, topic, key, kind, version, cause=None):
        moment = BEGAN + timedelta(seconds=len(self.history))
        row = Written(service, self.id(), topic, str(key), kind, version, cause, moment)
        self.history.append(row)
        offset = sum(d.topic == topic for d in self.deliveries)
        place = (topic, 0, offset, str(key))
        self.deliveries.append(Delivery(*place, row.event_id, kind, f"/{service}", version, moment, None))
        return row.event_id

    def effect(self, order, kind, pieces, cause):
        deltas = {"reserve": (0, 1), "sell": (-1, -1), "release": (0, -1), "restock": (1, 0)}[kind]
        self.ledger.append(Effect(SKU, order, kind, deltas[0] * pieces, deltas[1] * pieces, cause))

    def restock(self, pieces):
        self.on_hand += pieces
        self.ledger.append(Effect(SKU, None, "restock", pieces, 0, None))

    def place(self, status):
        """An order that ends so; its key is sent twice."""
        order, pieces = self.id(), SALES[status][1]
        placed = self.event(ORDERS, "order-events", order, "order.placed.v1", 1)
        final = {"restocked": "cancelled", "released": "cancelled"}.get(status, status)
        ended = BEGAN + timedelta(seconds=30)
        self.orders.append(Order(order, USER, f"key {order}", final, BEGAN, ended))
        self.lines.append(Line(order, SKU, pieces))
        self.reservations.append(Reservation(order, SALES[status][0]))
        for attempt in (1, 2):
            self.log.append(Attempt(BEGAN + timedelta(seconds=1), USER, f"key {order}", attempt, 201, order))
        if status == "rejected":
            answer = self.event(INVENTORY, "inventory-events", order, "stock.rejected.v1", 1, placed)
            self.event(ORDERS, "order-events", order, "order.rejected.v1", 2, answer)
        else:
            self.reserved.append(Line(order, SKU, pieces))
            self.effect(order, "reserve", pieces, placed)
            self.proceed(status, order, pieces, placed)

    def proceed(self, status, order, pieces, placed):
        """What follows a reservation."""
        answer = self.event(INVENTORY, "inventory-events", order, "stock.reserved.v1", 1, placed)
        if status == "released":
            cancelled = self.event(ORDERS, "order-events", order, "order.cancelled.v1", 2)
            self.effect(order, "release", pieces, cancelled)
            self.event(INVENTORY, "inventory-events", order, "stock.released.v1", 2, cancelled)
            return
        confirmed = self.event(ORDERS, "order-events", order, "order.confirmed.v1", 2, answer)
        self.effect(order, "sell", pieces, confirmed)
        self.on_hand -= pieces
        if status == "restocked":
            cancelled = self.event(ORDERS, "order-events", order, "order.cancelled.v1", 3)
            self.effect(order, "restock", pieces, cancelled)
            self.on_hand += pieces
            self.event(INVENTORY, "inventory-events", order, "stock.released.v1", 2, cancelled)

    def reading(self, second):
        topics = [topic for read in SUBSCRIPTIONS.values() for topic in read]
        ends = {t.name: sum(d.topic == t.name for d in self.deliveries) for t in topics}
        partitions = tuple(Partition(name, 0, 0, end) for name, end in ends.items())
        committed = tuple(
            Committed(group, t.name, 0, ends[t.name]) for group, read in SUBSCRIPTIONS.items() for t in read
        )
        return Reading(BEGAN + timedelta(minutes=2, seconds=second), partitions, committed, 0, 0)

    def facts(self):
        return Facts(
            read_at=BEGAN + timedelta(minutes=2),
            client_log=tuple(self.log),
            orders=tuple(self.orders),
            order_lines=tuple(self.lines),
            stock=(Stock(SKU, self.on_hand, 0),),
            restocks=(Restock(UUID(int=2), SKU, 20),),
            reservations=tuple(self.reservations),
            reserved_lines=tuple(self.reserved),
            ledger=tuple(self.ledger),
            history=tuple(self.history),
            deliveries=tuple(self.deliveries),
            readings=(self.reading(0), self.reading(1.2)),
        )


@pytest.fixture
def healthy():
    story = Story()
    story.event(INVENTORY, "product-events", SKU, "product.listed.v1", 1)
    story.restock(20)
    for status in SALES:
        story.place(status)
    story.event(INVENTORY, "product-events", SKU, "product.updated.v1", 2)
    return story.facts()
