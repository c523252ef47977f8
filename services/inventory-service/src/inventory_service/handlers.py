"""The Kafka door's map: what this service reacts to, and with which rule."""

from collections.abc import Mapping, Sequence

from contracts import ORDER_EVENTS, Event, OrderCancelled, OrderConfirmed, OrderPlaced, OrderRejected
from inventory_service.domain import (
    Decide,
    decide_on_cancelled,
    decide_on_confirmed,
    decide_on_placed,
    decide_on_rejected,
)
from inventory_service.use_cases import Inventory
from messaging import Subscription

HANDLERS: Mapping[type[Event], Decide] = {
    OrderPlaced: decide_on_placed,
    OrderConfirmed: decide_on_confirmed,
    OrderCancelled: decide_on_cancelled,
    OrderRejected: decide_on_rejected,
}


def subscriptions(inventory: Inventory) -> Sequence[Subscription]:
    """One verb per topic."""
    return (Subscription(ORDER_EVENTS, inventory.apply_order_events, frozenset(HANDLERS)),)
