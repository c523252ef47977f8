"""The Kafka door's map: what this service reacts to, and with which rule."""

from collections.abc import Mapping, Sequence

from contracts import (
    INVENTORY_EVENTS,
    PRODUCT_EVENTS,
    USER_EVENTS,
    Event,
    StockRejected,
    StockReleased,
    StockReserved,
)
from messaging import Subscription
from order_service.domain import Decide, decide_on_rejected, decide_on_released, decide_on_reserved
from order_service.projections import PRODUCT_TYPES, USER_TYPES, project_products, project_users
from order_service.use_cases import Orders

HANDLERS: Mapping[type[Event], Decide] = {
    StockReserved: decide_on_reserved,
    StockRejected: decide_on_rejected,
    StockReleased: decide_on_released,
}


def subscriptions(orders: Orders) -> Sequence[Subscription]:
    """One verb per topic."""
    return (
        Subscription(INVENTORY_EVENTS, orders.apply_stock_answers, frozenset(HANDLERS)),
        Subscription(PRODUCT_EVENTS, project_products, PRODUCT_TYPES, projection=True),
        Subscription(USER_EVENTS, project_users, USER_TYPES, projection=True),
    )
