"""Where events travel: the topics, their keys' meaning and the broker settings that every promise relies on."""

from collections.abc import Mapping
from typing import NamedTuple

from contracts.events import (
    Event,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    ProductListed,
    ProductUpdated,
    StockRejected,
    StockReleased,
    StockReserved,
    UserDeactivated,
    UserRegistered,
    UserUpdated,
)

DAY_MS = 24 * 60 * 60 * 1000
"""The consumer groups; each names a service and owns a dead-letter topic."""


class Topic(NamedTuple):
    """A topic: name, number of partitions (never changed, since keys would move), and the types it carries."""

    name: str
    key: str
    types: tuple[type[Event], ...] = ()
    compacted: bool = False
    forever: bool = False
    partitions: int = 12

    @property
    def config(self) -> Mapping[str, str]:
        """Kafka's settings. Replication is the broker's default, so that one definition fits every cluster."""
        if self.compacted:
            # An auditor may compare every event of the last week, so compaction leaves a week alone.
            return {"cleanup.policy": "compact", "min.compaction.lag.ms": str(7 * DAY_MS)}
        return {"cleanup.policy": "delete", "retention.ms": "-1" if self.forever else str(7 * DAY_MS)}


ORDER_EVENTS = Topic("order-events", "order id", (OrderPlaced, OrderConfirmed, OrderRejected, OrderCancelled))
INVENTORY_EVENTS = Topic("inventory-events", "order id", (StockReserved, StockRejected, StockReleased))
PRODUCT_EVENTS = Topic("product-events", "sku", (ProductListed, ProductUpdated), compacted=True)
USER_EVENTS = Topic("user-events", "user id", (UserRegistered, UserUpdated, UserDeactivated), compacted=True)
TOPICS = (ORDER_EVENTS, INVENTORY_EVENTS, PRODUCT_EVENTS, USER_EVENTS)
SUBSCRIPTIONS: Mapping[str, tuple[Topic, ...]] = {
    "order-service": (INVENTORY_EVENTS, PRODUCT_EVENTS, USER_EVENTS),
    "inventory-service": (ORDER_EVENTS,),
}
"""Consumer group -> what it reads."""
GROUPS = tuple(SUBSCRIPTIONS)

_CARRIER = {event: topic for topic in TOPICS for event in topic.types}


def topic_of(event: type[Event]) -> Topic:
    """The one topic that carries this type of event; KeyError when none does."""
    return _CARRIER[event]


def dead_letters(group: str) -> Topic:
    """Where a group puts records that it cannot decode, kept for ever."""
    return Topic(f"{group}.dead-letters", "as the source", forever=True)
